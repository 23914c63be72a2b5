package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// lends returns a file of a file system that takes the server for one whose
// COMMITs cost nothing, and the file for one with many writers.
func lends(t *testing.T, s *nfstest.Server) (*FS, *File) {
	fs := dataFS(t, s, "wsize=1024")
	fs.wb.costs.write.Store(1)
	fs.wb.costs.commit.Store(1)
	fs.wb.costs.most, fs.wb.costs.slack = time.Hour, time.Hour
	f := create(t, fs, "a", 0)
	f.ino.data().writing.Add(lentWriters)
	return fs, f
}

// lendsNow waits until an extent of f has somebody's memory.
func lendsNow(t *testing.T, f *File, state extentState) {
	t.Helper()
	d := f.ino.data()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		d.mu.Lock()
		ok := len(d.kept) > 0 && d.kept[0].lender != nil && d.kept[0].state == state
		d.mu.Unlock()
		if ok {
			return
		}
	}
	t.Fatal("nothing is written from the writer's memory")
}

// begin starts a write of p in the background, and returns a function that
// waits for its end and then spoils p.
func begin(ctx context.Context, t *testing.T, f *File, p []byte, off int64) (end func() error) {
	done := make(chan error, 1)
	go func() { // ends with the write, which each test waits for
		_, err := f.WriteAt(ctx, p, off)
		done <- err
	}()
	return func() error {
		t.Helper()
		select {
		case err := <-done:
			clear(p)
			return err
		case <-time.After(10 * time.Second):
			t.Fatal("WriteAt does not return")
			return nil
		}
	}
}

func TestWhichWritesAreMadeFromTheWritersMemory(t *testing.T) {
	for _, tt := range []struct {
		name   string
		off, n int
		before func(t *testing.T, f *File)
		want   bool
	}{
		{"a whole extent", 2048, 1024, nil, true},
		{"a part of one", 2048, 1000, nil, false},
		{"one that crosses two", 1000, 1024, nil, false},
		{"two", 2048, 2048, nil, false},
		{"too few writers", 2048, 1024, func(_ *testing.T, f *File) { f.ino.data().writing.Add(-1) }, false},
		{"a dear COMMIT", 2048, 1024, func(_ *testing.T, f *File) { f.fs.wb.costs.commit.Store(int64(3 * time.Hour)) }, false},
		{"what is dirty lies there", 2048, 1024, func(t *testing.T, f *File) { put(t, f, []byte("x"), 3071) }, false},
		{"what is dirty lies beside it", 2048, 1024, func(t *testing.T, f *File) { put(t, f, []byte("x"), 3072) }, true},
		{"a server that restarts all the time", 2048, 1024, func(_ *testing.T, f *File) { f.ino.data().rounds = maxRounds }, false},
		{"a shorter frame", 2048, 1024, func(_ *testing.T, f *File) { f.fs.frame.Store(512) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				// So write-behind has not answered when WriteAt returns.
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DelayCall(50 * time.Millisecond)}})
				_, f := lends(t, s)
				d := f.ino.data()
				d.writing.Add(-1) // WriteAt is one itself
				if tt.before != nil {
					tt.before(t, f)
				}
				put(t, f, pattern(tt.n, 1), int64(tt.off))
				d.mu.Lock()
				got := len(d.dirty.overlap(uint64(tt.off), 3072)) == 0 && len(d.kept) == 0
				d.mu.Unlock()
				if got != tt.want {
					t.Errorf("safe when WriteAt returned: %v, want %v", got, tt.want)
				}
				must(t, f.Fsync(t.Context()))
				if got, want := stored(t, s, "a")[tt.off:tt.off+tt.n], pattern(tt.n, 1); !bytes.Equal(got[:999], want[:999]) {
					t.Errorf("the file differs at %d", differ(got, want))
				}
			})
		})
	}
}

func TestWritersAtOnceShareTheirCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Delay(5 * time.Millisecond)}})
		fs, f := lends(t, s)
		s.ResetCounts()
		const writers, blocks = 8, 20
		var wg sync.WaitGroup
		start := time.Now()
		for w := range writers {
			wg.Go(func() {
				for b := range blocks {
					put(t, f, pattern(1024, uint64(w*blocks+b)), int64(w*blocks+b)*1024)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took > 2500*time.Millisecond { // 0.2 s here; 5 s if each COMMIT waits for the ager
			t.Errorf("it took %v", took)
		}
		want(t, "DirtyBytes", fs.DirtyBytes(), 0)
		n := s.Counts()
		want(t, "WRITEs", n["WRITE"], writers*blocks)
		if n["COMMIT"] > writers*blocks/3 {
			t.Errorf("%d COMMITs for %d WRITEs of %d writers", n["COMMIT"], writers*blocks, writers)
		}
		s.Restart()
		got := stored(t, s, "a")
		for i := range writers * blocks {
			if !bytes.Equal(got[i*1024:(i+1)*1024], pattern(1024, uint64(i))) {
				t.Fatalf("block %d is lost", i)
			}
		}
	})
}

// The writer may do with its memory what it likes when WriteAt has returned.
func TestWhatWasLentIsKeptAsLongAsItIsNotSafe(t *testing.T) {
	writes, commits := []uint32{nfs3.ProcWrite}, []uint32{nfs3.ProcCommit}
	for _, tt := range []struct {
		name    string
		at      extentState // how far the extent is
		fault   nfstest.Fault
		meet    func(s *nfstest.Server, cancel func())
		release func(s *nfstest.Server)
	}{
		{"the server restarts during the WRITE", sending, nfstest.Fault{Procs: writes, Times: 1, Do: []nfstest.Action{nfstest.DelayCall(100 * time.Millisecond)}},
			func(s *nfstest.Server, _ func()) { s.Restart() }, nil},
		{"the server restarts before the COMMIT", unstable, nfstest.Fault{Procs: commits, Times: 1, Do: []nfstest.Action{nfstest.DelayCall(100 * time.Millisecond)}},
			func(s *nfstest.Server, _ func()) { s.Restart() }, nil},
		{"the writer gives up during the WRITE", sending, nfstest.Fault{Procs: writes, Times: 1, Do: []nfstest.Action{nfstest.DropReply()}},
			func(s *nfstest.Server, cancel func()) { cancel() }, nil},
		{"the writer gives up while the server is silent", sending, nfstest.Fault{Procs: writes, Times: 1, Do: []nfstest.Action{nfstest.DelayCall(50 * time.Millisecond)}},
			func(s *nfstest.Server, cancel func()) { s.Freeze(); cancel() }, (*nfstest.Server).Thaw},
		{"the writer gives up during the COMMIT", unstable, nfstest.Fault{Procs: commits, Times: 1, Do: []nfstest.Action{nfstest.DropReply()}},
			func(s *nfstest.Server, cancel func()) { cancel() }, nil},
		{"the WRITE is short", sending, nfstest.Fault{Procs: writes, Times: 2, Do: []nfstest.Action{nfstest.Short(300), nfstest.DelayCall(20 * time.Millisecond)}},
			func(*nfstest.Server, func()) {}, nil},
		{"the server is busy", sending, nfstest.Fault{Procs: writes, Times: 1, Do: []nfstest.Action{nfstest.Status(nfs3.ErrJukebox)}},
			func(*nfstest.Server, func()) {}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				fs, f := lends(t, s)
				s.Fault(tt.fault)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				end := begin(ctx, t, f, pattern(1024, 7), 0)
				lendsNow(t, f, tt.at)
				got := make([]byte, 1024)
				if _, err := f.ReadAt(t.Context(), got, 0); err != nil || !bytes.Equal(got, pattern(1024, 7)) {
					t.Errorf("a read meanwhile: %v; differs at %d", err, differ(got, pattern(1024, 7)))
				}
				tt.meet(s, cancel)
				must(t, end())
				if n, err := f.ReadAt(t.Context(), got[:1], 0); tt.release == nil && (n != 1 || err != nil && err != io.EOF || got[0] != pattern(1024, 7)[0]) {
					t.Errorf("a read afterwards: %d, %v", n, err)
				}
				if tt.release != nil {
					tt.release(s)
				}
				must(t, f.Fsync(t.Context()))
				s.Restart()
				if got := stored(t, s, "a"); !bytes.Equal(got, pattern(1024, 7)) {
					t.Errorf("the server has %d bytes; differs at %d", len(got), differ(got, pattern(1024, 7)))
				}
				noneInUse(t, fs)
			})
		})
	}
}

