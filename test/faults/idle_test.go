package faults

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestForgottenFlow: a router between us and the server forgot the connection
// while it was idle. The next call finds out soon.
func TestForgottenFlow(t *testing.T) {
	for _, c := range []struct {
		name    string
		ports   string
		reset   bool
		options string
		limit   time.Duration
	}{
		{"without a word", "40000-40999", false, "proto=tcp", 5 * time.Second},
		{"without a word, and has two ports for us", "40000-40001", false, "proto=tcp", 5 * time.Second},
		{"without a word, and was one of four", "40000-40999", false, "proto=tcp,nconnect=4", 5 * time.Second},
		{"and says so with RST", "40000-40999", true, "proto=tcp", time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			inNetwork(t, func(t *testing.T, n *network) {
				n.serve(t)
				n.translate(t, snat{ports: c.ports, reset: c.reset})
				fsys := n.dial(t, c.options)
				dir := n.mount(t, c.options+",actimeo=0")
				calls := keepCalling(t, fsys, 4)
				time.Sleep(100 * time.Millisecond)
				calls.stop()

				n.forget(t)
				begin := time.Now()
				calls = keepCalling(t, fsys, 4)
				time.Sleep(c.limit + 3*time.Second) // one that waits longer is cut short, and too long all the same
				calls.stop()
				took := calls.since(begin)
				n.atMost(t, "the slowest of the next calls", took[len(took)-1], c.limit)

				n.forget(t)
				begin = time.Now()
				if err := fsys.Mkdir(within(t, time.Minute), "made", 0o755); err != nil {
					t.Errorf("Mkdir: %v", err)
				}
				n.atMost(t, "the next MKDIR", time.Since(begin), c.limit)
				if _, err := os.Stat(n.backing("made")); err != nil {
					t.Errorf("MKDIR succeeded, but: %v", err)
				}

				n.forget(t)
				begin = time.Now()
				var st syscall.Statfs_t
				if err := syscall.Statfs(dir, &st); err != nil {
					t.Errorf("statfs on the mount: %v", err)
				}
				n.atMost(t, "the next call of a mount", time.Since(begin), c.limit)
			})
		})
	}
}

// TestKeepAlive: what passes when nobody calls keeps the router from
// forgetting the connection.
func TestKeepAlive(t *testing.T) {
	inNetwork(t, func(t *testing.T, n *network) {
		n.serve(t)
		n.translate(t, snat{ports: "40000-40007"})
		n.sysctl(t, "router", "net.netfilter.nf_conntrack_tcp_timeout_established=3")
		fsys := n.dial(t, "proto=tcp,keepalive=1")
		ping(t, fsys)
		trace := n.sniff(t)
		time.Sleep(8 * time.Second)
		if seen := trace.seen(); strings.Count(seen, ">A <A") < 3 || strings.Contains(seen, "S") {
			t.Errorf("packets while idle: %.60q, want probes and their answers", seen)
		}
		n.atMost(t, "a call after 8 s", ping(t, fsys), 300*time.Millisecond)
		if seen := trace.seen(); strings.Contains(seen, "S") {
			t.Errorf("packets: %.60q, want none of a new connection", seen)
		}
	})
}

// TestIdleConnectionEnds: a connection that nobody needs is given up, and a
// port with it.
func TestIdleConnectionEnds(t *testing.T) {
	inNetwork(t, func(t *testing.T, n *network) {
		n.serve(t)
		fsys := n.dial(t, "proto=tcp,idle=2")
		ping(t, fsys)
		if out, err := exec.Command("ss", "-Htan", "dport", "=", "2049").CombinedOutput(); err != nil || len(out) == 0 {
			t.Fatalf("there is no connection: %v\n%s", err, out)
		}
		time.Sleep(3 * time.Second)
		nothingLeft(t)
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			left := n.in(t, "server", "", "ss", "-Htn", "sport", "=", "2049")
			if left == "" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("the server still has:\n%s", left)
			}
		}
		n.atMost(t, "the next call", ping(t, fsys), time.Second)
	})
}
