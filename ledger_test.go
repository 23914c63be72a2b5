package gonfs_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// TestNoAcknowledgedByteIsLost is the ledger. Writers on two mounts, one over
// TCP and one over UDP, put records into files of their own and into one that
// they share, and enter each into a ledger once fsync or close has returned.
// Meanwhile the server crashes, which loses what was UNSTABLE, is away, resets
// connections at every byte of a reply, loses, repeats, delays and reorders
// messages, answers JUKEBOX and takes less than it was given. What is in the
// ledger must be on the server's disk, whole: at once after a crash, and in the
// end. GONFS_SOAK=1 tries 100 seeds in place of 5.
func TestNoAcknowledgedByteIsLost(t *testing.T) {
	seeds := 5
	if os.Getenv("GONFS_SOAK") != "" {
		seeds = 100
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			(&ledger{t: t, seed: uint64(seed)}).run()
		})
	}
}

const (
	ledgerWriters = 4    // half of them on each mount
	ledgerSteps   = 60   // records of a writer
	ledgerSlots   = 6    // places for records of a writer in a file
	ledgerSlot    = 6000 // bytes; no multiple of wsize, so that neighbours share blocks
	recordHead    = 20   // bytes: writer, slot, sequence, length
)

type ledger struct {
	t    *testing.T
	seed uint64
	s    *nfstest.Server
}

func (l *ledger) run() {
	l.s = nfstest.NewFor(l.t, nfstest.Options{Seed: l.seed + 1})
	mounts := []*gonfs.FS{
		dial(l.t, l.s, gonfs.Options{Mount: "rsize=4096,wsize=4096,timeo=20"}),
		dial(l.t, l.s, gonfs.Options{Mount: "rsize=4096,wsize=4096,proto=udp,timeo=2"}),
	}
	if err := mounts[0].WriteFile(l.t.Context(), "shared", nil, 0o666); err != nil {
		l.t.Fatal(err)
	}
	l.faults()
	ctx, stop := context.WithCancel(l.t.Context())
	var chaos, writers sync.WaitGroup
	chaos.Go(func() { l.chaos(ctx) })
	all := make([]*ledgerWriter, ledgerWriters)
	for i := range all {
		all[i] = &ledgerWriter{ledger: l, id: i, fsys: mounts[i%2], rnd: rand.New(rand.NewPCG(l.seed, uint64(i)))}
		writers.Go(all[i].run)
	}
	writers.Wait()
	stop()
	chaos.Wait()
	l.s.Restart()
	for _, w := range all {
		for _, f := range w.files {
			w.check("in the end", f)
		}
	}
}

// faults sets up what happens to calls that move data.
func (l *ledger) faults() {
	rnd := rand.New(rand.NewPCG(l.seed, 99))
	data := []uint32{nfs3.ProcRead, nfs3.ProcWrite, nfs3.ProcCommit}
	add := func(f nfstest.Fault) {
		f.Procs = data
		l.s.Fault(f)
	}
	often := func(chance float64, network string, do ...nfstest.Action) {
		add(nfstest.Fault{Chance: chance, Network: network, Times: nfstest.Forever, Do: do})
	}
	often(0.02, "", nfstest.Status(nfs3.ErrJukebox))
	often(0.05, "", nfstest.Short(700))
	often(0.1, "", nfstest.Duplicate(1))
	often(0.2, "", nfstest.Delay(2*time.Millisecond))
	often(0.1, "", nfstest.Reorder(3*time.Millisecond))
	often(0.05, "tcp", nfstest.Fragments(100))
	often(0.02, "udp", nfstest.DropCall())
	often(0.02, "udp", nfstest.DropReply())
	often(0.03, "udp", nfstest.DuplicateCall(1))
	// A call that is executed late, after its copy on another connection was
	// answered, undoes what was written since: only a server's cache of replies
	// can help there. So connections are reset, or calls are late.
	if l.seed%2 == 0 {
		often(0.2, "tcp", nfstest.DelayCall(2*time.Millisecond))
		return
	}
	for at := range 170 { // a WRITE's reply has 164 bytes with its mark
		add(nfstest.Fault{Network: "tcp", Skip: rnd.IntN(1500), Do: []nfstest.Action{nfstest.ResetAt(at)}})
	}
}

