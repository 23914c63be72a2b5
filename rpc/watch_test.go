package rpc

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

func TestSilent(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name  string
		v     transport.Vitals
		still time.Duration
		want  bool
	}{
		{"nothing is on its way", transport.Vitals{SinceAck: seconds(100), RTO: 200 * ms}, seconds(100), false},
		{"600 ms without an ACK", transport.Vitals{Unacked: true, SinceAck: 600 * ms, RTO: 200 * ms}, 600 * ms, true},
		{"not quite", transport.Vitals{Unacked: true, SinceAck: 599 * ms, RTO: 200 * ms}, 600 * ms, false},
		{"sent a moment ago, after a long pause", transport.Vitals{Unacked: true, SinceAck: seconds(100), RTO: 200 * ms}, 200 * ms, false},
		{"a slow path: three times its RTO", transport.Vitals{Unacked: true, SinceAck: 899 * ms, RTO: 300 * ms}, seconds(2), false},
		{"a slow path, and then", transport.Vitals{Unacked: true, SinceAck: 900 * ms, RTO: 300 * ms}, seconds(2), true},
		{"a short RTO does not matter", transport.Vitals{Unacked: true, SinceAck: 500 * ms, RTO: ms}, seconds(2), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := silent(tt.v, tt.still); got != tt.want {
				t.Errorf("silent(%+v, %v) = %v", tt.v, tt.still, got)
			}
		})
	}
}

// A connection that goes silent while a call is pending.
func TestWatchdog(t *testing.T) {
	for _, tt := range []struct {
		name     string
		probe    func(t *testing.T) func(context.Context) (transport.Conn, error)
		recovers time.Duration // when the old connection does; 0: never
		replaced time.Duration // by when it is replaced at the latest; 0: never
		probes   int           // at least
	}{
		{"the server answers: replaced", answering, 0, seconds(2), 1},
		{"the server refuses: replaced", func(*testing.T) func(context.Context) (transport.Conn, error) {
			return func(context.Context) (transport.Conn, error) { return nil, syscall.ECONNREFUSED }
		}, 0, seconds(2), 1},
		{"the server answers that it does not have the program: replaced", func(t *testing.T) func(context.Context) (transport.Conn, error) {
			h := new(house)
			t.Cleanup(h.wg.Wait)
			return func(ctx context.Context) (transport.Conn, error) { return h.dial(ctx, netip.AddrPort{}) }
		}, 0, seconds(2), 1},
		{"the server answers, and the connection recovers", answering, 1000 * time.Millisecond, 0, 1},
		{"it recovers soon", answering, 500 * time.Millisecond, 0, 0},
		{"the path is down", func(*testing.T) func(context.Context) (transport.Conn, error) { return unanswered }, seconds(150), 0, 14},
		{"a probe is accepted, but not answered", func(t *testing.T) func(context.Context) (transport.Conn, error) {
			return func(context.Context) (transport.Conn, error) { a, _ := transport.Pipe(); return a, nil }
		}, seconds(20), 0, 2},
		{"a probe is accepted and ended", func(t *testing.T) func(context.Context) (transport.Conn, error) {
			return func(context.Context) (transport.Conn, error) { a, b := transport.Pipe(); b.Close(); return a, nil }
		}, seconds(20), 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWard(t)
				w.probe = tt.probe(t)
				c := w.client()
				done := goCall(context.Background(), c, &Call{})
				old, p := <-w.patients, <-w.peers
				p.ok(p.next().xid)
				<-done
				time.Sleep(seconds(100)) // so that the first look must be asked for
				old.set(true)
				start := time.Now()
				done = goCall(context.Background(), c, &Call{})
				if tt.recovers > 0 {
					time.Sleep(tt.recovers)
					old.set(false)
					time.Sleep(seconds(11)) // the major timeout sends the call again, too
				}
				if tt.replaced > 0 {
					p = <-w.peers
					if took := time.Since(start); took > tt.replaced {
						t.Errorf("replaced after %v", took)
					}
					p.ok(p.next().xid)
					if err := <-done; err != nil {
						t.Error(err)
					}
					if got := w.lasts[1]; got.Port() != 700 {
						t.Errorf("reconnected from %v", got)
					}
				}
				s := c.Stats()
				if want := uint64(len(w.dialTimes()) - 1); tt.replaced == 0 && want != 0 || s.Replaced != want {
					t.Errorf("%d replaced, %d connections", s.Replaced, len(w.dialTimes()))
				}
				if at := w.probed(); len(at) < tt.probes || tt.probes == 0 && len(at) > 0 || s.Probes != uint64(len(at)) {
					t.Errorf("probes at %v, counted %d", at, s.Probes)
				}
				if c.Close(); tt.replaced == 0 {
					<-done
				}
			})
		})
	}
}