func TestALenderIsToldOfItsOwnLoss(t *testing.T) {
	for _, tt := range []struct {
		name string
		proc uint32
	}{{"at the WRITE", nfs3.ProcWrite}, {"at the COMMIT", nfs3.ProcCommit}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{Allow: []nfstest.Kind{nfstest.NotCommitted}})
				fs, f := lends(t, s)
				other, err := fs.Open(t.Context(), fs.cred, f.ino, syscall.O_RDWR)
				must(t, err)
				defer other.Release()
				undo := s.Fail(nfs3.ErrNospc, nfstest.Forever, tt.proc)
				ends := make([]func() error, 5)
				for i := range ends {
					ends[i] = begin(t.Context(), t, f, pattern(1024, uint64(i)), int64(i)*1024)
				}
				for i, end := range ends {
					if err := end(); !errors.Is(err, syscall.ENOSPC) {
						t.Errorf("writer %d: %v, want ENOSPC", i, err)
					}
				}
				undo()
				must(t, other.Fsync(t.Context())) // nobody else lost anything
				must(t, f.Fsync(t.Context()))
				noneInUse(t, fs)
			})
		})
	}
}

// A COMMIT that fails takes more than what is lent with it.
func TestALenderDoesNotHideWhatOthersLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{Allow: []nfstest.Kind{nfstest.NotCommitted}})
		fs, f := lends(t, s)
		put(t, f, []byte("mine"), 5000)
		must(t, fs.drain(t.Context(), f.ino))
		s.Fail(nfs3.ErrIO, 1, nfs3.ProcCommit)
		if err := begin(t.Context(), t, f, pattern(1024, 1), 0)(); !errors.Is(err, syscall.EIO) {
			t.Errorf("the lender: %v, want EIO", err)
		}
		if err := f.Fsync(t.Context()); !errors.Is(err, syscall.EIO) {
			t.Errorf("fsync: %v, but four bytes that were written before are lost", err)
		}
		must(t, f.Fsync(t.Context()))
		noneInUse(t, fs)
	})
}

// The server has not executed a WRITE yet when its writer gives up. What is done
// to the file afterwards must not be undone by it.
func TestAWriteThatWasGivenUpIsNotExecutedLater(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, f *File)
		want []byte
	}{
		{"an overwrite", func(t *testing.T, f *File) { put(t, f, bytes.Repeat([]byte("n"), 1024), 0) }, bytes.Repeat([]byte("n"), 1024)},
		{"an overwrite of a part", func(t *testing.T, f *File) { put(t, f, []byte("new"), 0) }, append([]byte("new"), pattern(1024, 7)[3:]...)},
		{"a truncation", func(t *testing.T, f *File) {
			_, err := f.fs.Setattr(t.Context(), f.cred, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: 0}})
			must(t, err)
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				_, f := lends(t, s)
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Times: 1, Do: []nfstest.Action{nfstest.DelayCall(1500 * time.Millisecond)}})
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				start := time.Now()
				must(t, begin(ctx, t, f, pattern(1024, 7), 0)())
				want(t, "when WriteAt returned", time.Since(start), 50*time.Millisecond)
				tt.do(t, f)
				must(t, f.Fsync(t.Context()))
				for _, when := range []string{"at once", "later"} {
					if got := stored(t, s, "a"); !bytes.Equal(got, tt.want) {
						t.Errorf("%s the server has %d bytes, which differ at %d", when, len(got), differ(got, tt.want))
					}
					time.Sleep(3 * time.Second)
				}
			})
		})
	}
}

