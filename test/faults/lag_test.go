package faults

import (
	"sync/atomic"
	"testing"
	"time"
)

// lag is how late this machine is: by how much a sleep was too long at worst,
// since the test began. Tests run side by side, and beside other work.
type lag struct{ worst atomic.Int64 }

// lagFactor is how often something that takes a moment waits for its turn: the
// caller, the kernel, the router and the server have each to run, some twice.
const lagFactor = 20

// lagMost is the most that is allowed for, or a tenth of the limit where that is
// longer. A stall of a second must not excuse one of twenty: calls that never
// end are cut short 3 s after their limit, and have to be seen to break it.
const lagMost = 2 * time.Second

// watchLag measures until the test ends.
func watchLag(t *testing.T) *lag {
	l := new(lag)
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() { // ends with the test
		const pause = 5 * time.Millisecond
		for {
			begin := time.Now()
			select {
			case <-done:
				return
			case <-time.After(pause):
			}
			if late := int64(time.Since(begin) - pause); late > l.worst.Load() {
				l.worst.Store(late)
			}
		}
	}()
	return l
}

// allowance is what a limit of time leaves to a machine that is late. On an idle
// one it is a few hundredths of a second.
func (l *lag) allowance(limit time.Duration) time.Duration {
	return min(lagFactor*time.Duration(l.worst.Load()), max(lagMost, limit/10))
}

func TestALateMachineIsAllowedForAndNotMore(t *testing.T) {
	for _, tt := range []struct {
		name               string
		worst, limit, want time.Duration
	}{
		{"one that is on time", 0, time.Second, 0},
		{"one that is idle", 2 * time.Millisecond, time.Second, 40 * time.Millisecond},
		{"one that is busy", 80 * time.Millisecond, time.Second, 1600 * time.Millisecond},
		{"one that stood still", time.Second, time.Second, 2 * time.Second},
		{"one that stood still, in a long test", time.Second, time.Minute, 6 * time.Second},
	} {
		l := new(lag)
		l.worst.Store(int64(tt.worst))
		if got := l.allowance(tt.limit); got != tt.want {
			t.Errorf("%s: %v beyond %v, want %v", tt.name, got, tt.limit, tt.want)
		}
	}
}
