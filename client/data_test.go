package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// dataFS mounts s, without sockets, for tests of the data path.
func dataFS(t *testing.T, s *nfstest.Server, options string) *FS {
	t.Helper()
	o, err := mountopt.Parse("timeo=20," + options)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := mountopt.ParseSpec(s.Export())
	if err != nil {
		t.Fatal(err)
	}
	cred := rpc.NewCred(0, 0, nil)
	session, err := mount.Dial(t.Context(), mount.Config{Spec: spec, Options: o, Cred: cred, DialContext: s.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	fs, err := New(t.Context(), session, Options{Cred: cred})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := fs.Close(ctx); err != nil && !t.Failed() {
			t.Logf("close: %v", err)
		}
		if err := session.Umount(ctx); err != nil && !t.Failed() {
			t.Logf("umount: %v", err)
		}
	})
	return fs
}

func create(t *testing.T, fs *FS, name string, flags int) *File {
	t.Helper()
	_, _, f, err := fs.Create(t.Context(), fs.cred, fs.Root(), name, os.O_RDWR|flags, 0o644, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Release)
	return f
}

func put(t *testing.T, f *File, p []byte, off int64) {
	t.Helper()
	if n, err := f.WriteAt(t.Context(), p, off); n != len(p) || err != nil {
		t.Fatalf("WriteAt(%d bytes at %d) = %d, %v", len(p), off, n, err)
	}
}

func pattern(n int, seed uint64) []byte {
	p := make([]byte, n)
	rnd := rand.New(rand.NewPCG(seed, 7))
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

func stored(t *testing.T, s *nfstest.Server, name string) []byte {
	t.Helper()
	b, err := s.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNothingIsLostWhenTheServerRestartsBetweenWriteAndCommit(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fs := dataFS(t, s, "wsize=65536")
	f := create(t, fs, "a", 0)
	want := pattern(1<<20, 1)
	put(t, f, want, 0)
	if err := fs.drain(t.Context(), f.ino); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	if b := stored(t, s, "a"); bytes.Equal(b, want) {
		t.Fatal("the server did not lose anything: the test shows nothing")
	}
	if err := f.Fsync(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Restart() // takes away all that was not really committed
	if !bytes.Equal(stored(t, s, "a"), want) {
		t.Fatal("fsync returned, and data was lost")
	}
}

// Two WRITEs of one byte are never under way at once: the server may execute
// them in any order.
func TestAWriteWaitsForOneOfTheSameBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{}) // which tells of WRITEs that overlap
		fs := dataFS(t, s, "wsize=4096")
		f := create(t, fs, "a", 0)
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DelayCall(20 * time.Millisecond)}})
		for i := range 4 { // each is a whole block, which is sent as soon as it may be
			put(t, f, pattern(4096, uint64(i)), 0)
			time.Sleep(time.Millisecond)
		}
		must(t, f.Fsync(t.Context()))
		if got := stored(t, s, "a"); !bytes.Equal(got, pattern(4096, 3)) {
			t.Errorf("the server has another block than the last one")
		}
	})
}

func TestAVerifierThatChangesAtEachCommitEndsInFileSyncWrites(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.ChangeVerf()}})
	fs := dataFS(t, s, "wsize=65536")
	f := create(t, fs, "a", 0)
	want := pattern(300_000, 2)
	put(t, f, want, 0)
	if err := f.Fsync(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	if !bytes.Equal(stored(t, s, "a"), want) {
		t.Fatal("data was lost")
	}
	if n := s.Counts()["COMMIT"]; n != maxRounds {
		t.Errorf("%d COMMITs, want %d", n, maxRounds)
	}
}

func TestAFileOfOneWriteNeedsNoCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "")
		f := create(t, fs, "a", 0)
		put(t, f, []byte("hello, "), 0)
		put(t, f, []byte("world\n"), 7)
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := s.Counts()
		if c["WRITE"] != 1 || c["COMMIT"] != 0 {
			t.Errorf("%d WRITEs and %d COMMITs, want 1 and 0", c["WRITE"], c["COMMIT"])
		}
		s.Restart()
		if got := stored(t, s, "a"); string(got) != "hello, world\n" {
			t.Errorf("%q is stored", got)
		}
	})
}

func TestReadsSeeWhatWasWrittenBeforeAnyServerDoes(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	s.WriteFile("a", []byte("0123456789"), 0o644)
	fs := dataFS(t, s, "")
	f := create(t, fs, "a", 0)
	put(t, f, []byte("AB"), 3)
	put(t, f, []byte("Z"), 14)
	got := make([]byte, 20)
	n, err := f.ReadAt(t.Context(), got, 0)
	if want := "012AB56789\x00\x00\x00\x00Z"; string(got[:n]) != want || !errors.Is(err, io.EOF) {
		t.Fatalf("%q, %v, want %q and EOF", got[:n], err, want)
	}
	if n, err := f.ReadAt(t.Context(), got[:2], 3); n != 2 || err != nil || string(got[:2]) != "AB" {
		t.Fatalf("%q, %v", got[:n], err)
	}
}

