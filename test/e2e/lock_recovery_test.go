package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// deadDaemon kills the daemon of a. Its locks are freed by its successor, or by
// the other daemon of the host; those of the other stay.
func deadDaemon(t *testing.T, a, b *place, sibling bool) {
	t.Helper()
	whole := []string{"posix", "exclusive", "0", "0"}
	held := a.start(t, "held", "hold", "theirs", whole...)
	own := b.start(t, "held", "hold", "ours", whole...)
	waits := b.start(t, "waiting", "wait", "theirs", whole...)
	time.Sleep(200 * time.Millisecond)
	waits.silent(t, "the lock is held over the other mount")
	a.killDaemon(t)
	if !sibling {
		a.mount(t)
	}
	took := waits.says(t, "held", 20*time.Second)
	t.Logf("freed after %v", took.Round(time.Millisecond))
	if sibling {
		a.mount(t)
	}
	held.kill(t)
	if res := a.locker(t, "try", "ours", whole...); res.code != 1 {
		t.Errorf("the other daemon's lock is not held any more: exit code %d %s", res.code, res.stderr)
	}
	if res := a.locker(t, "try", "theirs", whole...); res.code != 1 {
		t.Errorf("the lock of who waited is not held: exit code %d %s", res.code, res.stderr)
	}
	waits.release(t)
	own.release(t)
}

// TestARestartOfAClientsHost restarts a host: what it is told apart by, the
// kernel's boot_id, is another one. Its first daemon tells the server, which
// frees what the host had locked, though no daemon of it knows of the lock.
func TestARestartOfAClientsHost(t *testing.T) {
	need(t)
	h := startHosts(t)
	a, b := h.mount(t, "one", "lock"), h.mount(t, "two", "lock")
	whole := []string{"posix", "exclusive", "0", "0"}
	held := b.start(t, "held", "hold", "reboot", whole...)
	waits := a.start(t, "waiting", "wait", "reboot", whole...)
	b.killDaemon(t)
	held.kill(t)
	h.rig(t, "../rigs/hosts.sh", "reboot", h.dir, "two")
	waits.silent(t, "the lock is held by the host that was restarted")
	b.mount(t)
	waits.says(t, "held", 40*time.Second)
	waits.release(t)
	a.umount(t)
	b.umount(t)
	text, err := os.ReadFile(filepath.Join(h.dir, "server", "statd.log"))
	if n := strings.Count(string(text), "Received SM_NOTIFY from clienttwo, state: 3"); err != nil || n == 0 || n > 2 { // once more, if its answer takes 2 s
		t.Errorf("the server's rpc.statd was told %d times (%v):\n%s", n, err, text)
	}
	nothingLeft(t)
}
