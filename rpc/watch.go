package rpc

import (
	"context"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// Each connection has a watchdog, which looks at it while calls are pending,
// and ends it when there were none for long. It costs a call nothing: whoever
// sends on a connection whose watchdog dozes wakes it, and it goes on looking
// for as long as it sees calls.
//
// A server that is slow still acknowledges, with its kernel's TCP, what it is
// sent. Where not even that comes, either the path is down, or just this
// connection is: a NAT or a firewall has forgotten it and drops its segments,
// which TCP by itself sends again for a quarter of an hour. A second
// connection tells the two apart.

const (
	// lookEvery is how often a connection with pending calls is looked at,
	// lookIdle how often one that has no vitals (UDP, a tunnel), where there is
	// nothing to see but whether calls go on and something comes.
	lookEvery = 200 * time.Millisecond
	lookIdle  = time.Second
	// leastSilence is how long an acknowledgement must be missing, or three
	// times the retransmission timeout, if that is longer.
	leastSilence = 600 * time.Millisecond
	// secondThought is how long the old connection has for an acknowledgement
	// after the probe was answered: on a path that loses every tenth packet one
	// more retransmission mostly makes it.
	secondThought = 600 * time.Millisecond
	// probeLimit bounds a probe; while the path is down they follow one another
	// after probeFirst, doubling to probeLast. TCP would try the old connection
	// less and less often.
	probeLimit = 5 * time.Second
	probeFirst = time.Second
	probeLast  = 5 * time.Second
	// leastSleep is how long the machine must have been suspended for its
	// connections to be doubted.
	leastSleep = time.Second
)

// silent reports whether a connection is to be doubted: bytes that are on their
// way have not been acknowledged for too long, still being how long they were
// seen to be the same.
func silent(v transport.Vitals, still time.Duration) bool {
	return v.Unacked && min(v.SinceAck, still) >= max(3*v.RTO, leastSilence)
}

// watch is the watchdog of l. Its goroutine ends with ctx, which connect ends
// after Serve.
func (l *link) watch(ctx context.Context) {
	c := l.ep.core
	slept := c.asleep()
	var acked, came uint64  // bytes that were acknowledged, and that came
	since := time.Now()     // and no more since
	var pause time.Duration // between probes of a path that is down
	called := since         // when calls were last seen
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.woken:
			since = time.Now()
			came = l.received() // what the last calls brought says nothing to the next
			timer.Reset(lookEvery)
			continue
		case <-timer.C:
		}
		switch l.look() {
		case dozes:
			if timer.Stop(); c.idle > 0 {
				timer.Reset(c.idle - time.Since(called))
			}
			continue
		case idle:
			l.abort()
			return
		}
		called = time.Now()
		if d := c.asleep() - slept; d > leastSleep {
			slept += d
			l.ping(ctx)
		}
		v, ok := transport.VitalsOf(l.conn)
		if v.Received > came {
			came = v.Received
			l.hears(called)
		}
		if !ok {
			timer.Reset(lookIdle)
			continue
		}
		next := lookEvery
		switch now := called; {
		case !v.Unacked || v.Acked != acked:
			acked, since, pause = v.Acked, now, 0
		case silent(v, now.Sub(since)):
			if c.prober.probe(ctx, c) && l.condemn(ctx, acked) {
				return
			}
			pause = min(max(2*pause, probeFirst), probeLast)
			next = pause
		}
		timer.Reset(next)
	}
}

// received returns how many bytes have come.
func (l *link) received() uint64 {
	v, _ := transport.VitalsOf(l.conn)
	return v.Received
}

// hears notes that something has come.
func (l *link) hears(now time.Time) {
	l.ep.mu.Lock()
	defer l.ep.mu.Unlock()
	l.heard = now
}

// sight is what a watchdog sees of its connection's calls.
type sight uint8

const (
	busy  sight = iota // calls are pending, or were a moment ago
	dozes              // none: whoever sends shall wake the watchdog
	idle               // none all the time that the watchdog dozed: the connection is to be ended
)

// look looks at the calls.
func (l *link) look() sight {
	ep := l.ep
	ep.mu.Lock()
	defer ep.mu.Unlock()
	sent := l.sends != l.seen
	l.seen = l.sends
	switch {
	case sent || ep.slots.busyLocked():
		l.dozing = false
		return busy
	case !l.dozing:
		l.dozing = true
		return dozes
	}
	l.given, l.idle = true, true
	if ep.link == l {
		ep.link = nil
	}
	return idle
}

// sendingLocked counts a transmission that is about to be made on l.
func (l *link) sendingLocked() {
	l.sends++
	if l.dozing {
		l.dozing = false
		select {
		case l.woken <- struct{}{}:
		default:
		}
	}
}

// condemn gives l up, after a probe was answered, if it stays silent for a
// moment more. It reports whether l is over.
func (l *link) condemn(ctx context.Context, acked uint64) bool {
	for range secondThought / lookEvery {
		select {
		case <-ctx.Done():
			return true
		case <-time.After(lookEvery):
		}
		if v, ok := transport.VitalsOf(l.conn); !ok || !v.Unacked || v.Acked != acked || v.SinceAck < leastSilence {
			return false
		}
	}
	ep := l.ep
	ep.core.counters.replaced.Add(1)
	ep.core.log.Info("rpc: connection is dead, though the server answers: replaced", "server", ep.core.server, "from", l.conn.LocalAddr())
	ep.mu.Lock()
	l.given, l.dead = true, true
	ep.mu.Unlock()
	ep.drop(l)
	return true
}

// ping sends a NULL on l, after the machine was suspended: a connection that is
// gone shall show at once. Its goroutine ends with ctx.
func (l *link) ping(ctx context.Context) {
	c := l.ep.core
	c.log.Debug("rpc: resumed, trying the connection", "server", c.server)
	go func() {
		p := l.ep.pool.Get().(*pending)
		p.begin(c.null, l.ep, &Call{Urgent: true, Idempotent: true}, ctx)
		p.end(p.run())
	}()
}
