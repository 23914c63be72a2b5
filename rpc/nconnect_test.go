package rpc

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
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
