package rpc

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

func TestBackoff(t *testing.T) {
	const ms = time.Millisecond
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for _, tt := range []struct {
		name string
		err  error
		lost bool
		want []time.Duration
	}{
		{"refused: 100 ms doubling to 2 s", refused, false, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 2000 * ms, 2000 * ms}},
		{"accepted and closed: the same", io.EOF, true, []time.Duration{100 * ms, 200 * ms}},
		{"silent: 3 s doubling to 60 s", context.DeadlineExceeded, false, []time.Duration{seconds(3), seconds(6), seconds(12), seconds(24), seconds(48), seconds(60), seconds(60)}},
		{"unreachable: the same", syscall.EHOSTUNREACH, false, []time.Duration{seconds(3), seconds(6)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b backoff
			for i, want := range tt.want {
				if got := b.failed(tt.err, tt.lost); got != want {
					t.Errorf("attempt %d: %v, want %v", i, got, want)
				}
			}
		})
	}
	t.Run("refused and silent by turns begin anew each", func(t *testing.T) {
		var b backoff
		for i, at := range []struct {
			err  error
			want time.Duration
		}{{refused, 100 * ms}, {refused, 200 * ms}, {syscall.EHOSTUNREACH, seconds(3)}, {syscall.EHOSTUNREACH, seconds(6)}, {refused, 100 * ms}, {syscall.ETIMEDOUT, seconds(3)}} {
			if got := b.failed(at.err, false); got != at.want {
				t.Errorf("attempt %d: %v, want %v", i, got, at.want)
			}
		}
	})
	if lo, hi := spread(1000, 0), spread(1000, 0.9999999); lo != 750 || hi != 1249 {
		t.Errorf("jitter from %v to %v", lo, hi)
	}
}

// From which port, and with what limit, the next attempt is made.
func TestAttempt(t *testing.T) {
	refused, silent, unreachable := error(syscall.ECONNREFUSED), error(&transport.SilentError{}), error(syscall.EHOSTUNREACH)
	for _, tt := range []struct {
		name    string
		suspect bool
		errs    []error
		another bool
		limit   time.Duration
	}{
		{"the first: the same port", false, nil, false, 0},
		{"after one that nobody answered: the same", false, []error{silent}, false, 0},
		{"after two: another", false, []error{silent, silent}, true, 0},
		{"and so on", false, []error{silent, silent, silent, silent}, true, 0},
		{"a timeout of the system counts, too", false, []error{syscall.ETIMEDOUT, context.DeadlineExceeded}, true, 0},
		{"refusals do not count", false, []error{refused, refused, refused}, false, 0},
		{"a refusal clears the port", false, []error{silent, refused, silent}, false, 0},
		{"unreachable has nothing to do with ports", false, []error{unreachable, unreachable, unreachable}, false, 0},
		{"a port whose connection died: the same, for a little while", true, nil, false, 2500 * time.Millisecond},
		{"and then another", true, []error{silent}, true, 0},
		{"if it was refused, there is no suspicion any more", true, []error{refused}, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := backoff{suspect: tt.suspect}
			for _, err := range tt.errs {
				if d := b.failed(err, false); d == 0 != (tt.suspect && err == silent) {
					t.Errorf("the next attempt after %v", d)
				}
			}
			if another, limit := b.attempt(); another != tt.another || limit != tt.limit {
				t.Errorf("another port: %v, limit %v", another, limit)
			}
		})
	}
}

