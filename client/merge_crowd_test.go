package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// Relays are told to file systems that are open, and to each of a session.
func TestAClosedFileSystemIsToldOfNoRelay(t *testing.T) {
	r := newMergeRig(t, "", 4<<20, 0)
	r.Fault(nfstest.Fault{Times: nfstest.Forever, Procs: []uint32{nfs3.ProcRead}, Do: []nfstest.Action{nfstest.Gather(4, time.Millisecond)}})
	mo, err := mountopt.Parse(r.MountOptions() + ",rahead=0")
	must(t, err)
	spec, err := mountopt.ParseSpec(r.Export())
	must(t, err)
	s, err := mount.Dial(t.Context(), mount.Config{Spec: spec, Options: mo, Cred: alice, DialContext: r.DialContext})
	must(t, err)
	defer s.Close()
	a, err := New(t.Context(), s, Options{Cred: alice})
	must(t, err)
	defer a.Close(context.Background())
	b, err := New(t.Context(), s, Options{Cred: alice})
	must(t, err)
	f, err := a.Open(t.Context(), alice, find(t, a, "file"), os.O_RDONLY)
	must(t, err)
	defer f.Release()
	at := int64(0)
	read := func() {
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				p := make([]byte, 2048)
				for range 20 {
					if _, err := f.ReadAt(t.Context(), p, (atomic.AddInt64(&at, 2048)-2048)%(4<<20)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	// crowd reads until a is told of a relay: there may be none for a while where
	// others want the processors.
	crowd := func() {
		t.Helper()
		was := a.merge.ended.Load()
		for range 100 {
			read()
			if a.merge.ended.Load() != was {
				return
			}
		}
		t.Fatal("a is told of no relay")
	}
	crowd()
	told := b.merge.ended.Load()
	if told == 0 {
		t.Error("b is not told of relays")
	}
	must(t, b.Close(context.Background()))
	crowd()
	want(t, "ends that b was told of", b.merge.ended.Load(), told)
}

// Readers in parallel, with faults, and some who give up: in each other's way they
// are not.
func TestACrowdOfReaders(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []nfstest.Fault
		fewer  bool // READs than reads
	}{
		{"several are answered together", []nfstest.Fault{{Do: []nfstest.Action{nfstest.Gather(4, time.Millisecond)}}}, true},
		{"short answers, errors, delays", []nfstest.Fault{
			{Chance: .1, Do: []nfstest.Action{nfstest.Short(1000)}},
			{Chance: .1, Do: []nfstest.Action{nfstest.Status(nfs3.ErrJukebox)}},
			{Chance: .2, Do: []nfstest.Action{nfstest.Delay(time.Millisecond)}},
			{Chance: .1, Do: []nfstest.Action{nfstest.Duplicate(1)}},
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const block, readers, rounds = 2048, 16, 40
			r := newMergeRig(t, "", block*readers*rounds-500, 0)
			for _, f := range tt.faults {
				f.Times, f.Procs = nfstest.Forever, []uint32{nfs3.ProcRead}
				r.Fault(f)
			}
			pass := func() {
				var next atomic.Int64
				var wg sync.WaitGroup
				for w := range readers {
					wg.Go(func() {
						p := make([]byte, block)
						for i := int(next.Add(1)) - 1; i < readers*rounds; i = int(next.Add(1)) - 1 {
							ctx, stop := context.WithCancel(t.Context())
							if w == 0 && i%3 == 0 {
								time.AfterFunc(100*time.Microsecond, stop)
							}
							clear(p)
							r.fs.merge.shorts.Store(0)
							n, err := r.f.ReadAt(ctx, p, int64(i*block))
							stop()
							there := r.data[i*block : min((i+1)*block, len(r.data))]
							if errors.Is(err, context.Canceled) {
								continue
							}
							if n != len(there) || err != nil && err != io.EOF || !bytes.Equal(p[:n], there) {
								t.Errorf("block %d: %d bytes, %v, or they differ", i, n, err)
							}
						}
					})
				}
				wg.Wait()
			}
			pass()
			for tries := 1; tt.fewer && len(strings.Fields(r.came())) >= readers*rounds; tries++ {
				if tries == 20 { // others may want the processors, and there are no relays for a while
					t.Fatal("as many READs as reads")
				}
				pass()
			}
			// A READ that all have left is over a little later.
			for end := time.Now().Add(10 * time.Second); r.fs.merge.relays.Load() != 0; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("a relay that does not end")
				}
			}
		})
	}
}
