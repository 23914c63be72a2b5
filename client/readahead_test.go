package client

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// What was read ahead is no older, when it is read, than attributes may be.
func TestReadAheadIsNotServedForEver(t *testing.T) {
	for _, tt := range []struct {
		options string
		pause   time.Duration
	}{
		{"rsize=4096,acregmin=1,acregmax=1", 1100 * time.Millisecond},
		{"rsize=4096,noac", 0},
	} {
		t.Run(tt.options, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				s.WriteFile("a", pattern(200_000, 1), 0o644)
				fs := dataFS(t, s, tt.options)
				f := create(t, fs, "a", 0)
				p := make([]byte, 4096)
				for off := int64(0); off < 5*4096; off += 4096 {
					_, err := f.ReadAt(t.Context(), p, off)
					must(t, err)
				}
				time.Sleep(20*time.Millisecond + tt.pause) // the window has been read by now
				newer := pattern(200_000, 2)
				s.WriteFile("a", newer, 0o644)
				_, err := f.ReadAt(t.Context(), p, 5*4096)
				must(t, err)
				if !bytes.Equal(p, newer[5*4096:6*4096]) {
					t.Error("it is not what another client has written")
				}
				f.Release()
				want(t, "read-ahead in use", fs.raBudget.used, 0)
			})
		})
	}
}

// Readers who have several reads under way need nobody to read ahead for them:
// each byte is asked for once.
func TestParallelReadersAreNotReadAheadFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const block, blocks, readers = 4096, 200, 8
		s := nfstest.NewFor(t, nfstest.Options{})
		data := pattern(block*blocks, 1)
		s.WriteFile("a", data, 0o644)
		fs := dataFS(t, s, "rsize=4096")
		f := create(t, fs, "a", 0)
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRead}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Delay(time.Millisecond)}})
		s.ResetCounts()
		var next atomic.Int64
		var wg sync.WaitGroup
		for range readers {
			wg.Go(func() {
				p := make([]byte, block)
				for {
					off := (next.Add(1) - 1) * block
					if off >= int64(len(data)) {
						return
					}
					if _, err := f.ReadAt(t.Context(), p, off); err != nil {
						t.Error(err)
					}
					if !bytes.Equal(p, data[off:off+block]) {
						t.Errorf("wrong data at %d", off)
					}
				}
			})
		}
		wg.Wait()
		if n := s.Counts()["READ"]; n > blocks+2*minWindow/block {
			t.Errorf("%d READs for %d blocks", n, blocks)
		}
	})
}

// What Lend lends is what ReadAt reads, whether it lies in blocks of
// read-ahead, is read for the purpose, or was written here; and nothing is
// kept of it.
func TestWhatIsLentIsWhatIsRead(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	data := pattern(300_000, 1)
	s.WriteFile("a", data, 0o644)
	fs := dataFS(t, s, "rsize=4096")
	f := create(t, fs, "a", 0)
	check := func(off int64, n int) {
		t.Helper()
		var l Loan
		must(t, f.Lend(t.Context(), make([]byte, n), off, &l))
		got := bytes.Join(l.Parts(), nil)
		wanted := data[min(off, int64(len(data))):min(off+int64(n), int64(len(data)))]
		if l.Size() != len(got) || !bytes.Equal(got, wanted) {
			t.Errorf("%d bytes at %d: %d bytes in %d parts, Size %d", n, off, len(got), len(l.Parts()), l.Size())
		}
		l.Release()
	}
	for _, n := range []int64{1000, 4096, 10_000, 60_000} {
		for off := int64(0); off < int64(len(data))+n; off += n {
			check(off, int(n))
		}
	}
	put(t, f, pattern(5000, 2), 70_000)
	copy(data[70_000:], pattern(5000, 2))
	for off := int64(60_000); off < 90_000; off += 3000 {
		check(off, 3000)
	}
	must(t, f.Fsync(t.Context()))
	f.Release()
	must(t, fs.crew.wait(t.Context()))
	want(t, "read-ahead in use", fs.raBudget.used, 0)
}

func TestRaheadBoundsReadAhead(t *testing.T) {
	for _, tt := range []struct {
		options string
		most    int // blocks of 4 KiB that are read
	}{
		{"rsize=4096,rahead=0", 4},
		{"rsize=4096,rahead=16k", 4 + 4},
		{"rsize=4096", 4 + minWindow/4096},
	} {
		t.Run(tt.options, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				s.WriteFile("a", pattern(4<<20, 1), 0o644)
				fs := dataFS(t, s, tt.options)
				f := create(t, fs, "a", 0)
				for off := int64(0); off < 4*4096; off += 4096 {
					_, err := f.ReadAt(t.Context(), make([]byte, 4096), off)
					must(t, err)
				}
				must(t, fs.crew.wait(t.Context()))
				want(t, "READs", s.Counts()["READ"], tt.most)
			})
		})
	}
}
