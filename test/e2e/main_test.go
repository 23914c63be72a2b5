package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The variables of the environment by which the tests are told where they are.
const (
	enabledEnv = "GONFS_E2E"      // run the tests at all
	keepEnv    = "GONFS_E2E_KEEP" // keep the work directory
	workEnv    = "GONFS_E2E_WORK" // set inside the namespaces: the work directory
)

// w is the world of the tests; nil outside of it.
var w *world

// reason says why there is no world.
var reason = "end-to-end tests run with " + enabledEnv + "=1 (make test does)"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(workEnv) != "":
		os.Exit(inside(m))
	case os.Getenv(enabledEnv) != "":
		if reason = missing(); reason == "" {
			code, err := outside()
			if err != nil {
				fmt.Fprintln(os.Stderr, "e2e:", err)
			}
			os.Exit(code)
		}
	}
	os.Exit(m.Run())
}

// need skips a test that has no world. In CI, what the tests were told to do
// they must do.
func need(t *testing.T) {
	t.Helper()
	switch {
	case w != nil:
	case os.Getenv(enabledEnv) != "" && os.Getenv("CI") != "":
		t.Fatal(reason)
	default:
		t.Skip(reason)
	}
}

// missing tells what the tests need and do not find.
func missing() string {
	var absent []string
	for _, tool := range []string{"ganesha.nfsd", "rpcbind", "fusermount3", "rpc.statd", "dumpcap", "tshark", "fio", "git", "sqlite3", "setpriv", "unshare", "ip", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			absent = append(absent, tool)
		}
	}
	switch {
	case len(absent) > 0:
		return "not installed: " + strings.Join(absent, ", ") + " (as root, make test installs them)"
	case os.Getuid() != 0:
		return "must be root for namespaces and nfs-ganesha"
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return "no FUSE here: " + err.Error()
	}
	return ""
}

// outside builds the commands, and runs this test binary again in namespaces
// of its own. It returns that one's exit code.
func outside() (int, error) {
	work, err := os.MkdirTemp("", "gonfs-e2e.")
	if err != nil {
		return 1, err
	}
	if os.Getenv(keepEnv) == "" {
		defer os.RemoveAll(work)
	} else {
		fmt.Println("work directory:", work)
	}
	if err := os.Chmod(work, 0o755); err != nil { // for the ordinary user
		return 1, err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(work, "bin")+"/", "../../cmd/...", "../locker")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	// The ordinary user may not be able to enter the directory of the clone,
	// nor Go's own: what he needs is copied.
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return 1, fmt.Errorf("go env GOROOT: %w", err)
	}
	copies := exec.Command("cp", "-r", "../checks", filepath.Join(strings.TrimSpace(string(root)), "src", "net"), work)
	if out, err := copies.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("%v: %w\n%s", copies, err, out)
	}
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	inner := exec.Command("../rigs/netns.sh", append([]string{work, self}, os.Args[1:]...)...)
	inner.Env = append(os.Environ(), workEnv+"="+work)
	inner.Stdout, inner.Stderr = os.Stdout, os.Stderr
	inner.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = inner.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// inside runs the tests in the namespaces, around a server.
func inside(m *testing.M) int {
	v, err := newWorld(os.Getenv(workEnv))
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	w = v
	code := m.Run()
	if err := w.close(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return code
}

// within returns a context that bounds one command.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
