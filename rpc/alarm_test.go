package rpc

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestInstants(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name string
		t    instant
		d    time.Duration
		want instant
	}{
		{"a moment later", 5, 3, 8},
		{"a moment earlier", 5, -3, 2},
		{"nothing is later than the end of time", never - 5, day, never - 1},
		{"nor is it never", 1, 1<<63 - 1, never - 1},
	} {
		if got := tt.t.add(tt.d); got != tt.want {
			t.Errorf("%s: %d + %d = %d, want %d", tt.name, tt.t, tt.d, got, tt.want)
		}
	}
	if start == start.Round(0) {
		t.Error("instants are told by the wall clock, which NTP may put decades ahead")
	}
	if now() <= 0 {
		t.Error("an instant of the machine's clock may be taken for none")
	}
	synctest.Test(t, func(t *testing.T) {
		if now() <= 0 {
			t.Error("an instant of synctest's clock may be taken for none")
		}
	})
}

// Calls that end leave the alarm as it is: it rings for the earliest of those
// that are left, each at its own moment.
func TestEachCallIsWokenAtItsOwnMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(TCPPolicy(seconds(10), 0, Soft))
		var ends []<-chan error
		began := time.Now()
		for i := range 3 {
			ends = append(ends, goCall(context.Background(), c, &Call{Proc: uint32(i + 1)}))
			time.Sleep(seconds(2))
		}
		p := <-w.peers
		first := p.next()
		p.ok(first.xid)
		if err := <-ends[0]; err != nil {
			t.Fatal(err)
		}
		for i, end := range ends[1:] {
			err := <-end
			if got, want := time.Since(began), seconds(10+2*(i+1)); err == nil || got != want {
				t.Errorf("call %d ended with %v after %v, want a timeout after %v", i+2, err, got, want)
			}
		}
	})
}
