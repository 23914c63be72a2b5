package fuse

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/nfstest"
)

// perlWaiter is a program that waits for a lock and says how that ended. (Perl's
// signal handlers do not have calls begun anew, as Go's do.)
const perlWaiter = `$| = 1; $SIG{USR1} = sub {}; open F, "+<", $ARGV[0] or die; print "ready\n"; print flock(F, 2) ? "locked" : "$!", "\n"`

// Any signal ends a wait soon (a few milliseconds here), a fatal one as well,
// and nothing is left of it at the server.
func TestAnySignalEndsAWaitForALock(t *testing.T) {
	perl, err := exec.LookPath("perl")
	if err != nil {
		t.Fatal(err) // Debian has it always
	}
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "lock")
	f := lockFile(t, s, mounted(t, s, "lock"))() // of another mount: the server has the wait, too
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGKILL} {
		cmd := exec.Command(perl, "-e", perlWaiter, filepath.Join(m.Dir(), "f"))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		s.ResetCounts()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); s.Counts()["NLM.LOCK"] < 3; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("nobody asks for the lock again and again")
			}
		}
		began := time.Now()
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		said, err := io.ReadAll(out)
		if err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // a signal is how two of them end
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%v: the wait ended after %v", sig, took)
		}
		if want := "ready\nInterrupted system call\n"; sig == syscall.SIGUSR1 && string(said) != want {
			t.Errorf("%v: the program said %q, want %q", sig, said, want)
		}
		eventually(t, s, "0-")
	}
}

// Whoever waits for a lock is in nobody's way, and leaves nothing when it dies.
func TestManyWaitersStarveNobody(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "lock")
	f := lockFile(t, s, m)()
	if err := fcntlLock(f, ofdSetLk, unix.F_WRLCK, 0, 1); err != nil {
		t.Fatal(err)
	}
	cmd, _ := child(t, "lockmany", f.Name())
	time.Sleep(300 * time.Millisecond)
	within(t, 20*time.Second, "work beside the waiters", func() {
		if _, err := os.Stat(filepath.Join(m.Dir(), "f")); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(filepath.Join(m.Dir(), "g"), []byte("x"), 0o644); err != nil {
			t.Error(err)
		}
	})
	within(t, 20*time.Second, "the death of the waiters", func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait()
	})
	f.Close()
	eventually(t, s, "")
}

// lockMany has n descriptors wait for one lock.
func lockMany(path string, n int) {
	for range n {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			panic(err)
		}
		go fcntlLock(f, ofdSetLkW, unix.F_WRLCK, 0, 1) // ends with the process
	}
}
