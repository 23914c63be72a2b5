package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestChecksOfLocksNoticeLocksThatAreNone runs them where every mount has locks
// of its own: what they count must be wrong. On the server's own file system,
// through the same hosts, it must be right.
func TestChecksOfLocksNoticeLocksThatAreNone(t *testing.T) {
	need(t)
	h := startHosts(t)
	a, b := h.mount(t, "one", "nolock"), h.mount(t, "two", "nolock")
	for _, c := range [][]string{{"counter.sh", "times=300"}, {"append.sh", "lines=200"}} {
		r := h.run(t, c[0], a, b, c[1])
		if r.code == 0 || !strings.Contains(r.stdout, "FAIL") {
			t.Errorf("%s notices nothing: exit code %d\n%s%s", c[0], r.code, r.stdout, r.stderr)
		}
	}
	a.umount(t)
	b.umount(t)
	own := []*place{{h: h, host: "one", dir: h.backing + "/rw"}, {h: h, host: "two", dir: h.backing + "/rw"}}
	for _, c := range [][]string{{"counter.sh"}, {"append.sh", "lines=200"}, {"sqlite.sh", "txns=5"}} {
		h.check(t, c[0], own[0], own[1], c[1:]...)
	}
	nothingLeft(t)
}

// run runs a script of test/checks on both places.
func (h *hosts) run(t *testing.T, script string, a, b *place, args ...string) result {
	t.Helper()
	return w.run(t, 6*time.Minute, 0, "env", append([]string{"ON=" + h.on, "LOCKER=" + w.bin("locker"), "bash", w.dir + "/checks/" + script,
		a.host + ":" + a.dir, b.host + ":" + b.dir}, args...)...)
}

// check runs one that must find nothing.
func (h *hosts) check(t *testing.T, script string, a, b *place, args ...string) {
	t.Helper()
	r := h.run(t, script, a, b, args...)
	t.Logf("%s, %.1f s\n%s%s", script, r.took.Seconds(), r.stdout, r.stderr)
	if r.code != 0 {
		t.Errorf("%s: exit code %d", script, r.code)
	}
}