// Two attempts that nobody answers, and the third comes from another port.
func TestSilentPortIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.local = func(int) net.Addr { return (&transportAddr{"192.0.2.1", 700}).addr() }
		c := w.client(Policy{})
		done := goCall(context.Background(), c, &Call{})
		p := <-w.peers
		p.ok(p.next().xid)
		<-done
		w.setFail(&transport.SilentError{})
		p.conn.Abort()
		done = goCall(context.Background(), c, &Call{Idempotent: true})
		for len(w.dialTimes()) < 5 {
			time.Sleep(50 * time.Millisecond)
		}
		w.setFail(nil)
		p = <-w.peers
		p.ok(p.next().xid)
		<-done
		p.conn.Abort()
		synctest.Wait()
		done = goCall(context.Background(), c, &Call{})
		p = <-w.peers
		p.ok(p.next().xid)
		<-done
		var ports []uint16
		for _, last := range w.lasts {
			ports = append(ports, last.Port())
		}
		if want := []uint16{0, 700, 700, 0, 0, 0, 700}; !slices.Equal(ports, want) {
			t.Errorf("ports wanted %v, want %v", ports, want)
		}
	})
}

// When connections are tried, and how soon a call gets through.
func TestReconnect(t *testing.T) {
	for _, tt := range []struct {
		name string
		fail error
		// gaps between dials, before jitter
		gaps []time.Duration
	}{
		{"refused", syscall.ECONNREFUSED, []time.Duration{100e6, 200e6, 400e6, 800e6, 1600e6, 2000e6, 2000e6}},
		{"unreachable", syscall.ENETUNREACH, []time.Duration{3e9, 6e9, 12e9, 24e9, 48e9, 60e9}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				c := w.client(Policy{})
				done := goCall(context.Background(), c, &Call{})
				p := <-w.peers
				p.ok(p.next().xid)
				<-done
				done = goCall(context.Background(), c, &Call{})
				p.next()
				w.setFail(tt.fail)
				p.conn.Abort()
				for len(w.dialTimes()) < len(tt.gaps)+2 {
					time.Sleep(50 * time.Millisecond)
				}
				w.setFail(nil)
				q := <-w.peers
				q.ok(q.next().xid)
				if err := <-done; err != nil {
					t.Error(err)
				}
				dials := w.dialTimes()
				if dials[1] != 0 {
					t.Errorf("a connection that had worked was replaced after %v", dials[1])
				}
				for i, gap := range tt.gaps {
					if got := dials[i+2] - dials[i+1]; got < gap*3/4 || got > gap*5/4 {
						t.Errorf("gap %d is %v, want %v ± 25 %%", i, got, gap)
					}
				}
			})
		})
	}
}

func TestConnectionIsOpenedForACallAndNotForNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{})
		time.Sleep(seconds(10))
		if n := len(w.dialTimes()); n != 0 {
			t.Fatalf("%d connections before the first call", n)
		}
		var near abortConn
		w.wrap = func(c transport.Conn) transport.Conn { near.Conn = c; return &near }
		done := goCall(context.Background(), c, &Call{})
		p := <-w.peers
		p.ok(p.next().xid)
		<-done
		p.conn.Close()
		time.Sleep(seconds(100))
		if n := len(w.dialTimes()); n != 1 {
			t.Errorf("%d connections with no call waiting", n)
		}
		if near.aborts.Load() == 0 {
			t.Error("a connection that its peer closed is still open here")
		}
		// A call given up while nothing answers ends the attempts, too.
		w.setFail(syscall.EHOSTUNREACH)
		ctx, cancel := context.WithTimeout(context.Background(), seconds(1))
		defer cancel()
		if err := c.Call(ctx, &Call{}); err != context.DeadlineExceeded {
			t.Error(err)
		}
		n := len(w.dialTimes())
		time.Sleep(seconds(1000))
		if got := len(w.dialTimes()); got != n {
			t.Errorf("%d more attempts with no call waiting", got-n)
		}
		if s := c.Stats(); s.ConnectedCount != 0 || !errors.Is(s.Endpoints[0].LastError, syscall.EHOSTUNREACH) {
			t.Errorf("got %+v", s)
		}
	})
}

// abortConn counts Abort.
type abortConn struct {
	transport.Conn
	aborts atomic.Int32
}

func (c *abortConn) Abort() error {
	c.aborts.Add(1)
	return c.Conn.Abort()
}

