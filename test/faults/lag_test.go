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
func (l *lag) allowance() time.Duration { return lagFactor * time.Duration(l.worst.Load()) }
