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
					d := &f.ino.data
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

func TestWriteWaitTellsOfErrorsAtOnce(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fs := dataFS(t, s, "write=wait")
	f := create(t, fs, "a", 0)
	defer s.Fail(nfs3.ErrNospc, nfstest.Forever, nfs3.ProcWrite)()
	if n, err := f.WriteAt(t.Context(), []byte("x"), 0); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("WriteAt: %d, %v, want ENOSPC", n, err)
	}
}
