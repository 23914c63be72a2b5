package rpc

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// four returns a client of four connections, each from a port of its own, with
// the far ends, and a call under way on each. The fifth is the one in the place
// of number lost.
func four(w *wire, lost int) (c *Client, peers [4]*peer, calls []<-chan error) {
	w.local = func(n int) net.Addr {
		if n >= len(peers) {
			n = lost
		}
		return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 700 + n}
	}
	c = w.client(Policy{}, func(o *Options) { o.Connections = len(peers) })
	for range peers {
		calls = append(calls, goCall(context.Background(), c, &Call{}))
		synctest.Wait()
	}
	for i := range peers {
		peers[i] = <-w.peers
	}
	return c, peers, calls
}

// A connection whose peer is silent keeps the calls that it has, and gets no
// more as long as others have fewer; those have no part in its trouble.
func TestSilentConnectionHoldsUpItsOwnCallsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c, peers, calls := four(w, 0)
		for _, p := range peers[1:] {
			p.ok(p.next().xid)
		}
		synctest.Wait()
		began := time.Now()
		for range 100 {
			done := goCall(context.Background(), c, &Call{})
			synctest.Wait()
			for _, p := range peers[1:] {
				if p.waiting() > 0 {
					p.ok(p.next().xid)
				}
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		if n := peers[0].waiting(); n != 1 || time.Since(began) != 0 {
			t.Errorf("the silent connection got %d calls; the others' took %v", n, time.Since(began))
		}
		time.Sleep(seconds(200)) // beyond its major timeout, at which it is renewed
		s := c.Stats()
		if s.Connects != 5 || s.Disconnects != 1 || !s.NotResponding {
			t.Errorf("after its major timeout: %+v", s)
		}
		silent := 0
		for _, e := range s.Endpoints {
			if !e.NotRespondingSince.IsZero() {
				silent++
			}
		}
		if silent != 1 {
			t.Errorf("%d endpoints count as silent", silent)
		}
		p := <-w.peers
		p.ok(p.next().xid)
		for _, done := range calls {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if s := c.Stats(); s.NotResponding {
			t.Errorf("after its answer: %+v", s)
		}
	})
}

// A connection that is reset comes back from its own port with its own calls;
// the others are not touched, and go on meanwhile.
func TestResetConnectionHarmsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c, peers, calls := four(w, 2)
		var heards [4]heard
		for i, p := range peers {
			heards[i] = p.next()
		}
		w.setFail(context.DeadlineExceeded) // it cannot come back at once
		peers[2].conn.Abort()
		synctest.Wait()
		for range 30 { // the calls of the three that are left
			done := goCall(context.Background(), c, &Call{})
			synctest.Wait()
			answered := false
			for i, p := range peers {
				if i != 2 && p.waiting() > 0 {
					p.ok(p.next().xid)
					answered = true
				}
			}
			if !answered { // it went to the one that is away
				calls = append(calls, done)
				continue
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		if n := len(calls) - 4; n > 1 {
			t.Errorf("%d calls wait for the connection that is away", n)
		}
		w.setFail(nil)
		p := <-w.peers
		synctest.Wait()
		again := false
		for p.waiting() > 0 { // the call and, maybe, one of the 30, in either order
			h := p.next()
			again = again || h.msg == heards[2].msg
			p.ok(h.xid)
		}
		if !again {
			t.Errorf("%x was not sent again", heards[2].msg)
		}
		for i, p := range peers {
			if i != 2 {
				if n := p.waiting(); n != 0 {
					t.Errorf("connection %d was sent %d calls again", i, n)
				}
				p.ok(heards[i].xid)
			}
		}
		for _, done := range calls {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		own := netip.MustParseAddrPort("192.0.2.9:702")
		for n, last := range w.lasts {
			if n < 4 && last.IsValid() || n >= 4 && last != own {
				t.Errorf("connection %d was to come from %v", n, last)
			}
		}
		if s := c.Stats(); s.Connects != 5 || s.Disconnects != 1 {
			t.Errorf("got %+v", s)
		}
	})
}

