package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestParameters(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       params
		refused    string
	}{
		{"nothing is a wire that does nothing to packets", "", params{hold: 2 * time.Millisecond}, ""},
		{"all of them", "delay=50ms loss=0.1 dup=0.2 late=1s reorder=0.3 hold=5ms corrupt=1",
			params{50 * time.Millisecond, 0.1, 0.2, 0.3, 1, time.Second, 5 * time.Millisecond}, ""},
		{"an unknown key", "rate=5", params{}, "not one of"},
		{"a share above 1", "loss=10", params{}, "from 0 to 1"},
		{"a share that is none", "loss=NaN", params{}, "from 0 to 1"},
		{"a time without a unit", "delay=50", params{}, "delay=20ms"},
		{"a time below zero", "delay=-1s", params{}, "delay=20ms"},
		{"a key without a value", "loss", params{}, "from 0 to 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(strings.Fields(c.line))
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("error %v, want one with %q", err, c.refused)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("parse returns %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

// arrivals notes when packets arrive.
type arrivals struct {
	mu      sync.Mutex // guards what follows
	begin   time.Time
	packets [][]byte
	after   []time.Duration
}

func (a *arrivals) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.packets = append(a.packets, p)
	a.after = append(a.after, time.Since(a.begin))
	return len(p), nil
}

// packet is an IPv4 packet without options whose payload is one byte.
func packet(n byte) []byte { return append([]byte{0x45}, append(make([]byte, 19), n)...) }

func TestWire(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name  string
		p     params
		order []byte // of the payloads that arrive
		after []time.Duration
	}{
		{"a wire that does nothing keeps the order", params{}, []byte{0, 1, 2}, []time.Duration{0, 0, 0}},
		{"all are delayed", params{delay: 50 * ms}, []byte{0, 1, 2}, []time.Duration{50 * ms, 50 * ms, 50 * ms}},
		{"all are lost", params{loss: 1}, nil, nil},
		{"all arrive twice", params{dup: 1}, []byte{0, 0, 1, 1, 2, 2}, make([]time.Duration, 6)},
		{"second copies are late", params{dup: 1, late: 9 * ms}, []byte{0, 1, 2, 0, 1, 2}, []time.Duration{0, 0, 0, 9 * ms, 9 * ms, 9 * ms}},
		{"all are held back", params{reorder: 1, hold: 2 * ms}, []byte{0, 1, 2}, []time.Duration{2 * ms, 2 * ms, 2 * ms}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := &arrivals{begin: time.Now()}
				w := newWire(got, 1)
				w.set(c.p)
				stop := make(chan struct{})
				for n := range byte(3) {
					w.take(packet(n), time.Now())
				}
				go w.deliver(stop)
				time.Sleep(time.Second)
				close(stop)
				synctest.Wait()
				var order []byte
				for _, p := range got.packets {
					order = append(order, p[20])
				}
				if !bytes.Equal(order, c.order) {
					t.Errorf("arrived: %v, want %v", order, c.order)
				}
				for i, after := range got.after {
					if i < len(c.after) && after != c.after[i] {
						t.Errorf("packet %d arrived after %v, want %v", i, after, c.after[i])
					}
				}
			})
		})
	}
}

// TestShares: over many packets each fault has the share that was asked for.
func TestShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := &arrivals{begin: time.Now()}
		w := newWire(got, 1)
		w.set(params{loss: 0.1, dup: 0.1, reorder: 0.1, corrupt: 0.1, hold: time.Millisecond})
		stop := make(chan struct{})
		go w.deliver(stop)
		const n = 5000
		for range n {
			w.take(packet(0), time.Now())
		}
		time.Sleep(time.Second)
		close(stop)
		synctest.Wait()
		s := w.set(params{})
		if s.in != n || s.out != n-s.lost+s.twice || len(got.packets) != s.out {
			t.Errorf("%v, %d arrived: do not add up", s, len(got.packets))
		}
		for name, count := range map[string]int{"lost": s.lost, "twice": s.twice, "held": s.held, "corrupt": s.corrupt} {
			if count < n*8/100 || count > n*12/100 {
				t.Errorf("%s: %d of %d, want about a tenth", name, count, n)
			}
		}
		for _, p := range got.packets {
			if p[0] != 0x45 || !bytes.Equal(p[1:20], make([]byte, 19)) {
				t.Fatalf("an IP header was corrupted: %x", p)
			}
		}
	})
}
