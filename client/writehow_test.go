package client

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

func TestWriteOptionSaysWhenDataIsSent(t *testing.T) {
	for _, tt := range []struct {
		opts           string
		at, soon, late bool // whether a WRITE was sent when WriteAt returned, soon afterwards, and at the end
	}{
		{"write=lazy", false, false, true},
		{"write=eager", false, true, true},
		{"write=wait", true, true, true},
	} {
		t.Run(tt.opts, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				if !tt.at { // or else a quick writer may be done before WriteAt
					s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DelayCall(100 * time.Millisecond)}})
				}
				fs := dataFS(t, s, tt.opts)
				f := create(t, fs, "a", 0)
				sent := func() bool {
					d := f.ino.data()
					d.mu.Lock()
					defer d.mu.Unlock()
					return !d.pendingLocked(d.seq, false)
				}
				put(t, f, pattern(100, 3), 0)
				if got := sent(); got != tt.at {
					t.Errorf("answered when WriteAt returned: %v, want %v", got, tt.at)
				}
				time.Sleep(400 * time.Millisecond) // less than the delay of write-behind
				if got := sent(); got != tt.soon {
					t.Errorf("answered soon afterwards: %v, want %v", got, tt.soon)
				}
				must(t, f.Fsync(t.Context()))
				if got := sent(); got != tt.late {
					t.Errorf("answered at the end: %v, want %v", got, tt.late)
				}
			})
		})
	}
}

// How many WRITEs small writes one after the other become. Beyond one for each
// whole block it is one for each second, and a COMMIT for each five: test/e2e
// goes by that.
func TestASequentialWriterHasWholeBlocksSent(t *testing.T) {
	const piece, blocks = 8 << 10, 10
	for _, tt := range []struct {
		name            string
		pause           time.Duration // after each write; there are 8 to a block
		writes, commits int
	}{
		{"a quick one", 0, 10, 1},
		{"one whose blocks take half a second", 61 * time.Millisecond, 10, 1},
		{"one that takes more than 5 seconds", 91 * time.Millisecond, 10, 2},
		{"one whose blocks take more than a second", 173 * time.Millisecond, 18, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				f := create(t, dataFS(t, s, "wsize=65536"), "a", 0)
				began := time.Now()
				data := pattern(blocks*8*piece, 5)
				for off := 0; off < len(data); off += piece {
					put(t, f, data[off:off+piece], int64(off))
					time.Sleep(tt.pause)
				}
				must(t, f.Flush(t.Context()))
				n, took := s.Counts(), time.Since(began)
				want(t, "WRITEs", n["WRITE"], tt.writes)
				want(t, "COMMITs", n["COMMIT"], tt.commits)
				if most := blocks + int(took/writeDelay); n["WRITE"] > most {
					t.Errorf("%d WRITEs in %v, want %d at most", n["WRITE"], took, most)
				}
				if most := 1 + int(took/commitDelay); n["COMMIT"] > most {
					t.Errorf("%d COMMITs in %v, want %d at most", n["COMMIT"], took, most)
				}
			})
		})
	}
}

func TestWriteWaitTellsOfErrorsAtOnce(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fs := dataFS(t, s, "write=wait")
	f := create(t, fs, "a", 0)
	defer s.Fail(nfs3.ErrNospc, nfstest.Forever, nfs3.ProcWrite)()
	if n, err := f.WriteAt(t.Context(), []byte("x"), 0); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("WriteAt: %d, %v, want ENOSPC", n, err)
	}
}