// A server may take fewer connections than it is asked for. Callers in parallel,
// who keep those that it takes busy, do not end up at the others one by one.
func TestAConnectionThatNeverComesUpGetsNoMoreCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{}, func(o *Options) { o.Connections = 2 })
		await := goCall(context.Background(), c, &Call{})
		p := <-w.peers
		p.ok(p.next().xid)
		if err := <-await; err != nil {
			t.Fatal(err)
		}
		w.setFail(syscall.ECONNREFUSED)
		ctx, cancel := context.WithCancel(context.Background())
		stuck := goCall(ctx, c, &Call{})
		synctest.Wait()
		var done []<-chan error
		for range 50 { // more than those that wait elsewhere
			done = append(done, goCall(context.Background(), c, &Call{}))
			synctest.Wait()
		}
		if n := p.waiting(); n != len(done) {
			t.Fatalf("%d calls came, not %d", n, len(done))
		}
		for _, d := range done {
			p.ok(p.next().xid)
			if err := <-d; err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		if err := <-stuck; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}

		// Once it is to be had it gets its share.
		time.Sleep(seconds(10))
		w.setFail(nil)
		x := goCall(context.Background(), c, &Call{})
		y := goCall(context.Background(), c, &Call{})
		synctest.Wait()
		if len(w.peers) == 0 {
			t.Fatal("it is not tried")
		}
		q := <-w.peers
		p.ok(p.next().xid)
		q.ok(q.next().xid)
		for _, d := range []<-chan error{x, y} {
			if err := <-d; err != nil {
				t.Fatal(err)
			}
		}
		if p.waiting()+q.waiting() != 0 || c.core.endpoints[0].load.Load() != 0 || c.core.endpoints[1].load.Load() != 0 {
			t.Error("something is left")
		}
	})
}

// A connection that comes up again is used again, though the call that waited for it
// has been given up, and there is nothing that could be answered.
func TestAConnectionWhoseLastCallWasGivenUpGetsCalls(t *testing.T) {
	for _, tt := range []struct {
		name  string
		takes time.Duration // to come up
	}{
		{"while it comes up", time.Second},
		{"before it is answered", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				c := w.client(Policy{}, func(o *Options) {
					o.Connections = 2
					o.Dial = func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
						conn, err := w.dial(ctx, last)
						if err == nil {
							time.Sleep(tt.takes)
						}
						return conn, err
					}
				})
				await := goCall(context.Background(), c, &Call{})
				p := <-w.peers
				p.ok(p.next().xid)
				if err := <-await; err != nil {
					t.Fatal(err)
				}
				w.setFail(syscall.ECONNREFUSED)
				ctx, cancel := context.WithCancel(context.Background())
				stuck := goCall(ctx, c, &Call{})
				synctest.Wait()
				w.setFail(nil)
				q := <-w.peers
				synctest.Wait()
				if sent := q.waiting(); sent > 0 {
					q.next()
				}
				cancel()
				if err := <-stuck; !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				time.Sleep(2 * tt.takes)
				x := goCall(context.Background(), c, &Call{})
				y := goCall(context.Background(), c, &Call{})
				synctest.Wait()
				if p.waiting() != 1 || q.waiting() != 1 {
					t.Fatalf("%d and %d calls came, not one each", p.waiting(), q.waiting())
				}
				p.ok(p.next().xid)
				q.ok(q.next().xid)
				for _, d := range []<-chan error{x, y} {
					if err := <-d; err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

// As long as all are away, they are alike; who is answered first has the calls
// until the others are.
func TestConnectionsThatComeBackAreTrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.setFail(syscall.ECONNREFUSED)
		c := w.client(Policy{}, func(o *Options) { o.Connections = 2 })
		var done []<-chan error
		for range 10 {
			done = append(done, goCall(context.Background(), c, &Call{}))
			synctest.Wait()
		}
		for i, ep := range c.core.endpoints {
			if n := ep.load.Load(); n != inTrouble+5 {
				t.Errorf("endpoint %d has a load of %d", i, n)
			}
		}
		w.setFail(nil)
		for range 2 {
			p := <-w.peers
			for range 5 {
				p.ok(p.next().xid)
			}
		}
		for _, d := range done {
			if err := <-d; err != nil {
				t.Fatal(err)
			}
		}
		for i, ep := range c.core.endpoints {
			if n := ep.load.Load(); n != 0 {
				t.Errorf("endpoint %d has a load of %d", i, n)
			}
		}
	})
}
