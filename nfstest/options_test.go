package nfstest_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

func TestAReadOnlyExportRefusesChanges(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{ReadOnly: true})
	must(t, s.WriteFile("f", []byte("text"), 0644))
	c := connect(t, s, "mem-tcp")
	f, err := s.Handle("f")
	must(t, err)
	in := nfs3.DirOpArgs{Dir: c.root, Name: "f"}
	for name, err := range map[string]error{
		"WRITE":   c.Write(c.ctx, c.cred, &nfs3.WriteArgs{File: f, Count: 1, Data: []byte("x")}, new(nfs3.WriteReply)),
		"CREATE":  c.Create(c.ctx, c.cred, &nfs3.CreateArgs{Where: in}, new(nfs3.CreateReply)),
		"REMOVE":  c.Remove(c.ctx, c.cred, &nfs3.RemoveArgs{Object: in}, new(nfs3.RemoveReply)),
		"SETATTR": c.Setattr(c.ctx, c.cred, &nfs3.SetattrArgs{Object: f}, new(nfs3.SetattrReply)),
	} {
		if !errors.Is(err, nfs3.ErrRofs) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var a nfs3.AccessReply
	must(t, c.Access(c.ctx, c.cred, &nfs3.AccessArgs{Object: c.root, Access: 0x3f}, &a))
	if a.Access != nfs3.AccessRead|nfs3.AccessLookup {
		t.Errorf("ACCESS grants %#x", a.Access)
	}
}

func TestNoAttrLeavesOutWhatIsOptional(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{NoAttr: true})
	c := connect(t, s, "mem-tcp")
	var r nfs3.CreateReply
	must(t, c.Create(c.ctx, c.cred, &nfs3.CreateArgs{Where: nfs3.DirOpArgs{Dir: c.root, Name: "f"}}, &r))
	if r.Attr.Present || r.DirWcc.Before.Present || r.DirWcc.After.Present || !r.Object.Present {
		t.Errorf("CREATE = %+v", r)
	}
	var p nfs3.ReaddirplusReply
	must(t, c.Readdirplus(c.ctx, c.cred, &nfs3.ReaddirplusArgs{Dir: c.root, DirCount: 4096, MaxCount: 4096}, &p))
	for _, e := range p.Entries {
		if e.Attr.Present || !e.FH.Present {
			t.Errorf("READDIRPLUS has %+v", e)
		}
	}
}

func TestSyncWritesAreCommitted(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{SyncWrites: true})
	c := connect(t, s, "mem-tcp")
	if w := c.write(t, c.create(t, "f"), 0, "x", nfs3.Unstable); w.Committed != nfs3.FileSync {
		t.Errorf("committed %v", w.Committed)
	}
	if l := s.Unsaved(); len(l) > 0 {
		t.Errorf("unsaved: %q", l)
	}
}

func TestFlavorsThatAreNotOfferedAreDenied(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{Flavors: []rpc.Flavor{rpc.FlavorGSS, rpc.FlavorNone}})
	m := mountd.NewClient(program(t, s, "mem-tcp", 20048, mountd.Program, 3))
	r, err := m.Mnt(t.Context(), "/export")
	must(t, err)
	if !slices.Equal(r.Flavors, []uint32{6, 0}) {
		t.Errorf("MNT offers %v", r.Flavors)
	}
	root, err := s.Handle("/")
	must(t, err)
	c := dialRaw(t, s, "tcp")
	msg := c.call(c.nfs(nfs3.ProcGetattr, &nfs3.GetattrArgs{Object: root}))
	if want := []uint32{c.xid, 1, 1, 1, 5}; !slices.Equal(words(msg, 9), want) {
		t.Errorf("GETATTR with AUTH_SYS: %v, want AUTH_TOOWEAK", words(msg, 9))
	}
	c.call(c.nfs(nfs3.ProcNull, nil)) // NULL is for everybody
}

func TestHighPortsAreDeniedOnRequest(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{PrivilegedPort: true})
	c := connect(t, s, "udp") // from an ephemeral port
	var refused *rpc.DeniedError
	if err := c.Getattr(c.ctx, c.cred, &nfs3.GetattrArgs{Object: c.root}, new(nfs3.GetattrReply)); !errors.As(err, &refused) {
		t.Errorf("GETATTR from a high port: %v", err)
	}
	c = connect(t, s, "mem-tcp") // from 701
	must(t, c.Getattr(c.ctx, c.cred, &nfs3.GetattrArgs{Object: c.root}, new(nfs3.GetattrReply)))
}

func TestAnUnlistedExportIsNotTold(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{Unlisted: true})
	m := mountd.NewClient(program(t, s, "mem-tcp", 20048, mountd.Program, 3))
	if _, err := m.Mnt(t.Context(), "/export"); err != nil {
		t.Error(err)
	}
	e, err := m.Export(t.Context())
	must(t, err)
	d, err := m.Dump(t.Context())
	must(t, err)
	if len(e)+len(d) != 0 || len(s.Mounts()) != 1 {
		t.Errorf("EXPORT tells %v, DUMP %v", e, d)
	}
}

func TestOtherProgramsAndVersionsAreRefused(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{Lax: true})
	c := dialRaw(t, s, "tcp")
	for name, tt := range map[string]struct{ prog, vers, proc, want uint32 }{
		"another program":   {400000, 3, 0, 1},
		"MOUNT at NFS":      {100005, 3, 0, 1},
		"another version":   {100003, 4, 0, 2},
		"another procedure": {100003, 3, 22, 3},
		"no arguments":      {100003, 3, 1, 4},
	} {
		s2 := []uint32{9, 1, 0, 0, 0, tt.want}
		if tt.want == 2 {
			s2 = append(s2, 3, 3)
		}
		got := words(c.call(message(9, tt.prog, tt.vers, tt.proc, nil)), 9)
		if !slices.Equal(got, s2) {
			t.Errorf("%s: %v, want %v", name, got, s2)
		}
	}
}

func TestStatusAfterExecutesTheCall(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	c := connect(t, s, "mem-tcp")
	s.Fault(do(nfstest.StatusAfter(nfs3.ErrIO)))
	err := c.Mkdir(c.ctx, c.cred, &nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Dir: c.root, Name: "d"}}, new(nfs3.MkdirReply))
	if _, there := s.Stat("d"); !errors.Is(err, nfs3.ErrIO) || there != nil {
		t.Errorf("MKDIR: %v; the directory: %v", err, there)
	}
}
