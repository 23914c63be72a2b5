package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// hold opens a file of the mount, so that it is busy.
func hold(t *testing.T, dir string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "held"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// eventually waits for what happens after a command has returned.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

func TestABusyMountStays(t *testing.T) {
	needMounts(t)
	dir := mounted(t, server(t), "")
	f := hold(t, dir)
	o := finish(t, command("umount.gonfs", dir))
	if o.code != 32 || !strings.HasPrefix(o.stderr, "umount.gonfs: "+dir+": target is busy") {
		t.Errorf("got %s", o)
	}
	if !isMounted(t, dir) {
		t.Error("it is gone")
	}
	f.Close()
	must(t, "umount.gonfs", dir)
	nothingLeft(t, dir)
}

func TestABusyMountBecomesReadOnly(t *testing.T) {
	needMounts(t)
	dir := mounted(t, server(t), "noexec")
	if err := os.WriteFile(dir+"/file", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(dir + "/file") // for reading: writers keep it read-write
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	must(t, "umount.gonfs", "-r", dir)
	if line := mountLine(t, dir); !strings.Contains(line, " ro,") {
		t.Errorf("the kernel shows %q", line)
	}
	f.Close()
	must(t, "umount.gonfs", dir)
}

func TestALazyUnmountEndsWithItsLastUser(t *testing.T) {
	needMounts(t)
	dir := mounted(t, server(t), "")
	f := hold(t, dir)
	must(t, "umount.gonfs", "-l", dir)
	if isMounted(t, dir) {
		t.Error("it is still to be seen")
	}
	if _, err := f.WriteString("still here"); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, "the daemon ends", func() bool { return len(daemons(t, dir)) == 0 })
	nothingLeft(t, dir)
}

func TestUnmountByForceWhileTheServerIsAway(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := mounted(t, s, "")
	if err := os.WriteFile(dir+"/file", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.Freeze()
	stuck := make(chan error, 1)
	go func() { // ends when the mount does
		_, err := os.ReadDir(dir)
		stuck <- err
	}()
	time.Sleep(50 * time.Millisecond) // until it waits for the server; sooner does no harm
	began := time.Now()
	o := finish(t, command("umount.gonfs", "-f", dir))
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it took %v", took)
	}
	select {
	case <-stuck:
	case <-time.After(20 * time.Second):
		t.Error("a program still waits for the server")
	}
	if o.code != 0 { // the reader may have kept it busy for a moment
		must(t, "umount.gonfs", "-f", dir)
	}
	s.Thaw()
	eventually(t, "the daemon ends", func() bool { return len(daemons(t, dir)) == 0 })
	nothingLeft(t, dir)
}

func TestUnmountBySource(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := mounted(t, s, "")
	must(t, "umount.gonfs", s.Export())
	nothingLeft(t, dir)
}

func TestUnmountThroughASymbolicLink(t *testing.T) {
	needMounts(t)
	dir := mounted(t, server(t), "")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Dir(dir), link); err != nil {
		t.Fatal(err)
	}
	must(t, "umount.gonfs", filepath.Join(link, filepath.Base(dir)))
	nothingLeft(t, dir)
}

func TestWhatCannotBeUnmounted(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		args []string
		code int
		text string
	}{
		"nothing":             {nil, 1, "one mount point is expected: got 0 operands; umount.gonfs --help explains"},
		"an empty name":       {[]string{""}, 32, "an empty name: not mounted"},
		"a plain directory":   {[]string{dir}, 32, dir + ": not mounted"},
		"what does not exist": {[]string{dir + "/none"}, 32, dir + "/none: not mounted"},
		"another mount":       {[]string{"/proc"}, 32, "/proc: is no mount of gonfs but of type proc"},
		"another type":        {[]string{dir, "-t", "nfs"}, 1, `type "nfs" is not gonfs; umount.gonfs --help explains`},
	} {
		o := finish(t, command("umount.gonfs", tt.args...))
		if o.code != tt.code || o.stderr != "umount.gonfs: "+tt.text+"\n" {
			t.Errorf("%s: %s\nwant code %d, %q", name, o, tt.code, tt.text)
		}
	}
}

