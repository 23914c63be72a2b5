package rpc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
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

	// samePortSilent is how many attempts from one port are made that nobody
	// answers; the next comes from another. Servers know our calls by the port,
	// so it is kept for as long as it may still be good for something.
	samePortSilent = 2
	// suspectLimit is for the first attempt from a port whose connection was
	// dead while another one worked: long enough for the SYN that a server
	// answers with an ACK of the old connection, which we answer with RST, and
	// the next SYN, a second later.
	suspectLimit = 2500 * time.Millisecond
)

// backoff counts the attempts that came to nothing. The zero value has seen
// none.
type backoff struct {
	refused, silent time.Duration // the last delays
	unanswered      int           // attempts from the port that nobody answered
	suspect         bool          // the port's last connection was dead while another one worked
}

// attempt says how the next attempt is made: from another port or the same, and
// with what limit, 0 being the Dialer's own.
func (b *backoff) attempt() (another bool, limit time.Duration) {
	if b.suspect {
		limit = suspectLimit
	}
	return b.unanswered >= samePortSilent, limit
}

// failed returns how long after the beginning of an attempt that ended in err
// the next one may begin, before jitter. lost says that a connection was had,
// but was lost before it answered anything.
func (b *backoff) failed(err error, lost bool) time.Duration {
	suspect := b.suspect
	b.suspect = false
	if lost || errors.Is(err, syscall.ECONNREFUSED) {
		b.silent, b.unanswered = 0, 0 // the port gets through
		b.refused = min(max(2*b.refused, refusedFirst), refusedLast)
		return b.refused
	}
	b.refused = 0
	if isTimeout(err) {
		if suspect {
			b.unanswered = samePortSilent
			return 0
		}
		b.unanswered++
	}
	b.silent = min(max(2*b.silent, silentFirst), silentLast)
	return b.silent
}

// isTimeout reports whether nobody answered in time.
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
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
		l, err := ep.connect(b.attempt())
		lost := l != nil
		var end ended
		if lost {
			err = l.conn.Serve(l)
			l.abort()
			l.over()
			err = fmt.Errorf("rpc: connection to %s lost: %w", ep.core.server, err)
			end = ep.detach(l)
		}
		var delay time.Duration
		switch {
		case end.answered:
			b = backoff{suspect: end.dead}
		case end.given: // what makes us give connections up is far enough apart
			b.suspect = end.dead
		default:
			delay = time.Until(start.Add(spread(b.failed(err, lost), rand.Float64())))
			ep.shun()
		}
		if end.idle {
			err = nil
		}
		ep.core.log.Debug("rpc: no connection", "server", ep.core.server, "error", err, "next", delay)
		if !ep.wanted(err, end.answered || end.given) {
			return
		}
		if delay <= 0 {
			continue
		}
		_ = Sleep(ep.ctx, delay) // its end is seen below
		if !ep.wanted(err, true) {
			return
		}
	}
}

// connect opens a connection and has all calls sent on it: from the source
// address of the last one, unless another is wanted, and within limit, if it is
// not 0. l.over ends its watchdog.
func (ep *endpoint) connect(another bool, limit time.Duration) (*link, error) {
	ep.mu.Lock()
	last := ep.source
	ep.mu.Unlock()
	if another {
		last = netip.AddrPort{}
	}
	if ep.core.dial == nil {
		return nil, errors.New("rpc: Options.Dial is not set")
	}
	dctx, stop := ep.ctx, context.CancelFunc(func() {})
	if limit > 0 {
		dctx, stop = context.WithTimeout(ep.ctx, limit)
	}
	conn, err := ep.core.dial(dctx, last)
	stop()
	if err != nil {
		return nil, err
	}
	l := newLink(ep, conn)
	var ctx context.Context
	ctx, l.over = context.WithCancel(ep.ctx)
	if !ep.attach(l) {
		conn.Abort() // closed meanwhile; Serve returns at once
	}
	if !ep.core.policy.SoftConn { // those are over before a watchdog would find out anything
		go l.watch(ctx)
	}
	return l, nil
}

// attach makes l the endpoint's connection. Calls that an earlier connection
// has carried go again; if the server cannot know them again, because they
// would come from another address, only those that may be executed twice. It
// reports whether the endpoint is open.
func (ep *endpoint) attach(l *link) (open bool) {
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
	ep.tryAgainLocked()
	return !ep.closed // close aborts only a connection that it finds
}

// ended is how a connection ended; see link.
type ended struct{ answered, given, idle, dead bool }

// detach notes that l is gone and nothing writes to sinks any more.
func (ep *endpoint) detach(l *link) ended {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	ep.link = nil
	if !l.idle {
		ep.core.counters.disconnects.Add(1)
	}
	for _, p := range ep.slots.calls {
		if p != nil {
			p.lent = false
			if p.reply == nil && p.sent > 0 {
				p.again = true
			}
		}
	}
	return ended{l.answered, l.given, l.idle, l.dead}
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
		ep.trustLocked() // or no call would ever try it again
		return false
	}
	return true
}

// inTrouble is what an endpoint that gets no connection counts for besides its
// calls: one of several that the server does not let in has those that it has
// when that turns out, and no more of them until one is answered, or none is left.
const inTrouble = 1 << 20

// shun has calls go to the other endpoints as long as they are well.
func (ep *endpoint) shun() {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if !ep.shunned {
		ep.shunned = true
		ep.load.Add(inTrouble)
	}
}

// trustLocked ends what shun began.
func (ep *endpoint) trustLocked() {
	if ep.shunned {
		ep.shunned = false
		ep.load.Add(-inTrouble)
	}
}

// tryAgainLocked ends what shun began where there is a connection, but no call left
// that could be answered on it.
func (ep *endpoint) tryAgainLocked() {
	if ep.shunned && ep.link != nil && !ep.slots.busyLocked() {
		ep.trustLocked()
	}
}

// isDatagram reports whether conn loses messages.
func isDatagram(conn transport.Conn) bool {
	a := conn.RemoteAddr()
	return a != nil && strings.HasPrefix(a.Network(), "udp")
}
