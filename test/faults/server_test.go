package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serve starts the server, with options of test/rigs/ganesha.sh, and stops it
// when the test ends.
func (n *network) serve(t *testing.T, options ...string) {
	t.Helper()
	backing := n.backing("")
	if _, err := os.Stat(backing); err != nil {
		if err := os.Mkdir(backing, 0o755); err != nil {
			t.Fatal(err)
		}
		// In memory: the tests are about the network.
		if err := syscall.Mount("gonfs-faults", backing, "tmpfs", 0, "mode=0755,size=1g"); err != nil {
			t.Fatalf("tmpfs: %v", err)
		}
		t.Cleanup(func() {
			if err := n.ganesha("status"); err != nil {
				t.Errorf("nfs-ganesha died during the test, see %s/server/ganesha.log (%s=1 keeps it)", n.dir, keepEnv)
			}
			if err := n.ganesha("down", "KILL"); err != nil {
				t.Error(err)
			}
		})
	}
	if err := n.ganesha("up", n.serving(options...)...); err != nil {
		t.Fatal(err)
	}
}

// serving are the options of test/rigs/ganesha.sh.
func (n *network) serving(options ...string) []string {
	return append([]string{"rpcbind=net", "bind=::", "exports=rw", "backing=" + n.backing("")}, options...)
}

// ganesha runs test/rigs/ganesha.sh for this network's server.
func (n *network) ganesha(command string, options ...string) error {
	args := append([]string{"--net=/run/netns/server", "../rigs/ganesha.sh", command, filepath.Join(n.dir, "server")}, options...)
	if out, err := exec.Command("nsenter", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ganesha.sh %s %v: %w\n%s", command, options, err, out)
	}
	return nil
}

// backing is where a file of the export lies on the server's own disk.
func (n *network) backing(name string) string {
	if name == "" {
		return filepath.Join(n.dir, "backing")
	}
	return filepath.Join(n.dir, "backing", "rw", name)
}

// signal sends nfs-ganesha a signal.
func (n *network) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(n.dir, "server", "ganesha.pid"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(strings.TrimSpace(string(text)), &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
	if s != syscall.SIGSTOP {
		return
	}
	for end := time.Now().Add(20 * time.Second); !stopped(t, pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d does not stop", pid)
		}
	}
}

// stopped tells whether all threads of a process have come to rest: until then
// they may answer.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("process %d has no threads: %v", pid, err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if _, state, ok := strings.Cut(string(text), ") "); err != nil || !ok || state[0] != 'T' {
			return false
		}
	}
	return true
}
