package client

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// What is overwritten while an fsync waits for it is on the server's disk when
// that returns, or what it was overwritten with: the power may fail on both sides.
func TestWhatIsOverwrittenDuringAnFsyncIsSafeThen(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   time.Duration // when it is overwritten: WRITEs take 100 ms, and so does the COMMIT
		verf bool          // the server has restarted when that comes
		on   bool          // nothing fails, and all is saved in the end
	}{
		{"while it is sent", 50 * time.Millisecond, false, false},
		{"while it is committed", 150 * time.Millisecond, false, false},
		{"while it is sent, in vain", 50 * time.Millisecond, true, false},
		{"while it is committed, in vain", 150 * time.Millisecond, true, false},
		{"while it is sent, and again", 50 * time.Millisecond, true, true},
		{"while it is committed, and again", 150 * time.Millisecond, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{Allow: []nfstest.Kind{nfstest.NotCommitted}})
				fs := dataFS(t, s, "wsize=4096")
				f := create(t, fs, "a", 0)
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite, nfs3.ProcCommit}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DelayCall(100 * time.Millisecond)}})
				if tt.verf {
					s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Do: []nfstest.Action{nfstest.Crash()}})
				}
				put(t, f, bytes.Repeat([]byte("1"), 8192), 0) // two WRITEs, which need a COMMIT
				done := make(chan error, 1)
				go func() { done <- f.Fsync(t.Context()) }() // ends with the COMMIT
				time.Sleep(tt.at)
				put(t, f, bytes.Repeat([]byte("2"), 8192), 0)
				must(t, <-done)
				if tt.on {
					must(t, f.Fsync(t.Context()))
					want(t, "stored", string(stored(t, s, "a")), string(bytes.Repeat([]byte("2"), 8192)))
					noneInUse(t, fs)
				}
				fs.Abort()
				s.Restart()
				if got := stored(t, s, "a"); len(got) < 8192 || bytes.IndexByte(got, 0) >= 0 {
					t.Errorf("%d bytes are left, and not all are what was written", len(got))
				}
			})
		})
	}
}

// What is written over bytes that an fsync waits for is sent when these are
// committed, and not when they are old.
func TestWhatIsWrittenDuringAnFsyncIsSentSoon(t *testing.T) {
	next := func(_ *FS, f *File) error { return f.Fsync(f.fs.life) }
	look := func(fs *FS, f *File) error {
		time.Sleep(100 * time.Millisecond) // the fsync has given up
		return fs.drain(fs.life, f.ino)
	}
	for _, tt := range []struct {
		name  string
		first time.Duration // how long the first WRITE takes; it is overwritten after 50 ms
		wait  func(fs *FS, f *File) error
	}{
		{"the next fsync", 0, next},
		{"the next fsync, while it is sent", 80 * time.Millisecond, next},
		{"a look at the file", 0, look},
		{"a look at the file, while it is sent", 80 * time.Millisecond, look},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				fs := dataFS(t, s, "wsize=4096")
				f := create(t, fs, "a", 0)
				// The fsync has to wait for the second of two WRITEs.
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, If: func(c *nfstest.Call) bool { return c.Args.(*nfs3.WriteArgs).Offset > 0 },
					Do: []nfstest.Action{nfstest.DelayCall(300 * time.Millisecond)}})
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, If: func(c *nfstest.Call) bool { return c.Args.(*nfs3.WriteArgs).Offset == 0 },
					Do: []nfstest.Action{nfstest.DelayCall(tt.first)}})
				put(t, f, pattern(8192, 1), 0)
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				done := make(chan error, 1)
				go func() { done <- f.Fsync(ctx) }() // ends with ctx
				time.Sleep(50 * time.Millisecond)
				put(t, f, pattern(4096, 2), 0)
				began := time.Now()
				must(t, tt.wait(fs, f))
				if took := time.Since(began); took > time.Second {
					t.Errorf("it took %v", took)
				}
				<-done
				must(t, f.Fsync(t.Context()))
				want(t, "stored", bytes.Equal(stored(t, s, "a")[:4096], pattern(4096, 2)), true)
				noneInUse(t, fs)

				// Nothing is covered any more: a COMMIT is not due before its time.
				s.ResetCounts()
				put(t, f, pattern(4096, 3), 0)
				time.Sleep(commitDelay / 2)
				want(t, "COMMITs before their time", s.Counts()["COMMIT"], 0)
			})
		})
	}
}

// The same for what was sent while a COMMIT was under way, which does not count.
func TestWhatIsWrittenDuringACommitIsSentSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "wsize=4096")
		f := create(t, fs, "a", 0)
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Do: []nfstest.Action{nfstest.DelayCall(2 * time.Second)}})
		put(t, f, pattern(4096, 1), 0)
		time.Sleep(commitDelay + 2*agerTick) // the COMMIT is under way
		put(t, f, pattern(4096, 2), 4096)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- f.Fsync(ctx) }() // ends with ctx
		time.Sleep(100 * time.Millisecond)
		put(t, f, pattern(4096, 3), 4096)
		<-done
		began := time.Now()
		must(t, fs.drain(t.Context(), f.ino))
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
		must(t, f.Fsync(t.Context()))
		want(t, "stored", bytes.Equal(stored(t, s, "a")[4096:], pattern(4096, 3)), true)
	})
}

