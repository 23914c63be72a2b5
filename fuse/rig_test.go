package fuse

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// TestMain runs the tests, or what child asked of a process of its own.
func TestMain(m *testing.M) {
	if f, ok := children[os.Getenv("GONFS_TEST_CHILD")]; ok {
		f(os.Getenv("GONFS_TEST_PATH"))
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// root is the credential of root: the tests mount as root, or not at all.
var root = rpc.NewCred(0, 0, nil)

// newFS returns a file system of s, mounted with opts. It is closed at the end
// of the test, which fails if anything could not be saved.
func newFS(t testing.TB, s *nfstest.Server, opts string) (*client.FS, *mount.Session) {
	t.Helper()
	all := s.MountOptions()
	if opts != "" {
		all += "," + opts
	}
	o, err := mountopt.Parse(all)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := mountopt.ParseSpec(s.Export())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	session, err := mount.Dial(ctx, mount.Config{Spec: spec, Options: o, Cred: root, DialContext: s.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	fs, err := client.New(ctx, session, client.Options{Cred: root, Logger: testLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := fs.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		session.Close()
	})
	return fs, session
}

// testLogger logs to the test.
func testLogger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// needFUSE skips the test where FUSE cannot be had, which in CI is a failure.
func needFUSE(t testing.TB) {
	t.Helper()
	why := ""
	if os.Geteuid() != 0 {
		why = "mounting needs root"
	} else if fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		why = "/dev/fuse: " + err.Error()
	} else {
		unix.Close(fd)
	}
	if why == "" {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// mounted mounts a file system of s with opts and returns the mount. It is
// unmounted at the end of the test.
func mounted(t testing.TB, s *nfstest.Server, opts string) *Mounted {
	t.Helper()
	needFUSE(t)
	fs, session := newFS(t, s, opts)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "mnt")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	m, err := Mount(ctx, fs, Config{Dir: dir, Options: session.Options(), FsName: s.Export(), Logger: testLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := m.Unmount(ctx); err != nil {
			t.Error(err)
			if err := m.Abort(ctx); err != nil {
				t.Error(err)
			}
		}
	})
	return m
}

// within fails the test if f has not returned after d.
func within(t testing.TB, d time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { // ends with f
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(d):
		t.Fatalf("%s took more than %v", what, d)
	}
}
