package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The variables of the environment by which the tests are told where they are.
const (
	enabledEnv = "GONFS_E2E"         // run the tests at all
	soakEnv    = "GONFS_SOAK"        // in their long form
	keepEnv    = "GONFS_E2E_KEEP"    // keep the work directories
	workEnv    = "GONFS_FAULTS_WORK" // set inside a network: the test's work directory
	binEnv     = "GONFS_FAULTS_BIN"  // likewise: where the commands are
)

// reason says why the tests cannot run; bin is where the commands were built.
var (
	reason = "tests of bad networks run with " + enabledEnv + "=1 (make test does)"
	bin    string
)

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(workEnv) == "" && os.Getenv(enabledEnv) != "" {
		if reason = missing(); reason == "" {
			os.Exit(outside(m))
		}
	}
	os.Exit(m.Run())
}

// outside builds the commands for the tests.
func outside(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "gonfs-faults-bin."); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		return 1
	}
	defer os.RemoveAll(bin)
	build := exec.Command("go", "build", "-o", bin+"/", "../../cmd/...", "../link")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "faults: %v: %v\n%s", build, err, out)
		return 1
	}
	if err := os.Symlink("mount.gonfs", filepath.Join(bin, "umount.gonfs")); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		return 1
	}
	return m.Run()
}

// missing tells what the tests need and do not find.
func missing() string {
	var absent []string
	for _, tool := range []string{"ganesha.nfsd", "rpcbind", "nft", "conntrack", "ip", "nsenter", "unshare", "ss", "fusermount3", "bash"} {
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
	for _, device := range []string{"/dev/fuse", "/dev/net/tun"} {
		if _, err := os.Stat(device); err != nil {
			return device + " is missing: " + err.Error()
		}
	}
	return ""
}

// soak tells whether the long forms are wanted.
func soak() bool { return os.Getenv(soakEnv) != "" }

// inNetwork runs a test in a network of its own, beside others.
func inNetwork(t *testing.T, test func(t *testing.T, n *network)) {
	t.Helper()
	if os.Getenv(workEnv) == "" {
		need(t)
		t.Parallel()
	}
	aloneInNetwork(t, test)
}

// aloneInNetwork does the same while no other test runs: its time is measured
// against itself.
func aloneInNetwork(t *testing.T, test func(t *testing.T, n *network)) {
	t.Helper()
	if work := os.Getenv(workEnv); work != "" {
		test(t, newNetwork(t, work))
		return
	}
	need(t)
	work, err := os.MkdirTemp("", "gonfs-faults.")
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(keepEnv) == "" {
		defer os.RemoveAll(work)
	} else {
		t.Log("work directory:", work)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	limit := 200 * time.Second
	if soak() {
		limit = 30 * time.Minute
	}
	// A process that waits for a mount may not be able to end: it all goes with
	// the first process of the namespace.
	ctx, cancel := context.WithTimeout(t.Context(), limit+5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "../rigs/network.sh", work, self, "-test.run="+only(t.Name(), flag.Lookup("test.run").Value.String()), "-test.v", "-test.timeout="+limit.String())
	cmd.Env = append(os.Environ(), workEnv+"="+work, binEnv+"="+bin)
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Fail()
	case err != nil:
		t.Fatal(err)
	case !strings.Contains(string(out), "--- PASS"):
		t.Error("nothing was run in the network")
	}
}

// only is the pattern (go help testflag) of one test, and of those of its
// subtests that were asked for.
func only(name, asked string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	// Of "A/b|C", who knows which part is meant.
	if more := strings.Split(asked, "/"); len(more) > len(parts) && !strings.Contains(asked, "|") {
		parts = append(parts, more[len(parts):]...)
	}
	return strings.Join(parts, "/")
}

// need skips a test that cannot run. In CI, what the tests were told to do
// they must do.
func need(t *testing.T) {
	t.Helper()
	switch {
	case reason == "":
	case os.Getenv(enabledEnv) != "" && os.Getenv("CI") != "":
		t.Fatal(reason)
	default:
		t.Skip(reason)
	}
}