// A port that a firewall blocks, because it remembers the dead connection, is
// not insisted on: one more attempt, and then another port.
func TestBlockedPortIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		w.probe = answering(t)
		c := w.client(func(o *Options) {
			dial := o.Dial
			o.Dial = func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
				if !last.IsValid() {
					return dial(ctx, last)
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		ports := 700
		w.local = func(int) net.Addr { ports++; return (&transportAddr{"192.0.2.1", ports}).addr() }
		done := goCall(context.Background(), c, &Call{})
		old, p := <-w.patients, <-w.peers
		p.ok(p.next().xid)
		<-done
		old.set(true)
		start := time.Now()
		idempotent := goCall(context.Background(), c, &Call{Idempotent: true})
		done = goCall(context.Background(), c, &Call{})
		p = <-w.peers
		if took := time.Since(start); took > seconds(5) {
			t.Errorf("another port after %v", took)
		}
		p.ok(p.next().xid)
		if err := <-idempotent; err != nil {
			t.Error(err)
		}
		var re *ReplayError
		if err := <-done; !errors.As(err, &re) {
			t.Errorf("a call that must not be executed twice got %v", err)
		}
	})
}

// Connections that become silent together are told by one probe, be it answered
// late or at once.
func TestProbesAreShared(t *testing.T) {
	for _, slow := range []time.Duration{0, time.Second} {
		t.Run(slow.String(), func(t *testing.T) { testProbesAreShared(t, slow) })
	}
}

func testProbesAreShared(t *testing.T, slow time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		inner := answering(t)
		w.probe = func(ctx context.Context) (transport.Conn, error) {
			time.Sleep(slow)
			return inner(ctx)
		}
		c := w.client(func(o *Options) { o.Connections = 4 })
		block := func() (done []<-chan error) {
			for range 4 {
				done = append(done, goCall(context.Background(), c, &Call{Idempotent: true}))
				synctest.Wait()
			}
			return done
		}
		answer := func(done []<-chan error) {
			for range 4 {
				p := <-w.peers
				p.ok(p.next().xid)
			}
			for _, d := range done {
				if err := <-d; err != nil {
					t.Error(err)
				}
			}
		}
		answer(block())
		for range 4 {
			(<-w.patients).set(true)
		}
		answer(block())
		if at := w.probed(); len(at) != 1 {
			t.Errorf("probes at %v", at)
		}
		if s := c.Stats(); s.Replaced != 4 {
			t.Errorf("%d replaced", s.Replaced)
		}
	})
}

// A silent connection without calls is nobody's business, and looked at by
// nobody.
func TestWatchdogDozes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		w.probe = answering(t)
		c := w.client()
		done := goCall(context.Background(), c, &Call{})
		old, p := <-w.patients, <-w.peers
		p.ok(p.next().xid)
		<-done
		old.set(true)
		time.Sleep(seconds(1000))
		if n, at := old.looked(), w.probed(); n > 2 || len(at) > 0 {
			t.Errorf("%d looks, probes at %v", n, at)
		}
	})
}

func TestIdleConnectionIsClosed(t *testing.T) {
	for _, tt := range []struct {
		name string
		idle time.Duration
		udp  bool
		gap  time.Duration // between calls
		want int           // connections that four calls make
	}{
		{"after 5 min", seconds(300), false, seconds(302), 4},
		{"not before", seconds(300), false, seconds(298), 1},
		{"the port of a datagram socket is given back, too", seconds(300), true, seconds(302), 4},
		{"never", 0, false, seconds(100000), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWard(t)
				w.udp = tt.udp
				c := w.client(func(o *Options) { o.Idle, o.Policy = tt.idle, TCPPolicy(seconds(10000), 0, Hard) })
				var p *peer
				for i := range 4 {
					done := goCall(context.Background(), c, &Call{})
					synctest.Wait()
					if len(w.peers) > 0 {
						if p != nil {
							if _, more := <-p.calls; more {
								t.Error("a call on the old connection")
							}
						}
						p = <-w.peers
					}
					p.ok(p.next().xid)
					if err := <-done; err != nil {
						t.Error(err)
					}
					if i == 1 { // one that takes longer than Idle keeps its connection
						done = goCall(context.Background(), c, &Call{})
						xid := p.next().xid
						time.Sleep(tt.idle*2 + seconds(1))
						p.ok(xid)
						if err := <-done; err != nil {
							t.Error(err)
						}
					}
					time.Sleep(tt.gap)
				}
				if got := len(w.dialTimes()); got != tt.want {
					t.Errorf("%d connections, want %d", got, tt.want)
				}
				for _, last := range w.lasts[1:] {
					if last.Port() != 700 {
						t.Errorf("the next one comes from %v", last)
					}
				}
				s := c.Stats()
				if closed := tt.want > 1; s.Endpoints[0].LastError != nil || (s.ConnectedCount == 0) != closed {
					t.Errorf("got %+v", s)
				}
			})
		})
	}
}

