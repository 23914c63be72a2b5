package fuse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/nfstest"
)

// children are what processes of their own do on a mount. They say "ready" and
// then what came of it.
var children = map[string]func(path string){
	"stat": func(path string) {
		ignored := make(chan os.Signal, 100)
		signal.Notify(ignored, syscall.SIGALRM)
		runtime.LockOSThread()
		fmt.Println("ready")
		fmt.Println(unix.Gettid())
		err := unix.Stat(path, new(unix.Stat_t)) // os.Stat would ask again at EINTR
		fmt.Println("stat:", err)
		io.Copy(io.Discard, os.Stdin) // lives on
	},
	"lockmany": func(path string) {
		lockMany(path, 200)
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin) // lives on
	},
	"lockmap": func(path string) {
		fmt.Println("ready")
		fmt.Println("lockmap:", mapUnderALock(path))
		io.Copy(io.Discard, os.Stdin) // the map lives on
	},
	"mmap": func(path string) {
		fmt.Println("ready")
		fmt.Println("mmap:", mapAndWrite(path))
	},
}

// child starts a process that does what children says, and returns it with its
// output, after "ready". It is killed at the end of the test.
func child(t testing.TB, what, path string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	return childAs(t, what, path, nil)
}

// childAs is child as another user.
func childAs(t testing.TB, what, path string, who *syscall.Credential) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	cmd.Env = append(os.Environ(), "GONFS_TEST_CHILD="+what, "GONFS_TEST_PATH="+path)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // closed by Wait
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	r := bufio.NewReader(out)
	if line, err := r.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return cmd, r
}

// stat starts a process that stats path, and returns it with its output and
// what sends SIGALRM to the very thread that waits.
func stat(t testing.TB, path string) (cmd *exec.Cmd, out *bufio.Reader, alarm func()) {
	t.Helper()
	cmd, out = child(t, "stat", path)
	line, _ := out.ReadString('\n')
	tid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return cmd, out, func() {
		if err := unix.Tgkill(cmd.Process.Pid, tid, unix.SIGALRM); err != nil {
			t.Error(err)
		}
	}
}

// waiting waits until the server has been asked at least n times.
func waiting(t testing.TB, s *nfstest.Server, proc string, n int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); s.Counts()[proc] < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d %s after 30 s, want %d", s.Counts()[proc], proc, n)
		}
	}
}

func TestAHarmlessSignalDoesNotInterruptAndAFatalOneDoes(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	write(t, s, "f", nil)
	held := s.Fault(nfstest.Fault{Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DropReply()}})

	cmd, out, alarm := stat(t, filepath.Join(m.Dir(), "f"))
	waiting(t, s, "LOOKUP", 1)
	for range 3 {
		alarm()
		time.Sleep(100 * time.Millisecond)
	}
	start := time.Now()
	cmd.Process.Kill()
	rest, _ := io.ReadAll(out)
	cmd.Wait()
	if d := time.Since(start); d > 5*time.Second { // a few ms here
		t.Errorf("SIGKILL took %v", d)
	}
	if len(rest) > 0 {
		t.Errorf("SIGALRM ended the wait: %q", rest)
	}
	held()
}

func TestAnInterruptedCallGoesOnWhenTheServerComesBack(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	write(t, s, "f", nil)
	s.Freeze()
	_, out, alarm := stat(t, filepath.Join(m.Dir(), "f"))
	for range 5 {
		time.Sleep(50 * time.Millisecond)
		alarm()
	}
	s.Thaw()
	within(t, 20*time.Second, "the stat", func() {
		if line, _ := out.ReadString('\n'); line != "stat: <nil>\n" {
			t.Errorf("the child said %q", line)
		}
	})
}

func TestAbortEndsWhatWaitsForADeadServer(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	write(t, s, "f", nil)
	s.Freeze()
	_, out, _ := stat(t, filepath.Join(m.Dir(), "f"))
	time.Sleep(200 * time.Millisecond)
	start := time.Now()
	if err := m.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("Abort took %v", d)
	}
	if line, _ := out.ReadString('\n'); !strings.Contains(line, "stat: ") || strings.Contains(line, "nil") {
		t.Errorf("the child said %q", line)
	}
	m.Wait()
	s.Thaw()
}

