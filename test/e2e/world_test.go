package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is the ordinary user of the tests.
const nobody = 65534

// world is what the tests stand on: a server, the built commands, and a
// directory.
type world struct {
	dir     string    // the work directory
	backing string    // what the server exports, on its own disk
	names   int       // of mount points, for their names
	made    time.Time // when the repository was
}

// newWorld starts the server in dir, where the commands are built.
func newWorld(dir string) (*world, error) {
	v := &world{dir: dir, backing: filepath.Join(dir, "ex")}
	for _, link := range []struct{ name, to string }{
		{"umount.gonfs", "mount.gonfs"}, {"mount.fuse.gonfs", "mount.gonfs"}, {"umount.fuse.gonfs", "mount.gonfs"},
	} {
		if err := os.Symlink(link.to, v.bin(link.name)); err != nil {
			return nil, err
		}
	}
	for _, d := range []struct {
		path  string
		owner int
	}{{v.backing, 0}, {v.home(0), 0}, {v.home(nobody), nobody}} {
		if err := os.Mkdir(d.path, 0o700); err != nil {
			return nil, err
		}
		if err := os.Chown(d.path, d.owner, d.owner); err != nil {
			return nil, err
		}
	}
	// The files are in memory: the tests are about the client, and ganesha's
	// handles work there, too.
	if err := syscall.Mount("gonfs-e2e", v.backing, "tmpfs", 0, "mode=0755,size=2g"); err != nil {
		return nil, fmt.Errorf("tmpfs: %w", err)
	}
	if out, err := exec.Command("../rigs/ganesha.sh", "up", dir, "rpcbind=net", "bind=::", "backing="+v.backing).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("ganesha.sh: %w\n%s", err, out)
	}
	return v, v.makeRepository()
}

// repository is a git repository on the server, of 100 files in 10 folders that
// nobody has touched since the tests began.
const repository = "repository"

// makeRepository makes it, on the server's own disk. Its files are old, so that
// git does not suspect them of having changed after it looked.
func (v *world) makeRepository() error {
	script := `git init -q .
for d in 0 1 2 3 4 5 6 7 8 9; do
	mkdir d$d
	for f in 0 1 2 3 4 5 6 7 8 9; do echo $d$f >d$d/f$f; done
done
find d? -exec touch -d 2020-01-01 {} +
git add . && git -c user.name=gonfs -c user.email=gonfs@example.com commit -q -m first`
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = filepath.Join(v.backing, "rw", repository)
	if err := os.Mkdir(cmd.Dir, 0o777); err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git: %w\n%s", err, out)
	}
	v.made = time.Now()
	return nil
}

// close stops the server. Its death would be a finding.
func (v *world) close() error {
	if err := exec.Command("../rigs/ganesha.sh", "status", v.dir).Run(); err != nil {
		return fmt.Errorf("nfs-ganesha died during the tests, see %s/ganesha.log (%s=1 keeps it)", v.dir, keepEnv)
	}
	return exec.Command("../rigs/ganesha.sh", "down", v.dir).Run()
}

// bin is the path of a command.
func (v *world) bin(name string) string { return filepath.Join(v.dir, "bin", name) }

// home is a directory of the user's own: HOME and XDG_RUNTIME_DIR.
func (v *world) home(uid int) string { return filepath.Join(v.dir, "home-"+strconv.Itoa(uid)) }

// command makes a command that uid runs; it is killed when ctx ends, and its
// pipes are given up a second later.
func (v *world) command(ctx context.Context, uid int, name string, args ...string) *exec.Cmd {
	if uid != 0 {
		id := strconv.Itoa(uid)
		args = append([]string{"--reuid=" + id, "--regid=" + id, "--clear-groups", name}, args...)
		name = "setpriv"
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "HOME="+v.home(uid), "XDG_RUNTIME_DIR="+v.home(uid), "TMPDIR="+v.home(uid), "LC_ALL=C.UTF-8")
	cmd.WaitDelay = time.Second
	return cmd
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
	took           time.Duration
}

// run runs a command to its end.
func (v *world) run(t *testing.T, limit time.Duration, uid int, name string, args ...string) result {
	t.Helper()
	cmd := v.command(within(t, limit), uid, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	err := cmd.Run()
	r := result{stdout: stdout.String(), stderr: stderr.String(), took: time.Since(begin)}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	case err != nil:
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return r
}

// check runs a script of test/checks as uid, and shows what it says.
func (v *world) check(t *testing.T, uid int, script string, args ...string) {
	t.Helper()
	r := v.run(t, 6*time.Minute, uid, "bash", append([]string{filepath.Join(v.dir, "checks", script)}, args...)...)
	t.Logf("%s, %.1f s\n%s%s", script, r.took.Seconds(), r.stdout, r.stderr)
	if r.code != 0 {
		t.Fatalf("%s: exit code %d", script, r.code)
	}
}
