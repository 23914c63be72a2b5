package e2e

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

// installed puts what make install installs where mount(8) looks for it: in
// this namespace only.
func installed(t *testing.T) {
	t.Helper()
	root := filepath.Join(w.dir, "root")
	sbin, err := filepath.EvalSymlinks("/sbin")
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(root, "sbin")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", sbin, copied).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	for _, name := range []string{"mount.gonfs", "umount.gonfs", "mount.fuse.gonfs", "umount.fuse.gonfs"} {
		if err := os.Symlink(w.bin("mount.gonfs"), filepath.Join(copied, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount(copied, sbin, "", syscall.MS_BIND, ""); err != nil {
		t.Fatalf("bind over %s: %v", sbin, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(sbin, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// TestMountAndUmountOfTheSystem goes through mount(8), umount(8) and fstab.
func TestMountAndUmountOfTheSystem(t *testing.T) {
	need(t)
	installed(t)
	dir := w.mountPoint(t, 0)
	do := func(code int, name string, args ...string) result {
		t.Helper()
		r := w.run(t, 30*time.Second, 0, name, args...)
		if r.code != code {
			t.Fatalf("%s %s: exit code %d, want %d\n%s", name, strings.Join(args, " "), r.code, code, r.stderr)
		}
		return r
	}
	use := func() {
		t.Helper()
		file := filepath.Join(dir, "by-mount")
		if err := os.WriteFile(file, []byte("hello"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}

	do(0, "mount", "-t", "gonfs", "-o", "nolock", "nfsserver:/rw", dir)
	use()
	do(0, "umount", dir)
	nothingLeft(t)

	fstab := filepath.Join(w.dir, "fstab")
	line := fmt.Sprintf("[fd99::2]:/rw %s gonfs nolock,proto=tcp6,noauto 0 0\n", dir)
	if err := os.WriteFile(fstab, []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	do(0, "mount", "-T", fstab, dir)
	use()
	do(0, "umount", dir)
	nothingLeft(t)

	do(0, "mount", "-t", "gonfs", "-o", "nolock,ro", "nfsserver:/rw", dir)
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o644); err == nil {
		t.Error("a file was written on a mount with ro")
	}
	do(0, "umount", dir)
	nothingLeft(t)

	r := do(32, "mount", "-t", "gonfs", "nfsserver:/deny", dir)
	if !strings.Contains(r.stderr, "access denied by server while mounting nfsserver:/deny") {
		t.Errorf("stderr is %q", r.stderr)
	}
	nothingLeft(t)
}