func TestUnmountIsBoundedWhenTheServerIsDead(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	write(t, s, "f", nil)
	s.Freeze()
	stat(t, filepath.Join(m.Dir(), "f"))
	time.Sleep(200 * time.Millisecond)
	within(t, 30*time.Second, "Detach", func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Detach(ctx); err != nil {
			t.Error(err)
		}
	})
	m.Wait()
	s.Thaw()
}

func TestAMountInUseIsBusyAndStays(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	f, err := os.Create(filepath.Join(m.Dir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if err := m.Unmount(t.Context()); !errors.Is(err, unix.EBUSY) || !errors.As(err, &e) {
		t.Errorf("Unmount: %v", err)
	}
	if _, err := f.WriteString("still there"); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := m.Unmount(t.Context()); err != nil {
		t.Error(err)
	}
	m.Wait()
	if err := m.Unmount(t.Context()); err != nil {
		t.Errorf("a second Unmount: %v", err)
	}
	if got, err := s.ReadFile("f"); err != nil || string(got) != "still there" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestADetachedMountLivesUntilItsLastFileIsClosed(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	f, err := os.Create(filepath.Join(m.Dir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- m.Detach(t.Context()) }() // ends with the file
	for deadline := time.Now().Add(30 * time.Second); m.conn.visible(m.Dir()); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is not detached")
		}
	}
	if _, err := f.WriteString("late"); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		t.Errorf("Detach returned %v while a file was open", err)
	default:
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got, err := s.ReadFile("f"); err != nil || string(got) != "late" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSomebodyElsesUmountEndsTheMount(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	if err := unix.Unmount(m.Dir(), 0); err != nil {
		t.Fatal(err)
	}
	within(t, 30*time.Second, "Wait", m.Wait)
}

func TestADeadMountIsReplaced(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "noac") // so that the kernel cannot answer by itself
	if err := m.conn.abort(); err != nil {
		t.Fatal(err)
	}
	m.Wait()
	if _, err := os.Stat(m.Dir()); !errors.Is(err, unix.ENOTCONN) {
		t.Fatalf("a dead mount: %v", err)
	}
	fs, session := newFS(t, s, "")
	other := Config{Dir: m.Dir(), Options: session.Options(), FsName: "other:/export"}
	if _, err := Mount(t.Context(), fs, other); !errors.Is(err, unix.ENOTCONN) {
		t.Errorf("on the dead mount of another source: %v", err)
	}
	other.FsName = s.Export()
	again, err := Mount(t.Context(), fs, other)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Unmount(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFusermountMountsAndUnmounts(t *testing.T) {
	needFUSE(t)
	s := nfstest.Start(t, nfstest.Options{})
	fs, session := newFS(t, s, "ro")
	dir := t.TempDir()
	m, err := mountAs(t.Context(), fs, Config{Dir: dir, Options: session.Options(), FsName: `h:/a,b\ c`}, false)
	if err != nil {
		t.Fatal(err)
	}
	e, err := findMount(dir)
	if err != nil || e.source != `h:/a,b\ c` || e.fsType != fsType {
		t.Errorf("%+v, %v", e, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "x"), 0o700); !errors.Is(err, unix.EROFS) {
		t.Errorf("mkdir on a read-only mount: %v", err)
	}
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Unmount(t.Context()); !errors.Is(err, unix.EBUSY) {
		t.Errorf("Unmount of a busy mount: %v", err)
	}
	f.Close()
	if err := m.Unmount(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAMountPointThatCannotBeIsOneClearError(t *testing.T) {
	needFUSE(t)
	s := nfstest.Start(t, nfstest.Options{})
	fs, _ := newFS(t, s, "")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		filepath.Join(dir, "missing"): unix.ENOENT,
		file:                          unix.ENOTDIR,
	} {
		_, err := Mount(t.Context(), fs, Config{Dir: path})
		if !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
