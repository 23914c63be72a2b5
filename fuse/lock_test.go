package fuse

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfstest"
)

func TestWhatTheKernelSaysOfLocks(t *testing.T) {
	for _, tt := range []struct {
		in   gofuse.LkIn
		want lock.Lock
		ok   bool
	}{
		{gofuse.LkIn{Owner: 7, Lk: gofuse.FileLock{Start: 5, End: 9, Typ: syscall.F_RDLCK, Pid: 3}},
			lock.Lock{Owner: lock.Owner{Kind: lock.Posix, ID: 7}, Range: lock.Range{Start: 5, End: 9}, Type: lock.Shared, PID: 3}, true},
		{gofuse.LkIn{Fh: 7, Owner: 8, LkFlags: gofuse.LK_FLOCK, Lk: gofuse.FileLock{End: math.MaxInt64, Typ: syscall.F_WRLCK}},
			lock.Lock{Owner: lock.Owner{Kind: lock.Flock, ID: 7}, Range: lock.WholeFile, Type: lock.Exclusive}, true},
		{gofuse.LkIn{Lk: gofuse.FileLock{Start: math.MaxInt64 - 1, End: math.MaxInt64 - 1, Typ: syscall.F_WRLCK}},
			lock.Lock{Range: lock.Range{Start: math.MaxInt64 - 1, End: math.MaxInt64 - 1}, Type: lock.Exclusive}, true},
		{gofuse.LkIn{Lk: gofuse.FileLock{Typ: syscall.F_UNLCK}}, lock.Lock{}, false},
		{gofuse.LkIn{Lk: gofuse.FileLock{Typ: 77}}, lock.Lock{}, false},
	} {
		if got, ok := lockOf(&tt.in); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%+v is %+v, %v", tt.in, got, ok)
		}
	}
	for local, want := range map[mountopt.LocalLock]uint64{
		mountopt.LocalNone: gofuse.CAP_POSIX_LOCKS | gofuse.CAP_FLOCK_LOCKS, mountopt.LocalAll: 0,
		mountopt.LocalFlock: gofuse.CAP_POSIX_LOCKS, mountopt.LocalPosix: gofuse.CAP_FLOCK_LOCKS,
	} {
		if got := lockCapabilities(local); got != want {
			t.Errorf("local %v: %#x, want %#x", local, got, want)
		}
	}
}

// holding returns what the server has, as "first-last".
func holding(s *nfstest.Server) string {
	var out []string
	for _, l := range s.Locks() {
		text := fmt.Sprintf("%d-%d", l.First, l.Last)
		if l.Last == math.MaxUint64 {
			text = fmt.Sprintf("%d-", l.First)
		}
		if l.Waiting {
			text += "?"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// eventually waits until the server has just these locks.
func eventually(t *testing.T, s *nfstest.Server, want string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); holding(s) != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server has the locks %q, want %q", holding(s), want)
		}
	}
}

func lockFile(t *testing.T, s *nfstest.Server, m *Mounted) func() *os.File {
	t.Helper()
	write(t, s, "f", []byte("data"))
	return func() *os.File {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(m.Dir(), "f"), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
}

const (
	ofdGetLk  = 36 // F_OFD_GETLK …
	ofdSetLk  = 37
	ofdSetLkW = 38
)

func fcntlLock(f *os.File, cmd int, typ int16, start, length int64) error {
	return unix.FcntlFlock(f.Fd(), cmd, &unix.Flock_t{Type: typ, Start: start, Len: length})
}

func TestOwnersOfLocksAreKeptApart(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	open := lockFile(t, s, mounted(t, s, "lock"))
	f, g := open(), open()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	busy := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, unix.EAGAIN) {
			t.Errorf("%s: %v, want EAGAIN", what, err)
		}
	}
	// One process, two descriptions: fcntl sees one owner, the others two.
	must(fcntlLock(f, unix.F_SETLK, unix.F_WRLCK, 0, 10))
	must(fcntlLock(g, unix.F_SETLK, unix.F_WRLCK, 5, 10))
	eventually(t, s, "0-14")
	busy("an OFD lock beside the process's", fcntlLock(f, ofdSetLk, unix.F_WRLCK, 14, 1))
	busy("a flock beside the process's", unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB))
	must(fcntlLock(f, unix.F_SETLK, unix.F_UNLCK, 0, 0))
	eventually(t, s, "")

	must(fcntlLock(f, ofdSetLk, unix.F_WRLCK, 0, 1))
	busy("an OFD lock of another description", fcntlLock(g, ofdSetLk, unix.F_RDLCK, 0, 1))
	lk := unix.Flock_t{Type: unix.F_RDLCK, Start: 0, Len: 100}
	must(unix.FcntlFlock(g.Fd(), ofdGetLk, &lk))
	if lk.Type != unix.F_WRLCK || lk.Start != 0 || lk.Len != 1 {
		t.Errorf("F_OFD_GETLK: %+v", lk)
	}
	must(fcntlLock(f, ofdSetLk, unix.F_UNLCK, 0, 0))

	must(unix.Flock(int(f.Fd()), unix.LOCK_SH))
	must(unix.Flock(int(g.Fd()), unix.LOCK_SH))
	busy("an upgrade beside another's shared flock", unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB))
	must(unix.Flock(int(g.Fd()), unix.LOCK_UN))
	must(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB))
	eventually(t, s, "0-")
}

