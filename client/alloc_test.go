package client

import (
	"math"
	"testing"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// A read of a file allocates what the READ does that it makes, and the server
// for it: nothing of its own.
func TestReadsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget at random; this is tested without it, too")
	}
	s := nfstest.NewFor(t, nfstest.Options{})
	s.WriteFile("a", pattern(1<<20, 1), 0o644)
	fs := dataFS(t, s, "rsize=4096")
	f := create(t, fs, "a", 0)
	// The least of many runs: a collection of garbage empties the pools.
	allocs := func(fn func() error) float64 {
		least := math.Inf(1)
		for range 200 {
			least = min(least, testing.AllocsPerRun(1, func() { must(t, fn()) }))
		}
		return least
	}
	var (
		p     = make([]byte, 4096)
		off   = int64(0)
		args  = nfs3.ReadArgs{File: f.ino.FH(), Count: uint32(len(p))}
		reply nfs3.ReadReply
		loan  Loan
	)
	elsewhere := func() int64 { off = (off + 300<<10) % (1 << 20); return off } // nobody reads ahead of that
	base := allocs(func() error { return fs.nfs.Read(t.Context(), f.cred, &args, &reply, p) })
	if n := allocs(func() error { _, err := f.ReadAt(t.Context(), p, elsewhere()); return err }); n > base {
		t.Errorf("ReadAt: %.0f allocations, READ %.0f", n, base)
	}
	if n := allocs(func() error {
		defer loan.Release()
		return f.Lend(t.Context(), p, elsewhere(), &loan)
	}); n > base {
		t.Errorf("Lend: %.0f allocations, READ %.0f", n, base)
	}
}