func TestAnErrorOfWriteBehindIsToldOnceByEachOpenFile(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fs := dataFS(t, s, "wsize=4096")
	f, g := create(t, fs, "a", 0), create(t, fs, "a", 0)
	undo := s.Fail(nfs3.ErrNospc, nfstest.Forever, nfs3.ProcWrite)
	put(t, f, pattern(3000, 3), 0)
	if err := f.Fsync(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fsync: %v, want ENOSPC", err)
	}
	undo()
	if err := f.Flush(t.Context()); err != nil {
		t.Fatalf("the error was told twice: %v", err)
	}
	if err := g.Flush(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the other open file: %v, want ENOSPC", err)
	}
	want := pattern(3000, 4)
	put(t, f, want, 0) // there is room again
	if err := f.Fsync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stored(t, s, "a"), want) {
		t.Fatal("what was written after the error is not there")
	}
}

func TestShortWritesAndShortReadsAreFinished(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite, nfs3.ProcRead}, Times: nfstest.Forever, Chance: 0.7, Do: []nfstest.Action{nfstest.Short(1000)}})
	fs := dataFS(t, s, "wsize=65536,rsize=65536")
	f := create(t, fs, "a", 0)
	want := pattern(400_000, 5)
	put(t, f, want, 0)
	if err := f.Fsync(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if n, err := f.ReadAt(t.Context(), got, 0); n != len(want) || err != nil || !bytes.Equal(got, want) {
		t.Fatalf("read %d bytes, %v, equal %v", n, err, bytes.Equal(got, want))
	}
}

func TestAServerThatWritesNothingOrReadsNothingIsAnErrorInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		s.WriteFile("a", pattern(5000, 1), 0o644)
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite, nfs3.ProcRead}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Short(0)}})
		fs := dataFS(t, s, "")
		f := create(t, fs, "a", 0)
		if _, err := f.ReadAt(t.Context(), make([]byte, 10), 0); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("read: %v, want an error", err)
		}
		put(t, f, []byte("x"), 0)
		if err := f.Fsync(t.Context()); !errors.Is(err, syscall.EIO) {
			t.Errorf("fsync: %v, want EIO", err)
		}
	})
}

func TestSequentialReadersAreReadAheadForAndRandomOnesAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		want := pattern(2<<20, 6)
		s.WriteFile("a", want, 0o644)
		fs := dataFS(t, s, "rsize=65536")
		f := create(t, fs, "a", 0)
		var got bytes.Buffer
		buf := make([]byte, 10_000)
		for off := int64(0); ; {
			n, err := f.ReadAt(t.Context(), buf, off)
			got.Write(buf[:n])
			off += int64(n)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Fatal("other bytes were read than there are")
		}
		if n := s.Counts()["READ"]; n > 2<<20/65536+6 {
			t.Errorf("%d READs of 64 KiB for 2 MiB: they were not made ahead", n)
		}
		before := s.Counts()["READ"]
		g := create(t, fs, "a", 0)
		for i := range 20 {
			off := int64(i*7919*64) % (2<<20 - 100)
			if _, err := g.ReadAt(t.Context(), buf[:100], off); err != nil || !bytes.Equal(buf[:100], want[off:off+100]) {
				t.Fatalf("random read at %d: %v", off, err)
			}
		}
		if n := s.Counts()["READ"] - before; n != 20 {
			t.Errorf("%d READs for 20 random reads", n)
		}
	})
}

func TestAppendersOfOneClientNeverOverwriteEachOther(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fs := dataFS(t, s, "")
	var wg sync.WaitGroup
	for i := range 4 {
		f := create(t, fs, "log", os.O_APPEND)
		wg.Go(func() {
			for j := range 50 {
				if _, _, err := f.Append(t.Context(), fmt.Appendf(nil, "writer %d line %02d\n", i, j)); err != nil {
					t.Error(err)
				}
			}
			if err := f.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	lines := bytes.Split(bytes.TrimSpace(stored(t, s, "log")), []byte("\n"))
	seen := map[string]bool{}
	for _, l := range lines {
		seen[string(l)] = true
	}
	if len(lines) != 200 || len(seen) != 200 {
		t.Fatalf("%d lines, %d of them different, want 200", len(lines), len(seen))
	}
}

func TestTheMemoryForDirtyDataIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "wsize=65536,dirty=256k")
		f := create(t, fs, "a", 0)
		want := pattern(4<<20, 8)
		for off := 0; off < len(want); off += 5000 {
			put(t, f, want[off:min(off+5000, len(want))], int64(off))
			fs.wb.budget.mu.Lock()
			used := fs.wb.budget.used
			fs.wb.budget.mu.Unlock()
			if used > 256<<10 {
				t.Fatalf("%d bytes are dirty, 256 KiB are allowed", used)
			}
		}
		if err := f.Fsync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(stored(t, s, "a"), want) {
			t.Fatal("data differs")
		}
		if fs.wb.budget.used != 0 {
			t.Errorf("%d bytes are still accounted for", fs.wb.budget.used)
		}
	})
}

func TestACallerThatGivesUpLeavesTheDataToWriteBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "")
		f := create(t, fs, "a", 0)
		s.Freeze()
		put(t, f, []byte("precious"), 0)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := f.Fsync(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("fsync: %v", err)
		}
		s.Thaw()
		if err := f.Fsync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := stored(t, s, "a"); string(got) != "precious" {
			t.Fatalf("%q is stored", got)
		}
	})
}
