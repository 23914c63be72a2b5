package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// copyBinary puts the test binary where others can execute it.
func copyBinary(t *testing.T, path string) {
	t.Helper()
	in, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		t.Fatal(err)
	}
}

// user is somebody without any rights.
const user = 65534

// An ordinary user mounts through fusermount3, sees the mount, and unmounts it.
func TestAsAnOrdinaryUser(t *testing.T) {
	needMounts(t)
	if _, err := exec.LookPath("fusermount3"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s := server(t)
	// Not t.TempDir, whose parents are root's. /run is the test's own.
	home := "/run/home"
	dir, runtime := home+"/mnt", home+"/runtime"
	for _, d := range []string{home, dir, runtime} {
		if err := errors.Join(os.Mkdir(d, 0o755), os.Chown(d, user, user)); err != nil {
			t.Fatal(err)
		}
	}
	// Where /dev/fuse is root's alone, another node for the same device is
	// not; it is seen in the test's mount namespace only.
	node := t.TempDir() + "/fuse"
	if err := errors.Join(unix.Mknod(node, unix.S_IFCHR|0o666, int(unix.Mkdev(10, 229))), os.Chmod(node, 0o666),
		unix.Mount(node, "/dev/fuse", "", unix.MS_BIND, "")); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount("/dev/fuse", unix.MNT_DETACH)
	bin := home + "/mount.gonfs"
	copyBinary(t, bin)
	run := func(name string, args ...string) outcome {
		cmd := command(name, args...)
		cmd.Path = bin
		cmd.Dir = home
		cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+runtime, "PATH=") // umount(8) leaves its helpers no PATH
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
		return finish(t, cmd)
	}

	if o := run("mount.gonfs", s.Export(), dir, "-o", s.MountOptions()); o.code != 0 {
		t.Fatalf("mount: %s", o)
	}
	if line := mountLine(t, dir); !strings.Contains(line, "nosuid,nodev") || !strings.Contains(line, "user_id=65534") {
		t.Errorf("the kernel shows %q", line)
	}
	if left, err := filepath.Glob(runtime + "/gonfs/*.mount"); err != nil || len(left) != 1 {
		t.Errorf("the record is not in XDG_RUNTIME_DIR: %v, %v", left, err)
	}
	if o := run("mount.gonfs", s.Export(), dir, "-o", "remount,ro"); o.code != 1 || !strings.Contains(o.stderr, "only root can remount") {
		t.Errorf("remount: %s", o)
	}
	// It goes there itself: until a child has its program, this process, and the
	// server in it, may stand still.
	in := exec.Command("sh", "-c", `cd "$0" && echo there && read end`, dir)
	in.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	out, err := in.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	leave, err := in.StdinPipe()
	if err := errors.Join(err, in.Start()); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "there\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if o := run("umount.gonfs", dir); o.code != 32 || !strings.Contains(o.stderr, "target is busy") {
		t.Errorf("umount of a mount that is used: %s", o)
	}
	_ = leave.Close()
	_ = in.Wait() // read had nothing to read
	if o := run("umount.gonfs", dir); o.code != 0 {
		t.Errorf("umount: %s", o)
	}
	if isMounted(t, dir) || len(daemons(t, dir)) > 0 {
		t.Error("something is left")
	}
	if left, err := os.ReadDir(runtime + "/gonfs"); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if o := finish(t, command("mount.gonfs", s.Export(), dir, "-o", s.MountOptions())); o.code != 0 {
		t.Fatalf("root's mount: %s", o)
	}
	if o := run("umount.gonfs", dir); o.code != 32 || !strings.Contains(o.stderr, "must be superuser to unmount what user 0 has mounted") {
		t.Errorf("umount of root's mount: %s", o)
	}
	if o := finish(t, command("umount.gonfs", dir)); o.code != 0 {
		t.Errorf("root's umount: %s", o)
	}
	if o := run("mount.gonfs", s.Export(), "/proc", "-o", s.MountOptions()); o.code != 32 {
		t.Errorf("on a directory that is not his: %s", o)
	}
}

// mount(8) and umount(8) find the helpers in /sbin by the type.
func TestThroughMountAndUmount(t *testing.T) {
	needMounts(t)
	s := server(t)
	over := t.TempDir()
	if err := unix.Mount("gonfs-test", over, "tmpfs", 0, ""); err != nil { // overlays want this kind of upper layer
		t.Fatal(err)
	}
	defer unix.Unmount(over, unix.MNT_DETACH)
	sbin, err := filepath.EvalSymlinks("/sbin")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(over+"/upper", 0o755), os.Mkdir(over+"/work", 0o755)); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("gonfs-test", sbin, "overlay", 0, "lowerdir="+sbin+",upperdir="+over+"/upper,workdir="+over+"/work"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("the helpers cannot be put into %s for the test: overlay: %v", sbin, err)
	}
	defer unix.Unmount(sbin, unix.MNT_DETACH)
	copyBinary(t, sbin+"/mount.gonfs")
	for _, name := range []string{"umount.gonfs", "mount.fuse.gonfs", "umount.fuse.gonfs"} {
		if err := os.Symlink("mount.gonfs", sbin+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) outcome {
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), beCommand+"=1", "GORACE=atexit_sleep_ms=0")
		return finish(t, cmd)
	}

	dir := t.TempDir()
	for _, typ := range []string{"gonfs", "fuse.gonfs"} {
		if o := run("mount", "-t", typ, s.Export(), dir, "-o", s.MountOptions()+",noatime,noauto,x-test,defaults"); o.code != 0 {
			t.Fatalf("mount -t %s: %s", typ, o)
		}
		if line := mountLine(t, dir); !strings.Contains(line, "noatime") {
			t.Errorf("the kernel shows %q", line)
		}
		if o := run("mount", "-o", "remount,ro", dir); o.code != 0 {
			t.Errorf("remount: %s", o)
		}
		if line := mountLine(t, dir); !strings.Contains(line, " ro,") || !strings.Contains(line, "noatime") {
			t.Errorf("after the remount the kernel shows %q", line)
		}
		if o := run("umount", dir); o.code != 0 {
			t.Errorf("umount: %s", o)
		}
		nothingLeft(t, dir)
	}
	if o := run("mount", "-t", "gonfs", s.Export(), dir, "-o", "vers=4"); o.code != 32 || !strings.HasPrefix(o.stderr, "mount.gonfs: ") {
		t.Errorf("exit code and message do not come through: %s", o)
	}
}
