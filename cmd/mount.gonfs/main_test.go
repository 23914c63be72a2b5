package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/cmd/internal/mounter"
	"github.com/gonfs/gonfs/nfstest"
)

// How the test binary is told to be something else.
const (
	beCommand = "GONFS_TEST_COMMAND" // the program, by the name in argv[0]
	inside    = "GONFS_TEST_INSIDE"  // the tests, in a mount namespace of their own
)

func TestMain(m *testing.M) {
	mounter.ChildMain() // the daemon of a mount
	if os.Getenv(beCommand) != "" {
		main()
	}
	if os.Geteuid() != 0 || os.Getenv(inside) != "" {
		os.Exit(m.Run())
	}
	// What the tests mount is seen by nobody else, and gone when they end.
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "a mount namespace for the tests:", err)
		os.Exit(1)
	}
	os.Exit(cmd.ProcessState.ExitCode())
}

// needMounts skips the test where nothing can be mounted, which in CI is a
// failure. It hides /run, with the mounts of others.
func needMounts(t *testing.T) {
	t.Helper()
	why := ""
	if os.Geteuid() != 0 {
		why = "mounting, in a namespace of the test's own, needs root"
	} else if fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		why = "/dev/fuse: " + err.Error()
	} else {
		unix.Close(fd)
	}
	if why != "" {
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	if err := unix.Mount("gonfs-test", "/run", "tmpfs", 0, "mode=0755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount("/run", unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// server is an NFS server on loopback.
func server(t *testing.T) *nfstest.Server {
	t.Helper()
	s := nfstest.New(nfstest.Options{})
	if err := s.Start("tcp", "udp"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, v := range s.Violations() {
			t.Errorf("the server complains: %v", v)
		}
	})
	return s
}

// outcome is what a command left.
type outcome struct {
	code        int
	out, stderr string
}

func (o outcome) String() string {
	return fmt.Sprintf("exit code %d, stdout %q, stderr %q", o.code, o.out, o.stderr)
}

// command returns the test binary as one of the four programs.
func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = name
	// The race detector lets a program sleep for a second at its end.
	cmd.Env = append(os.Environ(), beCommand+"=1", "GORACE=atexit_sleep_ms=0")
	return cmd
}

// finish runs cmd to its end.
func finish(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	// The daemon inherits stderr, and lets go of it when the mount is there.
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// must runs a program that has to succeed.
func must(t *testing.T, name string, args ...string) outcome {
	t.Helper()
	o := finish(t, command(name, args...))
	if o.code != 0 {
		t.Fatalf("%s %q: %s", name, args, o)
	}
	return o
}

// mounted mounts the export of s, with flags behind the operands, and returns
// where. The test fails if it is still there at its end.
func mounted(t *testing.T, s *nfstest.Server, options string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, "mount.gonfs", append([]string{s.Export(), dir, "-o", join(s.MountOptions(), options)}, flags...)...)
	t.Cleanup(func() {
		if isMounted(t, dir) {
			t.Errorf("%s was left mounted", dir)
			_ = unix.Unmount(dir, unix.MNT_DETACH)
		}
	})
	return dir
}

func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + "," + b
}

// mountLine returns the line of /proc/self/mounts for dir, or "".
func mountLine(t *testing.T, dir string) (line string) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(b)) {
		if f := strings.Fields(l); len(f) > 3 && f[1] == dir {
			line = strings.TrimSpace(l)
		}
	}
	return line
}

func isMounted(t *testing.T, dir string) bool { return mountLine(t, dir) != "" }

// nothingLeft checks that no record, socket or daemon is left of a mount.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	if isMounted(t, dir) {
		t.Errorf("%s is still mounted", dir)
	}
	if left, err := filepath.Glob("/run/gonfs/*"); err != nil || len(left) > 0 {
		t.Errorf("left in /run/gonfs: %v, %v", left, err)
	}
	pids := daemons(t, dir)
	for end := time.Now().Add(2 * time.Second); len(pids) > 0 && time.Now().Before(end); pids = daemons(t, dir) {
		time.Sleep(10 * time.Millisecond) // one that has told its command the outcome is about to end
	}
	if len(pids) > 0 {
		t.Errorf("daemons left: %v", pids)
	}
}

// daemons returns the processes whose command line has dir in it.
func daemons(t *testing.T, dir string) (pids []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if b, err := os.ReadFile(p); err == nil && bytes.Contains(b, []byte("\x00"+dir+"\x00")) {
			pids = append(pids, filepath.Base(filepath.Dir(p)))
		}
	}
	return pids
}
