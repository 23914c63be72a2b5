package client

import (
	"errors"
	"math"
	"testing"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// allocs returns how often fn allocates: the least of many runs, as a collection
// of garbage empties the pools.
func allocs(t *testing.T, fn func() error) float64 {
	if raceEnabled {
		t.Skip("the race detector makes pools forget at random; this is tested without it, too")
	}
	least := math.Inf(1)
	for range 200 {
		least = min(least, testing.AllocsPerRun(1, func() { must(t, fn()) }))
	}
	return least
}

// A read of a file allocates what the READ does that it makes, and the server
// for it: nothing of its own.
func TestReadsAllocateNothing(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	s.WriteFile("a", pattern(1<<20, 1), 0o644)
	fs := dataFS(t, s, "rsize=4096")
	f := create(t, fs, "a", 0)
	var (
		p     = make([]byte, 4096)
		off   = int64(0)
		args  = nfs3.ReadArgs{File: f.ino.FH(), Count: uint32(len(p))}
		reply nfs3.ReadReply
		loan  Loan
	)
	elsewhere := func() int64 { off = (off + 300<<10) % (1 << 20); return off } // nobody reads ahead of that
	base := allocs(t, func() error { return fs.nfs.Read(t.Context(), f.cred, &args, &reply, p) })
	if n := allocs(t, func() error { _, err := f.ReadAt(t.Context(), p, elsewhere()); return err }); n > base {
		t.Errorf("ReadAt: %.0f allocations, READ %.0f", n, base)
	}
	if n := allocs(t, func() error {
		defer loan.Release()
		return f.Lend(t.Context(), p, elsewhere(), &loan)
	}); n > base {
		t.Errorf("Lend: %.0f allocations, READ %.0f", n, base)
	}
}

// Attributes and names that are asked for allocate what the GETATTR and the
// LOOKUP do, and the server for them; those that are known allocate nothing.
func TestAttributesAndNamesAllocateNothing(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	s.WriteFile("a", nil, 0o644)
	fs := dataFS(t, s, "")
	ctx, root := t.Context(), fs.Root()
	ino := find(t, fs, "a")
	var (
		getattr = nfs3.GetattrArgs{Object: ino.FH()}
		lookup  = nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: root.FH(), Name: "a"}}
		attr    nfs3.GetattrReply
		found   nfs3.LookupReply
	)
	getattrs := allocs(t, func() error { return fs.nfs.Getattr(ctx, alice, &getattr, &attr) })
	lookups := allocs(t, func() error { return fs.nfs.Lookup(ctx, alice, &lookup, &found) })
	for _, tt := range []struct {
		name string
		most float64
		fn   func() error
	}{
		{"attributes that are asked for", getattrs, func() error { _, err := fs.getattr(ctx, alice, ino); return err }},
		{"a name that is asked for", lookups, func() error { _, _, err := fs.lookup(ctx, alice, root, "a"); return err }},
		{"attributes that are known", 0, func() error { _, err := fs.Getattr(ctx, alice, ino); return err }},
		{"a name that is known", 0, func() error { _, _, err := fs.Lookup(ctx, alice, root, "a"); return err }},
	} {
		if n := allocs(t, tt.fn); n > tt.most {
			t.Errorf("%s: %.0f allocations, at most %.0f expected", tt.name, n, tt.most)
		}
	}
}

// A write of a whole extent from the writer's memory allocates what its WRITE
// and its COMMIT do, and the server for them.
func TestLentWritesAllocateNothing(t *testing.T) {
	fs, f := lends(t, nfstest.NewFor(t, nfstest.Options{}))
	var (
		p       = make([]byte, 1024)
		write   = nfs3.WriteArgs{File: f.ino.FH(), Data: p}
		written nfs3.WriteReply
		commit  = nfs3.CommitArgs{File: f.ino.FH()}
		done    nfs3.CommitReply
	)
	base := allocs(t, func() error {
		return errors.Join(fs.nfs.Write(t.Context(), f.cred, &write, &written), fs.nfs.Commit(t.Context(), f.cred, &commit, &done))
	})
	if n := allocs(t, func() error { _, err := f.WriteAt(t.Context(), p, 0); return err }); n > base {
		t.Errorf("WriteAt: %.0f allocations, WRITE and COMMIT %.0f", n, base)
	}
}
