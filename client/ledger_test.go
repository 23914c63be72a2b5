package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// The data path against an array of bytes, while the server restarts (and
// loses what was only UNSTABLE), loses, repeats and cuts replies. Every read
// must see the array; after each fsync the server's stable store must hold it.
func TestDataPathAgainstAByteArrayUnderFaults(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { ledger(t, seed) })
		})
	}
}

func ledger(t *testing.T, seed uint64) {
	const maxSize = 60_000
	s := nfstest.NewFor(t, nfstest.Options{Seed: seed + 1})
	data := []uint32{nfs3.ProcRead, nfs3.ProcWrite, nfs3.ProcCommit}
	for _, f := range []nfstest.Fault{
		{Chance: 0.02, Do: []nfstest.Action{nfstest.Status(nfs3.ErrJukebox)}},
		{Chance: 0.05, Do: []nfstest.Action{nfstest.Short(700)}},
		{Chance: 0.05, Do: []nfstest.Action{nfstest.Fragments(100)}},
		{Chance: 0.05, Do: []nfstest.Action{nfstest.Duplicate(1)}},
		{Chance: 0.3, Do: []nfstest.Action{nfstest.Delay(2 * time.Millisecond)}},
		// A call that is executed late, after its copy on another connection was
		// answered, would undo what was written since, but for the server's cache
		// of duplicate requests.
		{Chance: 0.02, Do: []nfstest.Action{nfstest.ResetAt(int(seed*37) % 200)}},
		{Chance: 0.3, Do: []nfstest.Action{nfstest.DelayCall(2 * time.Millisecond)}},
	} {
		f.Procs, f.Times = data, nfstest.Forever
		s.Fault(f)
	}
	fs := dataFS(t, s, "rsize=4096,wsize=4096")
	f := create(t, fs, "a", 0)
	rnd := rand.New(rand.NewPCG(seed, 11))
	model := []byte{}
	behind := make(chan struct{}, 1) // write-behind goes on while we do other things
	push := func(do func() error) {
		select {
		case behind <- struct{}{}:
			go func() { // ends with its flush, and the test waits for it
				do()
				<-behind
			}()
		default:
		}
	}
	defer func() { behind <- struct{}{} }()
	next := 0
	for step := range 300 {
		off := rnd.IntN(maxSize)
		if rnd.IntN(2) == 0 {
			off = next // a sequential reader, and writes where it will come to
		}
		switch rnd.IntN(14) {
		case 0, 1, 2, 3, 4:
			p := pattern(1+rnd.IntN(1+9000>>rnd.IntN(10)), rnd.Uint64())
			if end := off + len(p); end > len(model) {
				model = append(model, make([]byte, end-len(model))...)
			}
			copy(model[off:], p)
			put(t, f, p, int64(off))
		case 5, 6, 7:
			p := make([]byte, 1+rnd.IntN(6_000))
			next = off + len(p)
			n, err := f.ReadAt(t.Context(), p, int64(off))
			want := model[min(off, len(model)):min(off+len(p), len(model))]
			if err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(p[:n], want) {
				t.Fatalf("step %d: read %d bytes at %d of %d: %v; got %d, first difference at %d", step, len(p), off, len(model), err, n, differ(p[:n], want))
			}
		case 8:
			s.Restart()
		case 9:
			size := rnd.IntN(maxSize)
			if _, err := fs.Setattr(t.Context(), fs.cred, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: uint64(size)}}); err != nil {
				t.Fatalf("step %d: truncate: %v", step, err)
			}
			model = append(model[:min(size, len(model))], make([]byte, max(0, size-len(model)))...)
		case 10:
			if err := fs.drain(t.Context(), f.ino); err != nil {
				t.Fatalf("step %d: drain: %v", step, err)
			}
		case 12:
			push(func() error { return fs.drain(t.Context(), f.ino) })
		case 13:
			push(func() error { return fs.flush(t.Context(), f.ino) })
		case 11:
			if err := f.Fsync(t.Context()); err != nil {
				t.Fatalf("step %d: fsync: %v", step, err)
			}
			s.Restart()
			if got := stored(t, s, "a"); !bytes.Equal(got, model) {
				t.Fatalf("step %d: fsync returned, but the server holds %d bytes of %d; first difference at %d", step, len(got), len(model), differ(got, model))
			}
		}
		if a, err := fs.Getattr(t.Context(), fs.cred, f.ino); err != nil || a.Size != uint64(len(model)) {
			t.Fatalf("step %d: size %d, %v, want %d", step, a.Size, err, len(model))
		}
	}
}

func differ(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