// After the machine was suspended the connection is tried at once, if calls
// wait on it: what is gone then shows by RST, or to the watchdog.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		w.probe = answering(t)
		c := w.client()
		var slept time.Duration
		var mu sync.Mutex
		c.core.asleep = func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return slept
		}
		done := goCall(context.Background(), c, &Call{Proc: procEcho})
		old, p := <-w.patients, <-w.peers
		xid := p.next().xid
		time.Sleep(seconds(20))
		if p.waiting() != 0 {
			t.Fatal("something was sent before the suspend")
		}
		mu.Lock()
		slept = 8 * time.Hour
		mu.Unlock()
		start := time.Now()
		ping := p.next()
		if took := time.Since(start); took > seconds(1) || ping.proc != 0 || ping.xid == xid {
			t.Errorf("after %v procedure %d was called", took, ping.proc)
		}
		p.ok(ping.xid)
		time.Sleep(seconds(20))
		if p.waiting() != 0 {
			t.Error("one ping is enough")
		}
		// Again, and this time the connection is gone.
		mu.Lock()
		slept += time.Hour
		mu.Unlock()
		old.set(true)
		start = time.Now()
		p = <-w.peers
		if took := time.Since(start); took > seconds(2) {
			t.Errorf("replaced after %v", took)
		}
		for range 2 { // the call, and maybe the ping
			if h := p.next(); h.xid == xid {
				p.ok(xid)
				break
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// The last reply of a connection counts, however it ends.
func TestPeerThatClosesIsLeftAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		c := w.client()
		done := goCall(context.Background(), c, &Call{})
		p := <-w.peers
		p.ok(p.next().xid)
		<-done
		done = goCall(context.Background(), c, &Call{})
		p.next()
		start := time.Now()
		p.conn.Close()
		q := <-w.peers
		if took := time.Since(start); took != 0 {
			t.Errorf("reconnected after %v", took)
		}
		q.ok(q.next().xid)
		if err := <-done; err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

// A connection that is made for a probe is ended, whatever becomes of that.
func TestAProbeLeavesNoConnection(t *testing.T) {
	for _, late := range []time.Duration{0, probeLimit + time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t)
			c := w.client(Policy{}, func(o *Options) {
				o.Probe = func(context.Context) (transport.Conn, error) {
					time.Sleep(late) // it comes when the time is up
					return w.dial(context.Background(), netip.AddrPort{})
				}
			})
			c.core.answers(t.Context())
			p := <-w.peers
			for range p.calls { // until the connection ends
			}
		})
	}
}

// distant is a connection on which each call is acknowledged after half a second.
// Its RTO is of a time when the way was shorter.
type distant struct {
	transport.Conn
	mu    sync.Mutex // guards what follows
	sent  uint64
	last  time.Time // when
	acked time.Time // before last
}

const halfSecond = 500 * time.Millisecond

func (d *distant) Send(head, payload []byte, cancel <-chan struct{}) error {
	d.mu.Lock()
	d.sent++
	d.acked, d.last = d.last.Add(halfSecond), time.Now()
	d.mu.Unlock()
	return d.Conn.Send(head, payload, cancel)
}

func (d *distant) Vitals() (transport.Vitals, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := transport.Vitals{RTO: 200 * time.Millisecond, Acked: d.sent, SinceAck: time.Since(d.last.Add(halfSecond))}
	if v.SinceAck < 0 {
		v.Unacked, v.Acked, v.SinceAck = true, d.sent-1, time.Since(d.acked)
	}
	return v, true
}

// A connection on which nothing was sent for long is not silent for as long.
func TestAPauseIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		w.probe = answering(t)
		w.wrap = func(c transport.Conn) transport.Conn { return &distant{Conn: c} }
		c := w.client()
		for range 3 {
			done := goCall(context.Background(), c, &Call{})
			p := <-w.peers
			w.peers <- p
			time.Sleep(seconds(1))
			p.ok(p.next().xid)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			time.Sleep(seconds(100))
		}
		if at := w.probed(); len(at) > 0 {
			t.Errorf("probes at %v", at)
		}
	})
}
