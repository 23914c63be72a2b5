package rpc

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// prober lets connections that have become silent together, as those of
// nconnect= do, share a probe: a NAT that has run out of ports shall not be
// asked for another sixteen.
type prober struct {
	mu   sync.Mutex // guards last
	last *probing   // nil: there was none
}

// probing is a probe, under way or over.
type probing struct {
	done     chan struct{} // closed at its end
	answered bool          // valid then
	began    time.Time
}

// shared reports whether the outcome of r is news enough at now for another
// connection: it is still under way, or began since the connections were last
// looked at.
func (r *probing) shared(now time.Time) bool {
	if r == nil {
		return false
	}
	select {
	case <-r.done:
		return now.Sub(r.began) < lookEvery
	default:
		return true
	}
}

// probe reports whether the server answers on a connection of its own. If
// another probe is under way, or just over, its outcome counts.
func (p *prober) probe(ctx context.Context, c *core) bool {
	now := time.Now()
	p.mu.Lock()
	run := p.last
	mine := !run.shared(now)
	if mine {
		run = &probing{done: make(chan struct{}), began: now}
		p.last = run
	}
	p.mu.Unlock()
	if mine {
		run.answered = c.answers(ctx)
		close(run.done)
	}
	select {
	case <-run.done:
		return run.answered
	case <-ctx.Done():
		return false
	}
}

// answers makes the probe. A server that refuses the connection, or the NULL,
// is there, too.
func (c *core) answers(ctx context.Context) bool {
	c.counters.probes.Add(1)
	ctx, stop := context.WithTimeout(ctx, probeLimit)
	defer stop()
	conn, err := c.openProbe(ctx)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	first := make(chan transport.Conn, 1)
	first <- conn
	once := NewClient(Options{
		Program: c.null.prog, Version: c.null.vers,
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			select {
			case conn := <-first:
				return conn, nil
			default:
				return nil, errProbe
			}
		},
		Policy: Policy{Timeo: probeLimit, SoftConn: true},
	})
	err = once.Call(ctx, &Call{Idempotent: true})
	once.Close()
	select {
	case conn := <-first: // the time was up before the call was made
		conn.Abort()
	default:
	}
	return err == nil || errors.As(err, new(*AcceptError)) || errors.As(err, new(*DeniedError))
}

var errProbe = errors.New("rpc: probe connection lost")

// openProbe opens a connection from any port.
func (c *core) openProbe(ctx context.Context) (transport.Conn, error) {
	if c.probe != nil {
		return c.probe(ctx)
	}
	return c.dial(ctx, netip.AddrPort{})
}
