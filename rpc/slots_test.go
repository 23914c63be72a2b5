package rpc

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Who gets how many slots, and that waiting for one can be given up.
func TestSlots(t *testing.T) {
	for _, tt := range []struct {
		name                       string
		policy                     Policy
		normal, background, urgent int // calls made, in this order
		sent                       int // of them sent while none is answered
	}{
		{"normal calls leave eight slots", Policy{}, 300, 0, 0, 248},
		{"urgent calls use them", Policy{}, 300, 0, 20, 256},
		{"urgent calls may use all", Policy{}, 0, 0, 300, 256},
		{"background calls use half", Policy{}, 0, 300, 0, 124},
		{"normal calls get past them", Policy{}, 200, 300, 3, 200 + 48 + 3},
		{"over UDP the window holds them back", UDPPolicy(0, -1, Hard), 300, 0, 0, 8},
		{"over UDP, background", UDPPolicy(0, -1, Hard), 0, 300, 0, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				c := w.client(tt.policy)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				var done []<-chan error
				start := func(n int, k Call) {
					for range n {
						k := k
						done = append(done, goCall(ctx, c, &k))
					}
					synctest.Wait()
				}
				start(tt.normal, Call{})
				start(tt.background, Call{Background: true})
				start(tt.urgent, Call{Urgent: true})
				p := <-w.peers
				if got := p.waiting(); got != tt.sent {
					t.Errorf("%d calls sent, want %d", got, tt.sent)
				}
				seen := map[uint32]bool{}
				for range p.waiting() {
					xid := p.next().xid
					if seen[xid%slotCount] {
						t.Error("two calls in one slot")
					}
					seen[xid%slotCount] = true
				}
				cancel()
				for _, d := range done {
					if err := <-d; err != context.Canceled {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				s := c.Stats()
				if all := tt.normal + tt.background + tt.urgent; s.SlotWaits != uint64(all-tt.sent) || s.CallsInFlight != 0 {
					t.Errorf("%d waited, %d in flight", s.SlotWaits, s.CallsInFlight)
				}
				ep := c.core.endpoints[0]
				for cl := range classes {
					if ep.slots.used[cl] != 0 || ep.slots.queue[cl] != (queue{}) {
						t.Errorf("class %d: %d slots used, queue %v", cl, ep.slots.used[cl], ep.slots.queue[cl])
					}
				}
			})
		})
	}
}

// Calls that wait are served in the order in which they came.
func TestSlotsAreGivenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{})
		var done []<-chan error
		for i := range 400 {
			done = append(done, goCall(context.Background(), c, &Call{Proc: uint32(i), Background: i > 248 && i%2 == 1}))
			synctest.Wait()
		}
		p := <-w.peers
		for i := range 400 {
			h := p.next()
			if h.proc != uint32(i) {
				t.Fatalf("call %d came as number %d", h.proc, i)
			}
			p.ok(h.xid)
			synctest.Wait()
		}
		for _, d := range done {
			if err := <-d; err != nil {
				t.Error(err)
			}
		}
	})
}

// A slot that one call never leaves is passed over, and no XID comes twice.
func TestXIDsSkipSlotsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{})
		c.core.endpoints[0].slots.xid = 1<<32 - 300 // wraps on the way
		stuck := goCall(context.Background(), c, &Call{})
		p := <-w.peers
		last := p.next().xid
		first := last
		for range 2000 {
			done := goCall(context.Background(), c, &Call{})
			h := p.next()
			if d := h.xid - last; d == 0 || d > 2 || h.xid%slotCount == first%slotCount {
				t.Fatalf("XID %#x follows %#x", h.xid, last)
			}
			last = h.xid
			p.ok(h.xid)
			<-done
		}
		p.ok(first)
		if err := <-stuck; err != nil {
			t.Error(err)
		}
	})
}