func TestAReplyFromBeforeALockIsNotBelievedUnderIt(t *testing.T) {
	for _, tt := range []struct {
		name string
		proc uint32
		call func(fs *FS, ino *Inode) error
	}{
		{"of a look", nfs3.ProcGetattr, func(fs *FS, ino *Inode) error {
			_, err := fs.getattr(fs.life, alice, ino)
			return err
		}},
		{"of a change", nfs3.ProcSetattr, func(fs *FS, ino *Inode) error {
			_, err := fs.Setattr(fs.life, alice, ino, nil, &nfs3.Sattr{Mtime: nfs3.SetTime{How: nfs3.SetToServerTime}})
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nfstest.Options{})
				fs := r.mount("lock", Options{})
				write(t, fs, "f", "one\n")
				f, g := opened(t, fs, "f"), opened(t, r.mount("lock", Options{}), "f")
				defer f.Release()
				defer g.Release()
				must(t, g.Lock(t.Context(), lock.WholeFile, lock.Exclusive))
				r.Fault(nfstest.Fault{Procs: []uint32{tt.proc}, Do: []nfstest.Action{nfstest.Delay(time.Second)}})
				answered := make(chan error, 1)
				go func() { answered <- tt.call(fs, f.ino) }() // ends with the call
				time.Sleep(100 * time.Millisecond)
				_, err := g.WriteAt(t.Context(), []byte("two\n"), 4)
				must(t, err)
				must(t, g.Unlock(t.Context(), lock.WholeFile))
				must(t, f.Lock(t.Context(), lock.WholeFile, lock.Exclusive))
				must(t, <-answered)
				_, off, err := f.Append(t.Context(), []byte("three\n"))
				must(t, err)
				want(t, "where an append under the lock goes", off, 8)
				must(t, f.Unlock(t.Context(), lock.WholeFile))
			})
		})
	}
}

func TestAPartOfAWriteIsNotTakenForSafe(t *testing.T) {
	for _, tt := range []struct {
		name        string
		flags, want int
	}{
		{"O_SYNC", os.O_SYNC, 0},
		{"copied", 0, 8192},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				fs := dataFS(t, s, "wsize=4096,dirty=8192")
				f := create(t, fs, "a", tt.flags)
				s.Freeze()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				n, err := f.WriteAt(ctx, pattern(3*4096, 1), 0) // more than may be dirty
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				want(t, "bytes that are said to be written", n, tt.want)
				s.Thaw()
				must(t, f.Fsync(t.Context()))
			})
		})
	}
}

func TestOthersAreSeenThoughACommitToldNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", []byte("0123456789"), 0o666))
		fs := r.mount("", Options{})
		f, g := opened(t, fs, "f"), opened(t, r.mount("", Options{}), "f")
		defer f.Release()
		defer g.Release()
		put(t, f, []byte("A"), 0)
		must(t, fs.drain(t.Context(), f.ino))
		r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Do: []nfstest.Action{
			nfstest.Reply(func(_, reply any) { reply.(*nfs3.CommitReply).Wcc = nfs3.WccData{} })}})
		must(t, f.Flush(t.Context()))
		version := f.ino.Version()
		put(t, g, []byte("B"), 5)
		must(t, g.Flush(t.Context()))
		must(t, fs.verify(t.Context(), alice, f.ino))
		if f.ino.Version() == version {
			t.Error("nobody noticed what the other client has written: pages that are cached stay")
		}
	})
}

func TestOthersAreSeenThoughAWriteWasRefusedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", []byte("0123456789"), 0o666))
		fs := r.mount("", Options{})
		f, g := opened(t, fs, "f"), opened(t, r.mount("", Options{}), "f")
		defer f.Release()
		defer g.Release()
		version := f.ino.Version()
		r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Do: []nfstest.Action{nfstest.Status(nfs3.ErrJukebox),
			nfstest.Reply(func(_, reply any) { reply.(*nfs3.WriteReply).Wcc = nfs3.WccData{} })}})
		put(t, f, []byte("A"), 0)
		flushed := make(chan error, 1)
		go func() { flushed <- f.Flush(t.Context()) }() // ends with the second WRITE
		time.Sleep(20 * time.Millisecond)               // the first one was refused
		put(t, g, []byte("B"), 5)
		must(t, g.Flush(t.Context()))
		_, err := f.ReadAt(t.Context(), make([]byte, 1), 9)
		must(t, err)
		must(t, <-flushed)
		must(t, fs.verify(t.Context(), alice, f.ino))
		if f.ino.Version() == version {
			t.Error("nobody noticed what the other client has written: pages that are cached stay")
		}
	})
}

func TestTheSizeIsTheServersThoughMoreWasWrittenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", nil, 0o666))
		fs := r.mount("", Options{})
		f := opened(t, fs, "f")
		defer f.Release()
		put(t, f, pattern(100, 1), 0)
		must(t, f.Fsync(t.Context()))
		must(t, r.WriteFile("f", nil, 0o666)) // others cut it
		put(t, f, []byte("x"), 0)
		must(t, f.Fsync(t.Context()))
		a, err := fs.Getattr(t.Context(), alice, f.ino)
		must(t, err)
		want(t, "size", a.Size, 1)
	})
}

func TestWritesAreUnstableAgainWhenTheServerStays(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	undo := s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.ChangeVerf()}})
	fs := dataFS(t, s, "wsize=65536")
	f := create(t, fs, "a", 0)
	put(t, f, pattern(300_000, 2), 0)
	must(t, f.Fsync(t.Context())) // ends in WRITEs that are FILE_SYNC
	undo()
	s.ResetCounts()
	put(t, f, pattern(300_000, 3), 0)
	must(t, f.Fsync(t.Context()))
	want(t, "COMMITs", s.Counts()["COMMIT"], 1)
}