func TestWhatIsWrittenOverLentBytesIsNewer(t *testing.T) {
	for _, at := range []extentState{sending, unstable} {
		t.Run([]string{sending: "during the WRITE", unstable: "before the COMMIT"}[at], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				_, f := lends(t, s)
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite, nfs3.ProcCommit}, Times: 2, Do: []nfstest.Action{nfstest.DelayCall(30 * time.Millisecond)}})
				end := begin(t.Context(), t, f, pattern(1024, 1), 1024)
				lendsNow(t, f, at)
				put(t, f, []byte("newer"), 1500)
				must(t, end())
				must(t, f.Fsync(t.Context()))
				s.Restart()
				want := pattern(1024, 1)
				copy(want[1500-1024:], "newer")
				if got := stored(t, s, "a")[1024:]; !bytes.Equal(got, want) {
					t.Errorf("differs at %d", differ(got, want))
				}
			})
		})
	}
}

// Writers of whole and of broken blocks, each of which gives up at times, while
// the server restarts, is busy, writes short and resets connections.
func TestLendersUnderFaults(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{Seed: seed})
				for _, f := range []nfstest.Fault{
					{Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Short(100)}},
					{Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Delay(time.Millisecond)}},
					{Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DelayCall(time.Millisecond)}},
					{Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Duplicate(1)}},
					{Times: nfstest.Forever, Do: []nfstest.Action{nfstest.ResetAt(int(seed*37) % 200)}},
					{Times: 2, Do: []nfstest.Action{nfstest.Status(nfs3.ErrJukebox)}},
				} {
					f.Procs, f.Chance = []uint32{nfs3.ProcWrite, nfs3.ProcCommit}, 0.05
					s.Fault(f)
				}
				fs, f := lends(t, s)
				const writers, blocks = 5, 30
				var wg sync.WaitGroup
				for w := range writers {
					wg.Go(func() { lendUnderFaults(t, s, f, w*blocks*1024, blocks, rand.New(rand.NewPCG(seed, uint64(w)))) })
				}
				wg.Wait()
				must(t, f.Fsync(t.Context()))
				noneInUse(t, fs)
			})
		})
	}
}

// lendUnderFaults is one writer, of blocks blocks from base on.
func lendUnderFaults(t *testing.T, s *nfstest.Server, f *File, base, blocks int, rnd *rand.Rand) {
	model := make([]byte, blocks*1024)
	buf := make([]byte, 2048)
	for step := range 60 {
		off, n := rnd.IntN(blocks-1)*1024, 1024*(1+rnd.IntN(2))
		if rnd.IntN(4) == 0 {
			off, n = off+rnd.IntN(1024), 1+rnd.IntN(1000)
		}
		p := buf[:n]
		copy(p, pattern(n, rnd.Uint64()))
		copy(model[off:], p)
		ctx, cancel := t.Context(), context.CancelFunc(func() {})
		if rnd.IntN(5) == 0 {
			ctx, cancel = context.WithTimeout(ctx, time.Duration(rnd.IntN(1500))*time.Microsecond)
		}
		m, err := f.WriteAt(ctx, p, int64(base+off))
		cancel()
		clear(buf)
		if m < n { // it says so; what is missing is written again
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("step %d: %d of %d bytes, %v", step, m, n, err)
				return
			}
			put(t, f, bytes.Clone(model[off+m:off+n]), int64(base+off+m))
		}
		if rnd.IntN(8) > 0 {
			continue
		}
		must(t, f.Fsync(t.Context()))
		s.Restart()
		got := stored(t, s, "a")
		for i := range model {
			if model[i] != 0 && (base+i >= len(got) || got[base+i] != model[i]) {
				t.Errorf("step %d: byte %d is lost", step, base+i)
				return
			}
		}
	}
}
