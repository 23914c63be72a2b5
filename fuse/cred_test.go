package fuse

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// sh runs a command of the shell as uid and gid with the groups, in dir. The
// shell goes there by itself: between fork and exec Go's runtime would hold a
// processor that is needed for the answer, and with GOMAXPROCS=1 for ever.
func sh(dir, command string, uid, gid uint32, groups ...uint32) (string, error) {
	cmd := exec.Command("/bin/sh", "-c", `cd "$0" && `+command, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid, Groups: groups}}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func setattr(t testing.TB, s *nfstest.Server, path string, a nfs3.Sattr) {
	t.Helper()
	if err := s.Setattr(path, &a); err != nil {
		t.Fatal(err)
	}
}

func set(v uint32) nfs3.SetUint32 { return nfs3.SetUint32{Set: true, Value: v} }

func TestCallsAreMadeAsTheProcessThatAsks(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	allow(t, m.Dir())
	if out, err := sh(m.Dir(), "umask 027; echo x > mine && mkdir dir && ln -s x link && mkfifo pipe", 1000, 2000); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for path, mode := range map[string]uint32{"mine": 0o640, "dir": 0o750, "link": 0o777, "pipe": 0o640} {
		a, err := s.Stat(path)
		if err != nil || a.UID != 1000 || a.GID != 2000 || a.Mode != mode {
			t.Errorf("%s belongs to %d:%d with mode %o, want 1000:2000 with %o; %v", path, a.UID, a.GID, a.Mode, mode, err)
		}
	}
}

func TestSupplementaryGroupsReachTheServer(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	allow(t, m.Dir())
	if err := s.Mkdir("team", 0o770); err != nil {
		t.Fatal(err)
	}
	setattr(t, s, "team", nfs3.Sattr{GID: set(3000), Mode: set(0o770)})
	if out, err := sh(m.Dir(), "echo x > team/a", 1000, 1000, 5, 3000); err != nil {
		t.Errorf("a member: %v: %s", err, out)
	}
	if out, err := sh(m.Dir(), "echo x > team/b", 1000, 1000, 5); err == nil || !strings.Contains(out, "ermission") {
		t.Errorf("a stranger: %v: %s", err, out)
	}
	if _, err := s.Stat("team/b"); !errors.Is(err, nfs3.ErrNoent) {
		t.Errorf("a stranger made a file: %v", err)
	}
}

// The server decides, whatever the mode bits say here.
func TestRootIsWhatTheServerTakesItFor(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{RootSquash: true})
	m := mounted(t, s, "")
	write(t, s, "secret", []byte("x"))
	setattr(t, s, "secret", nfs3.Sattr{UID: set(1000), Mode: set(0o600)})
	if _, err := os.ReadFile(filepath.Join(m.Dir(), "secret")); !errors.Is(err, os.ErrPermission) {
		t.Errorf("root reads a secret: %v", err)
	}
	f, err := os.Create(filepath.Join(m.Dir(), "new"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if a, err := s.Stat("new"); err != nil || a.UID != 65534 {
		t.Errorf("root's file belongs to %d, %v", a.UID, err)
	}
}

// The kernel writes back memory maps as nobody: uid 0, pid 0. To a server that
// does not trust root only the credential of the opener will do.
func TestMemoryMapsAreWrittenBackAsTheOpener(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{RootSquash: true})
	m := mounted(t, s, "")
	allow(t, m.Dir())
	write(t, s, "f", make([]byte, 8192))
	setattr(t, s, "f", nfs3.Sattr{UID: set(1000), Mode: set(0o600)})

	_, out := childAs(t, "mmap", filepath.Join(m.Dir(), "f"), &syscall.Credential{Uid: 1000, Gid: 1000})
	if line, _ := out.ReadString('\n'); line != "mmap: <nil>\n" {
		t.Fatalf("the child said %q", line)
	}
	if got, err := s.ReadFile("f"); err != nil || string(got[4090:4096]) != "mapped" {
		t.Errorf("%q, %v", got[4090:4096], err)
	}
}

// mapAndWrite writes to a file through a memory map. (A page fault on a mount of
// the same process would hold a processor of Go's runtime for as long as it
// waits for the answer.)
func mapAndWrite(path string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	data, err := unix.Mmap(fd, 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	copy(data[4090:], "mapped")
	if err := unix.Msync(data, unix.MS_SYNC); err != nil {
		return err
	}
	return unix.Munmap(data)
}

func TestAMountWithACredentialActsAsNobodyElse(t *testing.T) {
	needFUSE(t)
	s := nfstest.Start(t, nfstest.Options{})
	fs, session := newFS(t, s, "")
	dir := t.TempDir()
	m, err := Mount(t.Context(), fs, Config{Dir: dir, Options: session.Options(), Cred: rpc.NewCred(1000, 2000, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o600); err != nil {
		t.Error(err)
	}
	if err := m.Unmount(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, err := s.Stat("f"); err != nil || a.UID != 1000 || a.GID != 2000 {
		t.Errorf("%d:%d, %v", a.UID, a.GID, err)
	}
	if c, err := processCred(); err != nil || c.UID != 0 || c.GID != uint32(os.Getegid()) {
		t.Errorf("%+v, %v", c, err)
	}
}

// allow lets ordinary users reach a mount below t.TempDir.
func allow(t testing.TB, dir string) {
	t.Helper()
	for d := filepath.Dir(dir); d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