func TestXIDsBeginAtRandom(t *testing.T) {
	a, b := NewClient(Options{Connections: 2}), NewClient(Options{})
	defer a.Close()
	defer b.Close()
	x, y, z := a.core.endpoints[0].slots.xid, a.core.endpoints[1].slots.xid, b.core.endpoints[0].slots.xid
	if x == y && y == z {
		t.Error("all XIDs begin alike")
	}
}

func TestWiden(t *testing.T) {
	for _, tt := range []struct {
		name         string
		window, lost int
		want         int
	}{
		{"a window of replies", 8, 0, 8},
		{"far below where calls were lost: the same", 4, 8, 4},
		{"before a window that was too wide: 32 windows", 7, 8, 7 * 32},
		{"in it", 8, 8, 8 * 32},
		{"the narrowest", 1, 1, 32},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := widen(tt.window, tt.lost); got != tt.want {
				t.Errorf("widen(%d, %d) = %d, want %d", tt.window, tt.lost, got, tt.want)
			}
		})
	}
}

// The window of datagrams widens by a call per window of replies, and halves.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.udp = true
		c := w.client(UDPPolicy(0, -1, Hard))
		ctx, cancel := context.WithCancel(context.Background())
		var done []<-chan error
		for range 1000 {
			done = append(done, goCall(ctx, c, &Call{}))
		}
		synctest.Wait()
		p := <-w.peers
		if got := p.waiting(); got != 8 {
			t.Errorf("begins with %d calls, want 8", got)
		}
		for range 200 {
			p.ok(p.next().xid)
			synctest.Wait()
		}
		if got := p.waiting(); got != maxWindow {
			t.Errorf("grows to %d calls, want %d", got, maxWindow)
		}
		for range 16 {
			p.next()
		}
		ep := c.core.endpoints[0]
		window := func() (now, lossy int) {
			ep.mu.Lock()
			defer ep.mu.Unlock()
			return ep.slots.window, ep.lossy
		}
		for range 16 {
			p.next() // retransmissions
		}
		synctest.Wait()
		if got, _ := window(); got != maxWindow/2 {
			t.Errorf("what was lost together leaves %d calls, want %d", got, maxWindow/2)
		}
		time.Sleep(seconds(8))
		synctest.Wait()
		if got, lossy := window(); got != 1 || lossy != maxWindow {
			t.Errorf("shrinks to %d calls, want 1; calls were lost with %d, want %d", got, lossy, maxWindow)
		}
		cancel()
		for _, d := range done {
			if err := <-d; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
}

// Those who wait for a slot do not wait, one after another, for the failures of
// those who have one.
func TestSoftCallsDoNotWaitForEachOthersFailures(t *testing.T) {
	for _, policy := range []Policy{UDPPolicy(0, -1, Soft), TCPPolicy(seconds(1), 2, SoftErr)} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t)
			c := w.client(policy)
			var done []<-chan error
			for range 400 {
				done = append(done, goCall(context.Background(), c, &Call{}))
			}
			for _, d := range done {
				var late *TimeoutError
				if err := <-d; !errors.As(err, &late) || late.After > 2*policy.Major() {
					t.Fatalf("got %v after %v; the major timeout is %v", err, time.Since(w.began), policy.Major())
				}
			}
			if n := c.Stats().CallsInFlight; n != 0 {
				t.Errorf("%d calls are left", n)
			}
		})
	}
}

// As long as others are answered, whoever waits for a slot waits on.
func TestSoftCallsWaitForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(TCPPolicy(seconds(1), 2, Soft)) // fails after 3 s
		var done []<-chan error
		for range 300 { // 124 at once
			done = append(done, goCall(context.Background(), c, &Call{Background: true}))
		}
		synctest.Wait()
		p := <-w.peers
		for range 3 {
			time.Sleep(seconds(2))
			answered := map[uint32]bool{}
			for range p.waiting() {
				if h := p.next(); !answered[h.xid] { // some come twice
					answered[h.xid] = true
					p.ok(h.xid)
				}
			}
			synctest.Wait()
		}
		for _, d := range done {
			if err := <-d; err != nil {
				t.Fatal(err)
			}
		}
	})
}