// chaos does what happens to the server as a whole. It ends with ctx.
func (l *ledger) chaos(ctx context.Context) {
	rnd := rand.New(rand.NewPCG(l.seed, 98))
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(20+rnd.IntN(60)) * time.Millisecond):
		}
		switch rnd.IntN(6) {
		case 0, 1, 2:
			l.s.Restart()
		case 3:
			l.s.Restart(nfstest.KeepDRC)
		case 4:
			if l.seed%2 == 1 {
				l.s.ResetConnections()
			}
		case 5:
			l.s.Down()
			time.Sleep(time.Duration(rnd.IntN(30)) * time.Millisecond)
			if err := l.s.Up(); err != nil {
				l.t.Error(err)
			}
		}
	}
}

// ledgerFile is a file that a writer puts records into.
type ledgerFile struct {
	name  string
	first int // number of the writer's first slot
	f     *gonfs.File
	last  [ledgerSlots]uint64 // sequence number of the last record in each slot; 0 is none
	acked [ledgerSlots]uint64 // of the last that fsync or close vouched for
}

type ledgerWriter struct {
	*ledger
	id    int
	fsys  *gonfs.FS
	rnd   *rand.Rand
	files []*ledgerFile
	seq   uint64
}

func (w *ledgerWriter) run() {
	ctx := w.t.Context()
	w.files = []*ledgerFile{{name: fmt.Sprint("own", w.id)}, {name: "shared", first: w.id * ledgerSlots}}
	for range ledgerSteps {
		f := w.files[w.rnd.IntN(len(w.files))]
		w.open(f)
		slot := w.rnd.IntN(ledgerSlots)
		w.seq++
		rec := w.record(f.first+slot, w.seq)
		at := int64(f.first+slot) * ledgerSlot
		for cut := w.rnd.IntN(len(rec)); len(rec) > 0; cut = len(rec) {
			if _, err := f.f.WriteAt(ctx, rec[:cut], at); err != nil {
				w.t.Errorf("writer %d: write to %s: %v", w.id, f.name, err)
				return
			}
			rec, at = rec[cut:], at+int64(cut)
		}
		f.last[slot] = w.seq
		var err error
		switch w.rnd.IntN(6) {
		case 0, 1:
			err = f.f.Sync(ctx)
		case 2:
			err = f.f.Close(ctx)
			f.f = nil
		default:
			continue
		}
		if err != nil {
			w.t.Errorf("writer %d: %s: %v", w.id, f.name, err)
			return
		}
		f.acked = f.last
		if w.rnd.IntN(3) == 0 {
			w.s.Restart()
			w.check("after an fsync or close and a crash", f)
		}
	}
	for _, f := range w.files {
		if f.f == nil {
			continue
		}
		if err := f.f.Close(ctx); err != nil {
			w.t.Errorf("writer %d: close of %s: %v", w.id, f.name, err)
			return
		}
		f.acked = f.last
	}
}

func (w *ledgerWriter) open(f *ledgerFile) {
	if f.f != nil {
		return
	}
	var err error
	if f.f, err = w.fsys.OpenFile(w.t.Context(), f.name, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		w.t.Fatalf("writer %d: open %s: %v", w.id, f.name, err)
	}
}

// record returns the record of a sequence number: the same each time.
func (w *ledgerWriter) record(slot int, seq uint64) []byte {
	rnd := rand.New(rand.NewPCG(seq, uint64(w.id)))
	rec := make([]byte, recordHead+rnd.IntN(ledgerSlot-recordHead))
	for i := range rec[recordHead:] {
		rec[recordHead+i] = byte(rnd.Uint32())
	}
	binary.BigEndian.PutUint32(rec, uint32(w.id))
	binary.BigEndian.PutUint32(rec[4:], uint32(slot))
	binary.BigEndian.PutUint64(rec[8:], seq)
	binary.BigEndian.PutUint32(rec[16:], uint32(len(rec)))
	return rec
}

// check compares what the server's disk has of f with the ledger. Nothing of
// this writer is unacknowledged in f at the time.
func (w *ledgerWriter) check(when string, f *ledgerFile) {
	got, err := w.s.ReadFile(f.name)
	if err != nil {
		w.t.Errorf("%s: %v", when, err)
		return
	}
	for slot, seq := range f.acked {
		if seq == 0 {
			continue
		}
		at := (f.first + slot) * ledgerSlot
		want := w.record(f.first+slot, seq)
		have := got[min(at, len(got)):min(at+len(want), len(got))]
		if !bytes.Equal(have, want) {
			same := 0
			for same < len(have) && have[same] == want[same] {
				same++
			}
			w.t.Errorf("%s: record %d of writer %d, at %d of %s: only the first %d of its %d bytes are on the server",
				when, seq, w.id, at, f.name, same, len(want))
		}
	}
}
