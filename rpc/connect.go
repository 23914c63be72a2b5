package rpc

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// Delays between attempts to connect. A server that refuses is there and will
// be back soon; one that is silent is asked less and less often.
const (
	refusedFirst = 100 * time.Millisecond
	refusedLast  = 2 * time.Second
	silentFirst  = 3 * time.Second
	silentLast   = 60 * time.Second
	jitter       = 0.25
)

// backoff counts the attempts that came to nothing.
type backoff struct{ refused, silent time.Duration }

// failed returns how long after the beginning of an attempt that ended in err
// the next one may begin, before jitter. lost says that a connection was had,
// but was lost before it answered anything.
func (b *backoff) failed(err error, lost bool) time.Duration {
	if lost || errors.Is(err, syscall.ECONNREFUSED) {
		b.refused = min(max(2*b.refused, refusedFirst), refusedLast)
		return b.refused
	}
	b.silent = min(max(2*b.silent, silentFirst), silentLast)
	return b.silent
}

// spread applies jitter; r is random in [0, 1).
func spread(d time.Duration, r float64) time.Duration {
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*r))
}

// startLocked starts the endpoint's goroutine, which connects, reads, and
// connects again. It ends when the endpoint is closed, and when it has no
// connection and no call wants one.
func (ep *endpoint) startLocked() {
	if ep.running != nil || ep.closed {
		return
	}
	ep.running = make(chan struct{})
	go ep.run(ep.running)
}

// run is the goroutine of startLocked. As it connects again only after Serve
// has returned, a new connection sends nothing while the old one may still
// write to a sink.
func (ep *endpoint) run(done chan struct{}) {
	defer close(done)
	var b backoff
	for {
		start := time.Now()
		l, err := ep.connect()
		lost, answered, given := l != nil, false, false
		if lost {
			err = l.conn.Serve(l)
			l.conn.Abort()
			err = fmt.Errorf("rpc: connection to %s lost: %w", ep.core.server, err)
			answered, given = ep.detach(l)
		}
		var delay time.Duration
		switch {
		case answered:
			b = backoff{}
		case !given: // major timeouts are far enough apart
			delay = time.Until(start.Add(spread(b.failed(err, lost), rand.Float64())))
		}
		ep.core.log.Debug("rpc: no connection", "server", ep.core.server, "error", err, "next", delay)
		if !ep.wanted(err, answered || given) {
			return
		}
		if delay <= 0 {
			continue
		}
		t := time.NewTimer(delay)
		select {
		case <-t.C:
		case <-ep.ctx.Done():
			t.Stop()
		}
		if !ep.wanted(err, true) {
			return
		}
	}
}

// connect opens a connection and has all calls sent on it.
func (ep *endpoint) connect() (*link, error) {
	ep.mu.Lock()
	last := ep.source
	ep.mu.Unlock()
	if ep.core.dial == nil {
		return nil, errors.New("rpc: Options.Dial is not set")
	}
	conn, err := ep.core.dial(ep.ctx, last)
	if err != nil {
		return nil, err
	}
	l := &link{ep: ep, conn: conn, since: time.Now(), datagram: isDatagram(conn)}
	ep.attach(l)
	if ep.ctx.Err() != nil {
		conn.Abort() // closed meanwhile; Serve returns at once
	}
	return l, nil
}

// attach makes l the endpoint's connection. Calls that an earlier connection
// has carried go again; if the server cannot know them again, because they
// would come from another address, only those that may be executed twice.
func (ep *endpoint) attach(l *link) {
	source := addrPort(l.conn.LocalAddr())
	ep.mu.Lock()
	defer ep.mu.Unlock()
	moved := ep.source.IsValid() && source != ep.source
	if source.IsValid() {
		ep.source = source
	}
	ep.core.counters.connects.Add(1)
	ep.link, ep.lastErr = l, nil
	for _, p := range ep.slots.calls {
		if p == nil || p.reply != nil || p.err != nil {
			continue
		}
		if p.sent > 0 && moved && !p.call.Idempotent {
			p.err = &ReplayError{Transmissions: p.sent}
		} else {
			p.again = true
		}
		p.signal()
	}
}

// detach notes that l is gone and nothing writes to sinks any more. It reports
// whether l ever answered, and whether we gave it up.
func (ep *endpoint) detach(l *link) (answered, given bool) {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	ep.link = nil
	ep.core.counters.disconnects.Add(1)
	for _, p := range ep.slots.calls {
		if p != nil {
			p.lent = false
			if p.reply == nil && p.sent > 0 {
				p.again = true
			}
		}
	}
	return l.answered, l.given
}

// wanted notes why there is no connection and reports whether the goroutine
// shall go on; if not, the next call starts another. A connection that
// answered nothing ends all calls where the policy says so.
func (ep *endpoint) wanted(err error, answered bool) bool {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	ep.lastErr = err
	refused := !answered && ep.core.policy.SoftConn
	if refused {
		ep.failLocked(err)
	}
	if refused || ep.closed || !ep.slots.busyLocked() {
		ep.running = nil
		return false
	}
	return true
}

// isDatagram reports whether conn loses messages.
func isDatagram(conn transport.Conn) bool {
	a := conn.RemoteAddr()
	return a != nil && strings.HasPrefix(a.Network(), "udp")
}
