package client

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/nlm"
)

// opened opens a file of the root directory for reading and writing.
func opened(t testing.TB, fs *FS, name string) *File {
	t.Helper()
	f, err := fs.Open(t.Context(), alice, find(t, fs, name), os.O_RDWR)
	must(t, err)
	return f
}

// Two mounts count in one file. Without revalidation after the grant, or without
// the data at the server before the lock is given back, counts are lost.
func TestACounterUnderALockOfTwoMounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// All changes have one ctime, so that times tell nothing.
		r := newRig(t, nfstest.Options{Granularity: 1 << 40})
		must(t, r.WriteFile("n", []byte("0"), 0o666))
		const rounds = 25
		var wg sync.WaitGroup
		for range 2 {
			fs := r.mount("lock", Options{})
			for range 2 {
				f := opened(t, fs, "n")
				wg.Go(func() {
					defer f.Release()
					for range rounds {
						must(t, f.Lock(t.Context(), lock.WholeFile, lock.Exclusive))
						p := make([]byte, 10)
						n, _ := f.ReadAt(t.Context(), p, 0)
						v, err := strconv.Atoi(string(p[:n]))
						must(t, err)
						_, err = f.WriteAt(t.Context(), []byte(strconv.Itoa(v+1)), 0)
						must(t, err)
						must(t, f.Unlock(t.Context(), lock.WholeFile))
					}
				})
			}
		}
		wg.Wait()
		got, err := r.ReadFile("n")
		must(t, err)
		want(t, "count", string(got), strconv.Itoa(4*rounds))
	})
}

func TestWhatWasWrittenIsSafeBeforeItsLockIsGivenBack(t *testing.T) {
	for name, unlock := range map[string]func(*testing.T, *File){
		"by Unlock":    func(t *testing.T, f *File) { must(t, f.Unlock(t.Context(), lock.Range{Start: 0, End: 9})) },
		"by UnlockAll": func(t *testing.T, f *File) { must(t, f.UnlockAll(t.Context(), f.own())) },
		"by Release":   func(_ *testing.T, f *File) { f.Release() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nfstest.Options{})
				must(t, r.WriteFile("f", nil, 0o666))
				fs := r.mount("lock,wsize=4096", Options{})
				f := opened(t, fs, "f")
				must(t, f.Lock(t.Context(), lock.Range{Start: 0, End: 9}, lock.Exclusive))
				var (
					mu    sync.Mutex
					order []string
				)
				note := func(what string) nfstest.Action {
					return nfstest.Message(func(msg []byte) []byte {
						mu.Lock()
						defer mu.Unlock()
						order = append(order, what)
						return msg
					})
				}
				// The WRITE takes its time: who does not wait for it is seen.
				r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Do: []nfstest.Action{nfstest.DelayCall(time.Second), note("WRITE")}, Times: 2})
				r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Do: []nfstest.Action{nfstest.DelayCall(time.Second), note("COMMIT")}})
				r.Fault(nfstest.Fault{Program: nlm.Program, Procs: []uint32{nlm.ProcUnlock}, Do: []nfstest.Action{note("UNLOCK")}})
				_, err := f.WriteAt(t.Context(), bytes.Repeat([]byte("data"), 2048), 0)
				must(t, err)
				unlock(t, f)
				time.Sleep(3 * time.Second)
				mu.Lock()
				want(t, "order", strings.Join(order, " "), "WRITE WRITE COMMIT UNLOCK")
				mu.Unlock()
				if got, err := r.ReadFile("f"); err != nil || len(got) != 8192 {
					t.Errorf("the server has %d bytes, %v", len(got), err)
				}
				if n := r.Counts()["NLM.UNLOCK"]; n == 0 || len(r.Locks()) != 0 {
					t.Errorf("%d UNLOCKs; locks left: %v", n, r.Locks())
				}
				f.Release()
			})
		})
	}
}

