package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hosts is three hosts on one wire (test/rigs/hosts.sh): a server with locks,
// and the clients one and two.
type hosts struct {
	dir, on string
	backing string
}

// startHosts makes the hosts and starts the server. They end with the test.
func startHosts(t *testing.T) *hosts {
	t.Helper()
	w.names++
	h := &hosts{dir: filepath.Join(w.dir, fmt.Sprintf("hosts%d", w.names))}
	h.on, h.backing = filepath.Join(h.dir, "on"), filepath.Join(h.dir, "ex")
	if err := os.MkdirAll(h.backing, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("gonfs-e2e", h.backing, "tmpfs", 0, "mode=0755,size=256m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("../rigs/hosts.sh", "down", h.dir).CombinedOutput(); err != nil {
			t.Errorf("hosts.sh down: %v\n%s", err, out)
		}
		if err := syscall.Unmount(h.backing, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	h.rig(t, "../rigs/hosts.sh", "up", h.dir)
	h.startServer(t, "0")
	t.Cleanup(func() {
		if out, err := exec.Command("../rigs/ganesha.sh", "down", h.dir).CombinedOutput(); err != nil {
			t.Errorf("ganesha.sh down: %v\n%s", err, out)
		}
	})
	return h
}

// rig runs a script of test/rigs.
func (h *hosts) rig(t *testing.T, args ...string) {
	t.Helper()
	if r := w.run(t, 2*time.Minute, 0, args[0], args[1:]...); r.code != 0 {
		t.Fatalf("%s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
}

// startServer starts nfs-ganesha on the host server. For grace seconds it gives
// locks to those only that had them before.
func (h *hosts) startServer(t *testing.T, grace string) {
	t.Helper()
	rig, err := filepath.Abs("../rigs/ganesha.sh")
	if err != nil {
		t.Fatal(err)
	}
	h.rig(t, h.on, "server", rig, "up", h.dir, "rpcbind=host", "bind=::", "backing="+h.backing, "exports=rw", "grace="+grace)
}

// crashServer kills the server, and starts it again: it has lost all locks, and
// its status monitor tells those who had some.
func (h *hosts) crashServer(t *testing.T, grace string) {
	t.Helper()
	h.rig(t, "../rigs/ganesha.sh", "down", h.dir, "KILL")
	h.startServer(t, grace)
	h.rig(t, "../rigs/hosts.sh", "notify", h.dir)
}

// place is a mount on a host.
type place struct {
	h         *hosts
	host, dir string
	options   string
}

// mount mounts the export on a host.
func (h *hosts) mount(t *testing.T, host, options string) *place {
	t.Helper()
	p := &place{h, host, w.mountPoint(t, 0), "rw,proto=tcp," + options}
	p.mount(t)
	t.Cleanup(func() {
		_ = w.command(context.Background(), 0, h.on, host, "umount", "-l", p.dir).Run() // mostly it is unmounted already
	})
	return p
}

// mount mounts it, once more if its daemon was killed.
func (p *place) mount(t *testing.T) {
	t.Helper()
	r := w.run(t, 30*time.Second, 0, p.h.on, p.host, w.bin("mount.gonfs"), "nfsserver:/rw", p.dir, "-o", p.options)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("mount.gonfs on %s: exit code %d\n%s", p.host, r.code, r.stderr)
	}
}

// umount unmounts it.
func (p *place) umount(t *testing.T) {
	t.Helper()
	if r := w.run(t, 30*time.Second, 0, p.h.on, p.host, w.bin("umount.gonfs"), p.dir); r.code != 0 {
		t.Errorf("umount.gonfs on %s: exit code %d\n%s", p.host, r.code, r.stderr)
	}
}

// killDaemon ends the mount's daemon with SIGKILL, and takes the dead mount
// away.
func (p *place) killDaemon(t *testing.T) {
	t.Helper()
	killed := 0
	for _, line := range processes(t) {
		var pid int
		if _, err := fmt.Sscanf(line, "process /proc/%d/exe:", &pid); err == nil && strings.Contains(line, "mount.gonfs") && strings.Contains(line, p.dir) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			killed++
		}
	}
	if killed == 0 {
		t.Fatalf("no daemon of %s among:\n%s", p.dir, strings.Join(processes(t), "\n"))
	}
	p.h.rig(t, p.h.on, p.host, "umount", "-l", p.dir)
}

// locker runs the command of test/locker on a file of the place to its end.
func (p *place) locker(t *testing.T, verb, file string, args ...string) result {
	t.Helper()
	return w.run(t, 60*time.Second, 0, p.h.on, append([]string{p.host, w.bin("locker"), verb, filepath.Join(p.dir, file)}, args...)...)
}

// holding is a process that has a lock, or waits for one.
type holding struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan string // closed when it ended
	errs  *strings.Builder
}

// start has the command of test/locker work on a file of the place.
func (p *place) start(t *testing.T, first, verb, file string, args ...string) *holding {
	t.Helper()
	return p.h.process(t, p.host, first, append([]string{verb, filepath.Join(p.dir, file)}, args...)...)
}

// process starts the command of test/locker on a host, which says first when it
// came that far. It ends with the test.
func (h *hosts) process(t *testing.T, host, first string, args ...string) *holding {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	k := &holding{cmd: w.command(ctx, 0, h.on, append([]string{host, w.bin("locker")}, args...)...)}
	var err error
	if k.stdin, err = k.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := k.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	k.errs = new(strings.Builder)
	k.cmd.Stderr = k.errs
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.lines = make(chan string, 8)
	go func() { // ends with the process
		defer close(k.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			k.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = k.cmd.Wait() // killed, or ended before
	})
	k.says(t, first, 30*time.Second)
	return k
}

// says wants the next line of the process, within some time, to begin with
// want. It returns how long that took.
func (h *holding) says(t *testing.T, want string, within time.Duration) time.Duration {
	t.Helper()
	begin := time.Now()
	select {
	case line, ok := <-h.lines:
		if !ok {
			_ = h.cmd.Wait()
			t.Fatalf("%v ended and did not say %q: %s", h.cmd.Args[2:], want, h.errs)
		}
		if !strings.HasPrefix(line, want) {
			t.Fatalf("%v says %q, want %q", h.cmd.Args[2:], line, want)
		}
	case <-time.After(within):
		t.Fatalf("%v did not say %q within %v", h.cmd.Args[2:], want, within)
	}
	return time.Since(begin)
}

// silent wants the process to say nothing yet.
func (h *holding) silent(t *testing.T, why string) {
	t.Helper()
	select {
	case line := <-h.lines:
		t.Fatalf("%v says %q, though %s", h.cmd.Args[2:], line, why)
	default:
	}
}

// release gives the lock back and ends the process.
func (h *holding) release(t *testing.T) {
	t.Helper()
	h.stdin.Close()
	if err := h.cmd.Wait(); err != nil {
		t.Errorf("%v: %v: %s", h.cmd.Args[2:], err, h.errs)
	}
}

// kill ends the process with SIGKILL.
func (h *holding) kill(t *testing.T) {
	t.Helper()
	if err := h.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = h.cmd.Wait() // "signal: killed"
}
