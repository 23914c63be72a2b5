package rpc

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// patient is a connection whose vitals the test decides. While it is stuck,
// nothing that is sent on it arrives.
type patient struct {
	transport.Conn
	mu    sync.Mutex // guards what follows
	stuck bool
	since time.Time // when it became stuck
	acked uint64
	looks int
}

func (p *patient) Send(head, payload []byte, cancel <-chan struct{}) error {
	p.mu.Lock()
	stuck := p.stuck
	p.acked++
	p.mu.Unlock()
	if stuck {
		return nil
	}
	return p.Conn.Send(head, payload, cancel)
}

func (p *patient) Vitals() (transport.Vitals, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looks++
	v := transport.Vitals{Acked: p.acked, RTO: 200 * time.Millisecond}
	if p.stuck {
		v.Unacked, v.SinceAck = true, time.Since(p.since)
	}
	return v, true
}

func (p *patient) set(stuck bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stuck, p.since = stuck, time.Now()
	p.acked++
}

// ward is a wire whose connections are patients, from one port unless another
// is wanted, and where probes are answered as the test says.
type ward struct {
	*wire
	patients chan *patient
	probes   []time.Duration // guarded by wire's mu
	probe    func(ctx context.Context) (transport.Conn, error)
}

func newWard(t *testing.T) *ward {
	w := &ward{wire: newWire(t), patients: make(chan *patient, 100)}
	w.wrap = func(c transport.Conn) transport.Conn {
		p := &patient{Conn: c}
		w.patients <- p
		return p
	}
	w.local = func(int) net.Addr { return (&transportAddr{"192.0.2.1", 700}).addr() }
	return w
}

func (w *ward) client(change ...func(*Options)) *Client {
	return w.wire.client(Policy{}, append(change, func(o *Options) {
		o.Probe = func(ctx context.Context) (transport.Conn, error) {
			w.mu.Lock()
			w.probes = append(w.probes, time.Since(w.began))
			w.mu.Unlock()
			return w.probe(ctx)
		}
	})...)
}

// probed returns when probes were made.
func (w *ward) probed() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.probes
}

// looked returns how often p's vitals were asked for.
func (p *patient) looked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.looks
}

// answering is a probe that finds a server.
func answering(t *testing.T) func(context.Context) (transport.Conn, error) {
	h := newHouse()
	t.Cleanup(h.wg.Wait)
	return func(ctx context.Context) (transport.Conn, error) { return h.dial(ctx, netip.AddrPort{}) }
}

// unanswered is a probe on a path that is down.
func unanswered(ctx context.Context) (transport.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