func TestSoftConnEndsWithTheErrorOfTheNetwork(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fail   error
		break_ bool
		want   error
	}{
		{"refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, false, syscall.ECONNREFUSED},
		{"closed without an answer", nil, true, io.EOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				w.fail = tt.fail
				c := w.client(Policy{SoftConn: true})
				for range 3 { // each call tries for itself, at once
					done := goCall(context.Background(), c, &Call{})
					if tt.break_ {
						p := <-w.peers
						p.next()
						p.conn.Close()
					}
					if err := <-done; !errors.Is(err, tt.want) {
						t.Errorf("got %v, want %v", err, tt.want)
					}
				}
				if d := w.dialTimes(); len(d) != 3 || d[2] != 0 {
					t.Errorf("dialled at %v", d)
				}
			})
		})
	}
}

func TestClose(t *testing.T) {
	t.Run("ends calls sent and calls waiting", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t)
			c := w.client(Policy{})
			var done []<-chan error
			for range 2 * slotCount {
				done = append(done, goCall(context.Background(), c, &Call{}))
			}
			synctest.Wait()
			c.Close()
			for _, d := range done {
				if err := <-d; err != ErrClosed {
					t.Fatal(err)
				}
			}
			if err := c.Call(context.Background(), &Call{}); err != ErrClosed || time.Since(w.began) != 0 {
				t.Errorf("got %v after %v", err, time.Since(w.began))
			}
			c.Close()
		})
	})
	t.Run("does not wait for a Dial that hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t)
			hang := make(chan struct{})
			a, b := transport.Pipe()
			c := w.client(Policy{}, func(o *Options) {
				o.Dial = func(context.Context, netip.AddrPort) (transport.Conn, error) { <-hang; return a, nil }
			})
			done := goCall(context.Background(), c, &Call{})
			synctest.Wait()
			c.Close()
			if err := <-done; err != ErrClosed || time.Since(w.began) > seconds(1) {
				t.Errorf("got %v after %v", err, time.Since(w.began))
			}
			close(hang)
			synctest.Wait()
			if err := b.Send([]byte("1234"), nil, nil); err == nil {
				t.Error("the connection that came after Close is open")
			}
		})
	})
	t.Run("a client without Dial says so", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := NewClient(Options{Policy: Policy{SoftConn: true}})
			defer c.Close()
			if err := c.Call(context.Background(), &Call{}); err == nil || !strings.Contains(err.Error(), "Dial") {
				t.Error(err)
			}
		})
	})
}

// Ten thousand connections that break, without a leak (TestMain looks for
// goroutines and buffers).
func TestManyReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{})
		for i := range 10000 {
			k := &Call{Idempotent: i%2 == 0}
			done := goCall(context.Background(), c, k)
			p := <-w.peers
			xid := p.next().xid
			p.ok(xid)
			<-done
			p.conn.Abort()
			synctest.Wait()
		}
		if s := c.Stats(); s.Connects != 10000 || s.Disconnects != 10000 {
			t.Errorf("got %+v", s)
		}
	})
}

// Close may come between a Dial that has ended and the use of its connection:
// it must not be left to wait for a connection that nobody aborts.
func TestCloseWhileAConnectionIsMade(t *testing.T) {
	for range 2000 {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse()
			var c *Client
			closed := make(chan struct{})
			c = NewClient(Options{Program: testProg, Version: testVers, Server: "h", Dial: func(ctx context.Context, a netip.AddrPort) (transport.Conn, error) {
				go func() {
					c.Close()
					close(closed)
				}()
				return h.dial(ctx, a)
			}})
			began := time.Now()
			c.Call(t.Context(), &Call{Proc: procBlock}) // ends in one error or another
			<-closed
			if took := time.Since(began); took > 0 {
				t.Fatalf("Close took %v", took)
			}
			h.wg.Wait()
		})
	}
}