// A process has threads: one waits for a lock while another gives back what the
// process holds. What the first gets then must still be given back at the end.
func TestALockThatWaitedWhileItsOwnerUnlockedIsGivenBack(t *testing.T) {
	process := lock.Owner{Kind: lock.Posix, ID: 7}
	for name, meanwhile := range map[string]func(context.Context, *File) error{
		"the whole file":      func(ctx context.Context, f *File) error { return f.UnlockFor(ctx, process, lock.WholeFile) },
		"by closing the file": func(ctx context.Context, f *File) error { return f.UnlockAll(ctx, process) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nfstest.Options{})
				must(t, r.WriteFile("f", nil, 0o666))
				f, other := opened(t, r.mount("lock", Options{}), "f"), opened(t, r.mount("lock", Options{}), "f")
				defer f.Release()
				defer other.Release()
				must(t, other.Lock(t.Context(), lock.Range{Start: 10, End: 19}, lock.Exclusive))
				granted := make(chan error, 1)
				go func() {
					granted <- f.LockFor(t.Context(), lock.Lock{Owner: process, Range: lock.Range{Start: 10, End: 19}, Type: lock.Exclusive}, true)
				}()
				time.Sleep(time.Second)
				must(t, meanwhile(t.Context(), f))
				must(t, other.Unlock(t.Context(), lock.WholeFile))
				must(t, <-granted)
				want(t, "locks once it is granted", len(r.Locks()), 1)
				must(t, f.UnlockAll(t.Context(), process))
				want(t, "locks once its owner has closed the file", len(r.Locks()), 0)
			})
		})
	}
}

// The kernel makes the number of an owner of an address, which the next file that
// is opened may have while the last one is still being closed. What the last one
// gives back must not be the next one's.
func TestAnOwnersNumberMayBeTheNextOnesAtOnce(t *testing.T) {
	for _, late := range []bool{false, true} { // the close comes before the next lock, or after it
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nfstest.Options{})
			must(t, r.WriteFile("f", nil, 0o666))
			fs := r.mount("lock", Options{})
			first, next := opened(t, fs, "f"), opened(t, fs, "f")
			l := lock.Lock{Owner: lock.Owner{Kind: lock.Posix, ID: 7}, Range: lock.WholeFile, Type: lock.Exclusive}
			must(t, first.LockFor(t.Context(), l, true))
			r.Fault(nfstest.Fault{Program: nlm.Program, Procs: []uint32{nlm.ProcUnlock}, Do: []nfstest.Action{nfstest.DelayCall(time.Second)}})
			if !late {
				first.Release()
			}
			must(t, next.LockFor(t.Context(), l, true))
			if late {
				first.Release()
			}
			time.Sleep(time.Minute)
			want(t, "locks once the last one is closed", len(r.Locks()), 1)
			next.Release()
			time.Sleep(time.Minute)
			want(t, "locks once the next one is closed as well", len(r.Locks()), 0)
		})
	}
}

// A close that is interrupted gives back later what its owner locked. That must
// not be what the next one locks, who has his number.
func TestAnInterruptedCloseTakesNothingFromTheNextOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", nil, 0o666))
		fs := r.mount("lock", Options{})
		l := lock.Lock{Owner: lock.Owner{Kind: lock.Posix, ID: 7}, Range: lock.WholeFile, Type: lock.Exclusive}
		r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DelayCall(time.Second)}})
		for range 20 { // who comes first once the data is there is a matter of chance
			first, next := opened(t, fs, "f"), opened(t, fs, "f")
			must(t, first.LockFor(t.Context(), l, true))
			put(t, first, []byte("data"), 0)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			if err := first.UnlockAll(ctx, l.Owner); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("the close was not interrupted: %v", err)
			}
			cancel()
			must(t, next.LockFor(t.Context(), l, true))
			first.Release()
			time.Sleep(time.Minute)
			if n := len(r.Locks()); n != 1 {
				t.Fatalf("the next owner has %d locks at the server", n)
			}
			must(t, next.UnlockAll(t.Context(), l.Owner))
			next.Release()
			time.Sleep(time.Minute)
			want(t, "locks once the next one is closed as well", len(r.Locks()), 0)
		}
	})
}

func TestLocksOfTwoMountsAreInEachOthersWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", nil, 0o666))
		f, g := opened(t, r.mount("lock", Options{}), "f"), opened(t, r.mount("lock", Options{}), "f")
		defer f.Release()
		defer g.Release()
		must(t, f.Lock(t.Context(), lock.Range{Start: 10, End: 19}, lock.Exclusive))
		if err := g.TryLock(t.Context(), lock.Range{Start: 15, End: lock.EOF}, lock.Shared); Errno(err) != syscall.EAGAIN {
			t.Errorf("TryLock: %v", err)
		}
		must(t, g.TryLock(t.Context(), lock.Range{Start: 20, End: lock.EOF}, lock.Shared))
		l, err := g.TestLock(t.Context(), lock.WholeFile, lock.Shared)
		if err != nil || l == nil || l.Range != (lock.Range{Start: 10, End: 19}) || l.Type != lock.Exclusive {
			t.Errorf("TestLock: %v, %v", l, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := g.Lock(ctx, lock.WholeFile, lock.Exclusive); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Lock with a deadline: %v", err)
		}
		time.Sleep(time.Minute)
		for _, h := range r.Locks() {
			if h.Waiting || h.First == 0 {
				t.Errorf("left at the server: %+v", h)
			}
		}
		granted := make(chan error, 1)
		go func() { granted <- g.Lock(t.Context(), lock.WholeFile, lock.Exclusive) }()
		time.Sleep(10 * time.Second)
		must(t, f.Unlock(t.Context(), lock.WholeFile))
		began := time.Now()
		must(t, <-granted)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the grant came after %v", took)
		}
	})
}