// A mount that was unmounted lazily lives on. Where the record of the one above
// it is missing, only that of the other is at the same directory.
func TestUnmountByForceSparesADaemonThatLivesOn(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := mounted(t, s, "")
	// Another process writes: each start of a program closes, and so flushes, what
	// this one has open.
	writer := exec.Command("dd", "of="+filepath.Join(dir, "held"), "conv=fsync", "status=none")
	data, err := writer.StdinPipe()
	if err == nil {
		err = writer.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the file is open", func() bool { _, err := os.Stat(filepath.Join(dir, "held")); return err == nil })
	must(t, "umount.gonfs", "-l", dir)
	others, err := filepath.Glob("/run/gonfs/*.mount")
	if err != nil || len(others) != 1 {
		t.Fatalf("records: %v, %v", others, err)
	}
	must(t, "mount.gonfs", s.Export(), dir, "-o", s.MountOptions())
	all, err := filepath.Glob("/run/gonfs/*.mount")
	if err != nil || len(all) != 2 {
		t.Fatalf("records: %v, %v", all, err)
	}
	for _, name := range all {
		if name != others[0] {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	// What is written cannot be saved within a second, and would be given up.
	writing := make(chan bool, 16)
	s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Do: []nfstest.Action{nfstest.DelayCall(3 * time.Second)},
		If: func(*nfstest.Call) bool { writing <- true; return true }})
	if _, err := data.Write([]byte("still here")); err != nil {
		t.Error(err)
	}
	data.Close()
	<-writing
	must(t, "umount.gonfs", "-f", dir)
	if err := writer.Wait(); err != nil {
		t.Errorf("the other mount: %v", err)
	}
	eventually(t, "the daemons end", func() bool { return len(daemons(t, dir)) == 0 })
	nothingLeft(t, dir)
}

// A daemon that was killed leaves a mount that answers nothing. The next mount
// of the same export takes its place.
func TestMountOverADeadMount(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := mounted(t, s, "")
	kill(t, dir, syscall.SIGKILL)
	eventually(t, "the daemon dies", func() bool { return len(daemons(t, dir)) == 0 })
	if _, err := os.ReadDir(dir); err == nil {
		t.Error("the mount answers without its daemon")
	}
	must(t, "mount.gonfs", s.Export(), dir, "-o", s.MountOptions())
	if err := os.WriteFile(dir+"/file", nil, 0o644); err != nil {
		t.Error(err)
	}
	must(t, "umount.gonfs", dir)
	nothingLeft(t, dir)
}

func TestADeadMountCanBeUnmounted(t *testing.T) {
	needMounts(t)
	s := server(t)
	least := time.Hour
	for range 3 { // the machine may be late
		dir := mounted(t, s, "")
		kill(t, dir, syscall.SIGKILL)
		eventually(t, "the daemon dies", func() bool { return len(daemons(t, dir)) == 0 })
		began := time.Now()
		must(t, "umount.gonfs", dir)
		if least = min(least, time.Since(began)); isMounted(t, dir) {
			t.Error("it is still mounted")
		}
	}
	if least > 900*time.Millisecond { // 20 ms: there is nobody to wait for
		t.Errorf("it took %v at least", least)
	}
}

// Who sees a mount must be able to tell whether its daemon lives.
func TestAMountHasItsRecordAsSoonAsItIsSeen(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := t.TempDir()
	cmd := command("mount.gonfs", s.Export(), dir, "-o", s.MountOptions())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); !isMounted(t, dir); {
		if time.Now().After(end) {
			t.Fatal("it is not mounted within 20 s")
		}
	}
	if recs, err := filepath.Glob("/run/gonfs/*.mount"); err != nil || len(recs) != 1 {
		t.Errorf("records: %v, %v", recs, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	must(t, "umount.gonfs", dir)
	nothingLeft(t, dir)
}

// Its record may be where this user does not look: in another XDG_RUNTIME_DIR.
func TestAMountWithoutARecordIsNotTakenForADeadOne(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := mounted(t, s, "")
	if err := os.Rename("/run/gonfs", "/run/elsewhere"); err != nil {
		t.Fatal(err)
	}
	for _, away := range []bool{false, true} {
		if away {
			s.Freeze()
		}
		o := finish(t, command("mount.gonfs", s.Export(), dir, "-o", s.MountOptions()))
		if want := "mount.gonfs: " + dir + " is busy or already mounted or sharecache fail\n"; o.code != 32 || o.stderr != want {
			t.Errorf("with the server away: %v: got %s", away, o)
		}
		if n := len(daemons(t, dir)); n != 1 {
			t.Errorf("with the server away: %v: %d daemons", away, n)
		}
	}
	s.Thaw()
	if err := os.RemoveAll("/run/gonfs"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("/run/elsewhere", "/run/gonfs"); err != nil {
		t.Fatal(err)
	}
	must(t, "umount.gonfs", dir)
	nothingLeft(t, dir)
}

func TestTheSameMountTwiceIsRefused(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := mounted(t, s, "noac") // so that the kernel asks us what its root is
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Dir(dir), link); err != nil {
		t.Fatal(err)
	}
	for _, away := range []bool{false, true} {
		if away {
			s.Freeze()
		}
		for _, dir := range []string{dir, filepath.Join(link, filepath.Base(dir))} {
			o := finish(t, command("mount.gonfs", s.Export(), dir, "-o", s.MountOptions()))
			if want := "mount.gonfs: " + dir + " is busy or already mounted or sharecache fail\n"; o.code != 32 || o.stderr != want {
				t.Errorf("with the server away: %v: got %s", away, o)
			}
		}
	}
	s.Thaw()
	must(t, "umount.gonfs", dir)
	nothingLeft(t, dir)
}

// A signal unmounts a mount that nobody uses.
func TestSIGTERMUnmounts(t *testing.T) {
	needMounts(t)
	dir := mounted(t, server(t), "")
	kill(t, dir, syscall.SIGTERM)
	eventually(t, "the daemon ends", func() bool { return len(daemons(t, dir)) == 0 })
	nothingLeft(t, dir)
}

func kill(t *testing.T, dir string, sig syscall.Signal) {
	t.Helper()
	pids := daemons(t, dir)
	if len(pids) != 1 {
		t.Fatalf("daemons of %s: %v", dir, pids)
	}
	pid, err := strconv.Atoi(pids[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}

// In the foreground the process serves the mount itself, and tells systemd.
func TestForeground(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := t.TempDir()
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/run/notify", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	cmd := command("mount.gonfs", "--foreground", s.Export(), dir, "-o", s.MountOptions())
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET=/run/notify")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := notify.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, err := notify.Read(b); err != nil || string(b[:n]) != "READY=1" {
		t.Errorf("systemd is told %q, %v", b[:n], err)
	}
	if !isMounted(t, dir) {
		t.Error("ready, but not mounted")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
	nothingLeft(t, dir)
}

// mount(8) passes a mount namespace that it was called with (mount -N).
func TestInAnotherMountNamespace(t *testing.T) {
	needMounts(t)
	s := server(t)
	other := exec.Command("sleep", "60") // its namespace is what counts
	other.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = other.Process.Kill()
		_ = other.Wait() // it was killed
	}()
	ns, dir := "/proc/"+strconv.Itoa(other.Process.Pid)+"/ns/mnt", t.TempDir()
	must(t, "mount.gonfs", s.Export(), dir, "-N", ns, "-o", s.MountOptions())
	if isMounted(t, dir) {
		t.Error("it is mounted here")
		_ = unix.Unmount(dir, unix.MNT_DETACH)
	}
	mounts, err := os.ReadFile("/proc/" + strconv.Itoa(other.Process.Pid) + "/mounts")
	if err != nil || !strings.Contains(string(mounts), " "+dir+" fuse.gonfs ") {
		t.Errorf("it is not mounted there: %v", err)
	}
	must(t, "umount.gonfs", dir, "-N", ns)
	nothingLeft(t, dir)
	if o := finish(t, command("mount.gonfs", s.Export(), dir, "-N", ns, "--foreground")); o.code != 1 {
		t.Errorf("with --foreground: %s", o)
	}
}
