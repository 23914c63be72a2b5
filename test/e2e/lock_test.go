package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestLocks has programs lock files of one export over two mounts: on two hosts,
// one of them with rpc.statd and one without, and on one host, which is one
// host to the server, too.
func TestLocks(t *testing.T) {
	need(t)
	for _, layout := range []struct{ name, first, second string }{
		{"two hosts", "one", "two"},
		{"one host", "one", "one"},
	} {
		t.Run(layout.name, func(t *testing.T) {
			h := startHosts(t)
			a, b := h.mount(t, layout.first, "lock"), h.mount(t, layout.second, "lock")
			t.Run("F_GETLK names the conflicting range", func(t *testing.T) { getlkNames(t, a, b) })
			t.Run("a released lock is granted to who waits", func(t *testing.T) { waiterGets(t, a, b, true) })
			t.Run("kill -9 of a holder frees its lock", func(t *testing.T) { deadHolder(t, a, b) })
			t.Run("kill -9 of who waits leaves nothing behind", func(t *testing.T) { deadWaiter(t, a, b) })
			t.Run("processes count", func(t *testing.T) { h.check(t, "counter.sh", a, b) })
			t.Run("processes append", func(t *testing.T) { h.check(t, "append.sh", a, b) })
			t.Run("sqlite", func(t *testing.T) { h.check(t, "sqlite.sh", a, b) })
			t.Run("a server that was restarted", func(t *testing.T) { restartedServer(t, h, a, b) })
			t.Run("kill -9 of a daemon frees its locks", func(t *testing.T) { deadDaemon(t, a, b, layout.first == layout.second) })
			a.umount(t)
			b.umount(t)
			nothingLeft(t)
		})
	}
}

// TestLocksWithoutCallbacks has another lockd on the host: ours is not
// registered, and must ask again and again.
func TestLocksWithoutCallbacks(t *testing.T) {
	need(t)
	h := startHosts(t)
	squat := h.process(t, "two", "registered", "squat", "100021", "4")
	a, b := h.mount(t, "one", "lock"), h.mount(t, "two", "lock")
	waiterGets(t, a, b, false)
	r := w.run(t, 10*time.Second, 0, h.on, "two", "rpcinfo", "-p")
	a.umount(t)
	b.umount(t)
	if !strings.Contains(r.stdout, "100021") {
		t.Errorf("the other lockd's registration is gone:\n%s", r.stdout)
	}
	squat.release(t)
	nothingLeft(t)
}

// getlkNames locks ranges over one mount, and asks over the other.
func getlkNames(t *testing.T, a, b *place) {
	t.Helper()
	for _, k := range []struct{ hold, kind, ask, want string }{
		{"exclusive 100 50", "posix", "shared 0 0", "exclusive 100 50"},
		{"shared 100 0", "posix", "exclusive 4000000000 1", "shared 100 0"},
		{"shared 100 50", "posix", "shared 0 0", "free"},
		{"exclusive 100 50", "posix", "exclusive 0 100", "free"},
		{"exclusive 9223372036854775000 100", "ofd", "exclusive 9223372036854775050 1", "exclusive 9223372036854775000 100"},
		{"exclusive 0 0", "flock", "shared 77 1", "exclusive 0 0"},
	} {
		held := a.start(t, "held", "hold", "getlk", append([]string{k.kind}, strings.Fields(k.hold)...)...)
		kind := k.kind
		if kind == "flock" { // at a server it is a lock of the whole file
			kind = "posix"
		}
		r := b.locker(t, "test", "getlk", append([]string{kind}, strings.Fields(k.ask)...)...)
		if got := strings.TrimSpace(r.stdout); got != k.want || r.code != 0 {
			t.Errorf("held %s (%s), asked for %s: %q, want %q; %s", k.hold, k.kind, k.ask, got, k.want, r.stderr)
		}
		held.release(t)
	}
}

// waiterGets has somebody wait for a lock, and releases it. called says that the
// server calls back: a poll would be later.
func waiterGets(t *testing.T, a, b *place, called bool) {
	t.Helper()
	for i, kind := range []string{"posix", "ofd", "flock"} {
		// Long enough that it waits at the server, and that polling has slowed down.
		wait, limit := 1500*time.Millisecond, 10*time.Second
		if called && i == 0 { // the next poll is 4 s after this one
			wait, limit = 3500*time.Millisecond, 3*time.Second
		}
		args := []string{kind, "exclusive", "0", "0"}
		held := a.start(t, "held", "hold", "wait", args...)
		waits := b.start(t, "waiting", "wait", "wait", args...)
		time.Sleep(wait)
		waits.silent(t, "the lock is held over the other mount")
		begin := time.Now()
		held.release(t)
		waits.says(t, "held", limit-time.Since(begin))
		t.Logf("%s: granted %v after the release", kind, time.Since(begin).Round(time.Millisecond))
		if r := a.locker(t, "try", "wait", args...); r.code != 1 {
			t.Errorf("%s: exit code %d of who tries what is held over the other mount: %s", kind, r.code, r.stderr)
		}
		waits.release(t)
	}
}

// deadHolder kills a process that has a lock.
func deadHolder(t *testing.T, a, b *place) {
	t.Helper()
	args := []string{"posix", "exclusive", "0", "0"}
	held := a.start(t, "held", "hold", "dead", args...)
	waits := b.start(t, "waiting", "wait", "dead", args...)
	time.Sleep(200 * time.Millisecond)
	waits.silent(t, "the lock is held over the other mount")
	held.kill(t)
	waits.says(t, "held", 10*time.Second)
	waits.release(t)
}

// deadWaiter kills a process that waits for a lock: nobody has it afterwards.
func deadWaiter(t *testing.T, a, b *place) {
	t.Helper()
	args := []string{"posix", "exclusive", "0", "0"}
	held := a.start(t, "held", "hold", "waiter", args...)
	waits := b.start(t, "waiting", "wait", "waiter", args...)
	time.Sleep(200 * time.Millisecond)
	begin := time.Now()
	waits.kill(t)
	if took := time.Since(begin); took > 5*time.Second { // some milliseconds here
		t.Errorf("the process that waited ended after %v", took)
	}
	held.release(t)
	// A grant that was on its way may have it for a moment.
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r := a.locker(t, "try", "waiter", args...)
		if r.code == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the lock that nobody waits for any more cannot be had: %s", r.stderr)
		}
	}
}