func TestLocksNeedTheAccessOfTheFile(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{}) // nolock: kept here
	ino := write(t, fs, "f", "x")
	for _, tt := range []struct {
		flags int
		typ   lock.Type
		want  syscall.Errno
	}{
		{os.O_RDONLY, lock.Shared, 0}, {os.O_RDONLY, lock.Exclusive, syscall.EBADF},
		{os.O_WRONLY, lock.Shared, syscall.EBADF}, {os.O_WRONLY, lock.Exclusive, 0},
		{os.O_RDWR, lock.Shared, 0}, {os.O_RDWR, lock.Exclusive, 0},
	} {
		f, err := fs.Open(t.Context(), alice, ino, tt.flags)
		must(t, err)
		if err := f.TryLock(t.Context(), lock.WholeFile, tt.typ); Errno(err) != tt.want {
			t.Errorf("%v lock with flags %#x: %v, want %v", tt.typ, tt.flags, err, tt.want)
		}
		must(t, f.unlockThrough(t.Context()))
		f.Release()
	}
	if n := r.Counts()["NLM.LOCK"]; n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
}

func TestAHandleGivesItsLocksBackWhenItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", nil, 0o666))
		tree := r.mount("lock", Options{}).As(alice)
		h, err := tree.OpenFile(t.Context(), "f", os.O_RDWR, 0)
		must(t, err)
		other, err := tree.OpenFile(t.Context(), "f", os.O_RDWR, 0)
		must(t, err)
		must(t, h.Lock(t.Context(), lock.Range{Start: 0, End: 0}, lock.Exclusive))
		if err := other.TryLock(t.Context(), lock.WholeFile, lock.Exclusive); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("another handle of the same mount: %v", err)
		}
		if l, err := other.TestLock(t.Context(), lock.WholeFile, lock.Exclusive); err != nil || l == nil || l.PID != uint32(os.Getpid()) {
			t.Errorf("TestLock: %v, %v", l, err)
		}
		must(t, h.Close(t.Context()))
		must(t, other.TryLock(t.Context(), lock.WholeFile, lock.Exclusive))
		must(t, other.Unlock(t.Context(), lock.WholeFile))
		must(t, other.Close(t.Context()))
		if err := h.TryLock(t.Context(), lock.WholeFile, lock.Exclusive); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		d, err := tree.Open(t.Context(), ".")
		must(t, err)
		if err := d.Lock(t.Context(), lock.WholeFile, lock.Shared); !errors.Is(err, nfs3.ErrIsdir) {
			t.Errorf("a directory: %v", err)
		}
		must(t, d.Close(t.Context()))
	})
}

func TestALostLockFailsReadsAndWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{Allow: []nfstest.Kind{nfstest.LockLeft}})
		must(t, r.WriteFile("f", []byte("data"), 0o666))
		must(t, r.WriteFile("g", []byte("data"), 0o666))
		fs := r.mount("lock", Options{})
		f, plain, g := opened(t, fs, "f"), opened(t, fs, "f"), opened(t, fs, "g")
		defer plain.Release()
		defer g.Release()
		must(t, f.Lock(t.Context(), lock.WholeFile, lock.Exclusive))
		var told []*Inode
		var mu sync.Mutex
		fs.Changes(func(ino *Inode) { mu.Lock(); told = append(told, ino); mu.Unlock() })
		fs.lockLost(f.ino.FH(), f.own())
		synctest.Wait()
		p := make([]byte, 4)
		_, rerr := f.ReadAt(t.Context(), p, 0)
		_, werr := f.WriteAt(t.Context(), p, 0)
		_, _, aerr := f.Append(t.Context(), p)
		for what, err := range map[string]error{"read": rerr, "write": werr, "append": aerr, "fsync": f.Fsync(t.Context()),
			"lock": f.Lock(t.Context(), lock.WholeFile, lock.Exclusive)} {
			if !errors.Is(err, ErrLockLost) || Errno(err) != syscall.EIO {
				t.Errorf("%s: %v", what, err)
			}
		}
		for what, other := range map[string]*File{"the same file without the lock": plain, "another file": g} {
			if _, err := other.ReadAt(t.Context(), p, 0); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		mu.Lock()
		if len(told) != 1 || told[0] != f.ino {
			t.Errorf("the change was told of %v", told)
		}
		mu.Unlock()
		f.Release()
		synctest.Wait()
		again := opened(t, fs, "f")
		_, err := again.ReadAt(t.Context(), p, 0)
		must(t, err)
		again.Release()
	})
}

func TestAChangedWriteVerifierHasLocksLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", nil, 0o666))
		fs := r.mount("lock,wsize=4096", Options{})
		f := opened(t, fs, "f")
		defer f.Release()
		must(t, f.Lock(t.Context(), lock.WholeFile, lock.Exclusive))
		r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Do: []nfstest.Action{nfstest.ChangeVerf()}})
		r.ResetCounts()
		_, err := f.WriteAt(t.Context(), make([]byte, 8192), 0) // two WRITEs and a COMMIT
		must(t, err)
		must(t, f.Fsync(t.Context()))
		time.Sleep(time.Second)
		if n := r.Counts()["NLM.TEST"]; n == 0 {
			t.Errorf("the lock was not looked at: %v", r.Counts())
		}
		must(t, f.Unlock(t.Context(), lock.WholeFile))
	})
}

func TestTheEndOfAFileSystemGivesLocksBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", nil, 0o666))
		fs := r.mount("lock", Options{})
		f := opened(t, fs, "f")
		must(t, f.Lock(t.Context(), lock.WholeFile, lock.Exclusive))
		must(t, fs.Close(t.Context()))
		if l := r.Locks(); len(l) != 0 {
			t.Errorf("left: %v", l)
		}
		if err := f.Lock(t.Context(), lock.WholeFile, lock.Exclusive); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// What was read, and what is known of size and times, does not outlive a grant,
// though no time tells that the file was changed meanwhile.
func TestWhatIsKnownOfAFileIsForgottenOnceItIsLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{Granularity: 1 << 40})
		old, young := bytes.Repeat([]byte("old "), 256<<10), bytes.Repeat([]byte("new!"), 256<<10)
		must(t, r.WriteFile("f", old, 0o666))
		fs := r.mount("lock,rsize=65536", Options{})
		f, g := opened(t, fs, "f"), opened(t, r.mount("lock", Options{}), "f")
		defer f.Release()
		defer g.Release()
		p := make([]byte, 64<<10)
		for off := range 4 { // in sequence, so that more is read than asked for
			_, err := f.ReadAt(t.Context(), p, int64(off)<<16)
			must(t, err)
		}
		_, err := fs.Getattr(t.Context(), alice, f.ino)
		must(t, err)
		_, err = g.WriteAt(t.Context(), append(bytes.Clone(young), "tail"...), 0)
		must(t, err)
		must(t, g.Fsync(t.Context()))

		must(t, f.Lock(t.Context(), lock.WholeFile, lock.Exclusive))
		a, err := fs.Getattr(t.Context(), alice, f.ino)
		must(t, err)
		want(t, "size under the lock", a.Size, 1<<20+4)
		_, end, err := f.Append(t.Context(), []byte("x"))
		must(t, err)
		want(t, "end under the lock", end, 1<<20+4)
		for off := 4; off < 16; off++ {
			_, err := f.ReadAt(t.Context(), p, int64(off)<<16)
			must(t, err)
			if i := bytes.Index(p, []byte("old ")); i >= 0 {
				t.Fatalf("byte %d is from before the lock", off<<16+i)
			}
		}
		must(t, f.Unlock(t.Context(), lock.WholeFile))
	})
}

// What is written before a lock is asked for is at the server before that: it
// must not lie over what is read under the lock.
func TestWhatWasWrittenBeforeALockIsSentBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", nil, 0o666))
		f := opened(t, r.mount("lock", Options{}), "f")
		defer f.Release()
		_, err := f.WriteAt(t.Context(), []byte("early"), 0)
		must(t, err)
		r.ResetCounts()
		r.Fault(nfstest.Fault{Program: nlm.Program, Procs: []uint32{nlm.ProcLock, nlm.ProcNMLock}, Do: []nfstest.Action{
			nfstest.Message(func(msg []byte) []byte {
				if n := r.Counts()["WRITE"]; n != 1 {
					t.Errorf("%d WRITEs before the lock was granted", n)
				}
				return msg
			})}})
		must(t, f.Lock(t.Context(), lock.WholeFile, lock.Exclusive))
		must(t, f.Unlock(t.Context(), lock.WholeFile))
	})
}
