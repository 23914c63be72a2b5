package faults

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestForgottenFlow: a router between us and the server forgot the connection
// while it was idle. The next call finds out soon.
func TestForgottenFlow(t *testing.T) {
	for _, c := range []struct {
		name  string
		reset bool
		limit time.Duration
	}{
		{"without a word", false, 5 * time.Second},
		{"and says so with RST", true, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			inNetwork(t, func(t *testing.T, n *network) {
				n.serve(t)
				n.translate(t, snat{ports: "40000-40007", reset: c.reset})
				fsys := n.dial(t, "proto=tcp")
				dir := n.mount(t, "proto=tcp,actimeo=0")
				ping(t, fsys)

				n.forget(t)
				atMost(t, "the next call", ping(t, fsys), c.limit)

				n.forget(t)
				begin := time.Now()
				if err := fsys.Mkdir(within(t, time.Minute), "made", 0o755); err != nil {
					t.Errorf("Mkdir: %v", err)
				}
				atMost(t, "the next MKDIR", time.Since(begin), c.limit)
				if _, err := os.Stat(n.backing("made")); err != nil {
					t.Errorf("MKDIR succeeded, but: %v", err)
				}

				n.forget(t)
				begin = time.Now()
				var st syscall.Statfs_t
				if err := syscall.Statfs(dir, &st); err != nil {
					t.Errorf("statfs on the mount: %v", err)
				}
				atMost(t, "the next call of a mount", time.Since(begin), c.limit)
			})
		})
	}
}
