package e2e

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// grace is the server's grace period after a restart, in seconds.
const grace = 8

// restartedServer kills the server while locks are held, and has somebody try
// to get one of them all the time.
func restartedServer(t *testing.T, h *hosts, a, b *place) {
	t.Helper()
	whole := []string{"posix", "exclusive", "0", "0"}
	ranges := [][]string{
		{"posix", "exclusive", "0", "10"}, {"posix", "exclusive", "20", "10"}, {"ofd", "shared", "1000", "0"},
	}
	held := []*holding{a.start(t, "held", "hold", "restart", whole...)}
	for _, r := range ranges {
		held = append(held, a.start(t, "held", "hold", "ranges", r...))
	}
	own := b.start(t, "held", "hold", "own", whole...)

	stop, done := make(chan struct{}), make(chan struct{})
	var tries, got atomic.Int32
	go func() { // ends when stop is closed
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			cmd := w.command(t.Context(), 0, h.on, b.host, w.bin("locker"), "try", b.dir+"/restart", "posix", "exclusive", "0", "0")
			if err := cmd.Run(); err == nil {
				got.Add(1)
			}
			tries.Add(1)
			time.Sleep(50 * time.Millisecond)
		}
	}()
	h.crashServer(t, strconv.Itoa(grace))
	time.Sleep((grace + 3) * time.Second)
	close(stop)
	<-done
	if got.Load() > 0 || tries.Load() == 0 {
		t.Errorf("the lock was given to somebody else: %d of %d times", got.Load(), tries.Load())
	}
	for i, r := range ranges {
		if res := b.locker(t, "try", "ranges", "posix", "exclusive", r[2], r[3]); res.code != 1 {
			t.Errorf("range %d (%v) is not held any more: exit code %d %s", i, r, res.code, res.stderr)
		}
	}
	if res := a.locker(t, "try", "own", whole...); res.code != 1 {
		t.Errorf("the lock over the other mount is not held any more: exit code %d %s", res.code, res.stderr)
	}
	for _, l := range append(held, own) {
		l.release(t)
	}
	for _, file := range []string{"restart", "ranges", "own"} {
		if res := b.locker(t, "try", file, whole...); res.code != 0 {
			t.Errorf("%s cannot be locked after all gave it back: exit code %d %s", file, res.code, res.stderr)
		}
	}
}