// A process loses its fcntl locks with the first descriptor of the file that it
// closes; an open file description keeps its own until its last one goes.
func TestLocksEndWithTheirDescriptors(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	open := lockFile(t, s, mounted(t, s, "lock"))
	for _, tt := range []struct {
		name       string
		lock       func(f *os.File) error
		closeOther bool // closing another descriptor of the file ends it
	}{
		{"fcntl", func(f *os.File) error { return fcntlLock(f, unix.F_SETLK, unix.F_WRLCK, 3, 4) }, true},
		{"OFD", func(f *os.File) error { return fcntlLock(f, ofdSetLk, unix.F_WRLCK, 3, 4) }, false},
		{"flock", func(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX) }, false},
	} {
		f, other := open(), open()
		if err := tt.lock(f); err != nil {
			t.Fatal(err)
		}
		held := holding(s)
		if held == "" {
			t.Fatalf("%s: the server has no lock", tt.name)
		}
		other.Close()
		if tt.closeOther {
			eventually(t, s, "")
			continue
		}
		dup, err := unix.Dup(int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if got := holding(s); got != held {
			t.Errorf("%s: with a duplicate left the server has %q, want %q", tt.name, got, held)
		}
		unix.Close(dup)
		eventually(t, s, "")
	}
}

func TestRangesOf64Bits(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	open := lockFile(t, s, mounted(t, s, "lock"))
	f := open()
	for _, tt := range []struct {
		start, length int64
		want          string
	}{
		{0, 0, "0-"}, {math.MaxInt64 - 1, 1, "9223372036854775806-9223372036854775806"}, {1 << 40, 1 << 40, "1099511627776-2199023255551"},
		{math.MaxInt64, 0, "9223372036854775807-"}, {100, -50, "50-99"},
	} {
		if err := fcntlLock(f, unix.F_SETLK, unix.F_WRLCK, tt.start, tt.length); err != nil {
			t.Errorf("%d+%d: %v", tt.start, tt.length, err)
			continue
		}
		if got := holding(s); got != tt.want {
			t.Errorf("%d+%d: the server has %s, want %s", tt.start, tt.length, got, tt.want)
		}
		if err := fcntlLock(f, unix.F_SETLK, unix.F_UNLCK, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// Two mounts that lock see each other's writes, those through memory maps and
// O_APPEND among them, although no time tells of them.
func TestUnderALockAFileIsAsTheLastHolderLeftIt(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{Granularity: 1 << 40})
	a, b := mounted(t, s, "lock"), mounted(t, s, "lock")
	write(t, s, "f", []byte("0000"))
	var fds [2]*os.File
	for i, m := range []*Mounted{a, b} {
		f, err := os.OpenFile(filepath.Join(m.Dir(), "f"), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fds[i] = f
	}
	read := func(f *os.File) string {
		t.Helper()
		p := make([]byte, 4)
		if _, err := f.ReadAt(p, 0); err != nil {
			t.Fatal(err)
		}
		return string(p)
	}
	for i := range 20 {
		f := fds[i%2]
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		if got, want := read(f), fmt.Sprintf("%04d", i); got != want {
			t.Fatalf("step %d: read %s, want %s", i, got, want)
		}
		if _, err := f.WriteAt(fmt.Appendf(nil, "%04d", i+1), 0); err != nil {
			t.Fatal(err)
		}
		if got, want := read(f), fmt.Sprintf("%04d", i+1); got != want { // into the kernel's pages
			t.Fatalf("step %d: read %s after writing, want %s", i, got, want)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_UN); err != nil {
			t.Fatal(err)
		}
	}
	// A reader's pages are dropped, too.
	reader, err := os.Open(filepath.Join(b.Dir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	read(reader)
	if err := unix.Flock(int(fds[0].Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := fds[0].WriteAt([]byte("seen"), 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(fds[0].Fd()), unix.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(reader.Fd()), unix.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	if got := read(reader); got != "seen" {
		t.Errorf("a reader sees %q under a lock", got)
	}
	if err := unix.Flock(int(reader.Fd()), unix.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	// What was written through a map is there when the lock is given back.
	_, out := childAs(t, "lockmap", filepath.Join(a.Dir(), "f"), nil)
	if line, _ := out.ReadString('\n'); line != "lockmap: <nil>\n" {
		t.Fatalf("the child said %q", line)
	}
	if got, err := s.ReadFile("f"); err != nil || string(got) != "maps" {
		t.Errorf("the server has %q, %v while the map lives on", got, err)
	}
	// Lines appended under flock from both sides are all there.
	var wg sync.WaitGroup
	for i, m := range []*Mounted{a, b} {
		wg.Go(func() {
			script := fmt.Sprintf(`for n in $(seq 5); do flock log sh -c "echo %d $n >>log"; done`, i)
			if out, err := sh(m.Dir(), "touch log; "+script, 0, 0); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	got, err := s.ReadFile("log")
	if n := strings.Count(string(got), "\n"); err != nil || n != 10 {
		t.Errorf("%d lines, %v:\n%s", n, err, got)
	}
}

// mapUnderALock writes to a file through a memory map, which it keeps, between
// taking and giving back a lock.
func mapUnderALock(path string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.Flock(fd, unix.LOCK_EX); err != nil {
		return err
	}
	data, err := unix.Mmap(fd, 0, 4, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	copy(data, "maps")
	return unix.Flock(fd, unix.LOCK_UN)
}

func TestLocalKindsStayWithTheKernel(t *testing.T) {
	for opts, want := range map[string]string{
		"lock": "0-0 0-", "local_lock=flock,lock": "0-0", "local_lock=posix,lock": "0-", "nolock": "", "local_lock=all,lock": "",
	} {
		s := nfstest.Start(t, nfstest.Options{})
		m := mounted(t, s, opts)
		write(t, s, "f", nil)
		write(t, s, "g", nil)
		var got []string
		for _, name := range []string{"f", "g"} {
			f, err := os.OpenFile(filepath.Join(m.Dir(), name), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			if name == "f" {
				err = fcntlLock(f, unix.F_SETLK, unix.F_WRLCK, 0, 1)
			} else {
				err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
			}
			if err != nil {
				t.Errorf("%s: %v", opts, err)
			}
			if h := holding(s); h != "" {
				got = append(got, h)
			}
			f.Close()
			eventually(t, s, "")
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: the server had %q, want %q", opts, got, want)
		}
	}
}

func TestAServerWithoutALockManagerHasNoLocks(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{NoNLM: true})
	open := lockFile(t, s, mounted(t, s, "lock"))
	within(t, 20*time.Second, "ENOLCK", func() {
		if err := unix.Flock(int(open().Fd()), unix.LOCK_EX); !errors.Is(err, unix.ENOLCK) {
			t.Errorf("flock: %v", err)
		}
	})
	open = lockFile(t, s, mounted(t, s, "lock,locks=auto"))
	f := open()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Errorf("flock with locks=auto: %v", err)
	}
	if err := unix.Flock(int(open().Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("a second one: %v", err)
	}
}
