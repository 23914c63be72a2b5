package client

import (
	"errors"
	"slices"
	"testing"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/transport"
)

// own fails the test if fn allocates more than call, which makes the same calls
// of the server. The two take turns, and what counts is the median of their
// differences: the server, and a collection of garbage, which empties pools,
// allocate in either now and then.
func own(t *testing.T, what string, call, fn func() error) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector makes pools forget at random; this is tested without it, too")
	}
	var more []float64
	for range 201 {
		base := testing.AllocsPerRun(1, func() { must(t, call()) })
		more = append(more, testing.AllocsPerRun(1, func() { must(t, fn()) })-base)
	}
	slices.Sort(more)
	if n := more[len(more)/2]; n > 0 {
		t.Errorf("%s: %.0f allocations of its own", what, n)
	}
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
	read := func() error {
		args.Offset = uint64(elsewhere())
		return fs.nfs.Read(t.Context(), f.cred, &args, &reply, p)
	}
	own(t, "ReadAt", read, func() error { _, err := f.ReadAt(t.Context(), p, elsewhere()); return err })
	var into nfs3.ReadvReply
	var sink transport.Sink
	own(t, "Readv", read, func() error {
		args.Offset = uint64(elsewhere())
		sink.Reset(p[:1000])
		sink.Add(p[1000:])
		return fs.nfs.Readv(t.Context(), f.cred, &args, &into, &sink)
	})
	own(t, "Lend", read, func() error {
		defer loan.Release()
		return f.Lend(t.Context(), p, elsewhere(), &loan)
	})
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
	none := func() error { return nil }
	for _, tt := range []struct {
		name     string
		call, fn func() error
	}{
		{"attributes that are asked for", func() error { return fs.nfs.Getattr(ctx, alice, &getattr, &attr) }, func() error { _, err := fs.getattr(ctx, alice, ino); return err }},
		{"a name that is asked for", func() error { return fs.nfs.Lookup(ctx, alice, &lookup, &found) }, func() error { _, _, err := fs.lookup(ctx, alice, root, "a"); return err }},
		{"attributes that are known", none, func() error { _, err := fs.Getattr(ctx, alice, ino); return err }},
		{"a name that is known", none, func() error { _, _, err := fs.Lookup(ctx, alice, root, "a"); return err }},
	} {
		own(t, tt.name, tt.call, tt.fn)
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
	own(t, "WriteAt", func() error {
		return errors.Join(fs.nfs.Write(t.Context(), f.cred, &write, &written), fs.nfs.Commit(t.Context(), f.cred, &commit, &done))
	}, func() error { _, err := f.WriteAt(t.Context(), p, 0); return err })
}
