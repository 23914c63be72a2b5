package nfstest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
)

// parse reads a list of a test.
func parse(t *testing.T, text string) nfsacl.ACL {
	t.Helper()
	a, err := nfsacl.Parse(text, nfsacl.Names{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// randomACL returns a list, or none.
func randomACL(r *rand.Rand) nfsacl.ACL {
	if r.IntN(4) == 0 {
		return nil
	}
	a := nfsacl.FromMode(uint32(r.IntN(0o1000)))
	for id := range uint32(r.IntN(4)) {
		a = append(a, nfsacl.Entry{Tag: []nfsacl.Tag{nfsacl.User, nfsacl.Group}[r.IntN(2)], ID: id, Perm: uint32(r.IntN(8))})
	}
	if len(a) > 3 || r.IntN(2) == 0 {
		a = append(a, nfsacl.Entry{Tag: nfsacl.Mask, Perm: uint32(r.IntN(8))})
	}
	a.Sort()
	return a
}

// The host's file system is the oracle for what lists do to modes, what chmod
// does to lists, and what is inherited.
func TestListsInMemoryAgreeWithTheHosts(t *testing.T) {
	o := Options{Dir: t.TempDir(), RootMode: 0755}.filled()
	host, err := newDirStore(&o)
	if err != nil {
		t.Fatal(err)
	}
	defer host.close()
	f, err := os.Open(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := setHostACL(f, nfsacl.XattrAccess, append(nfsacl.FromMode(0755), nfsacl.Entry{Tag: nfsacl.Mask})); err != nil {
		t.Skipf("the host's file system has no lists: %v", err)
	}
	if err := setHostACL(f, nfsacl.XattrAccess, nil); err != nil {
		t.Fatal(err)
	}
	who := self()
	who.groups = nil
	memory := newMemory(&o)
	memory.root.uid, memory.root.gid = who.uid, who.gid
	stores := []store{memory, host}
	dirs := [][]nfs3.FH{{memory.rootFH()}, {host.rootFH()}}
	rng := rand.New(rand.NewPCG(1, 2))
	for step := range 300 {
		at, op := rng.IntN(len(dirs[0])), rng.IntN(4)
		mode, access, initial := uint32(rng.IntN(0o1000)), randomACL(rng), randomACL(rng)
		var got [2]string
		for i, s := range stores {
			fh := dirs[i][at]
			var (
				st   nfs3.Status
				name = fmt.Sprint(step)
				set  = nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: mode}}
			)
			switch op {
			case 0:
				var r nfsacl.SetaclReply
				s.setacl(who, fh, &nfsacl.Lists{Mask: nfsacl.MaskACL | nfsacl.MaskDefault, Access: access, Default: initial}, &r)
				st = r.Status
			case 1:
				var r nfs3.SetattrReply
				s.setattr(who, fh, &set, nil, &r)
				st = r.Status
			case 2:
				var r nfs3.MkdirReply
				s.mkdir(who, fh, name, &set, &r)
				if st = r.Status; st == nfs3.OK {
					fh = r.Object.FH
					dirs[i] = append(dirs[i], fh)
				}
			case 3:
				var r nfs3.CreateReply
				s.create(who, fh, name, &nfs3.CreateHow{Mode: nfs3.Guarded, Attr: set}, &r)
				if st = r.Status; st == nfs3.OK {
					fh = r.Object.FH
				}
			}
			var g nfsacl.GetaclReply
			s.getacl(fh, nfsacl.MaskAll, &g)
			got[i] = fmt.Sprintf("%v %v %04o %v", st, g.Status, g.Attr.Attr.Mode, g.Lists)
		}
		if got[0] != got[1] {
			t.Fatalf("step %d, operation %d with mode %04o, %v, %v:\nmemory %s\nhost   %s", step, op, mode, access, initial, got[0], got[1])
		}
	}
}

func TestAccessByList(t *testing.T) {
	list := parse(t, "u::rw,u:1001:rwx,u:1002:-,g::r,g:50:w,g:51:r,m::rw,o::r")
	for _, tt := range []struct {
		name string
		who  ident
		want uint32
	}{
		{"the owner has what is the owner's, whatever the mask", ident{uid: 1000, gid: 9}, 6},
		{"a named user has no more than the mask", ident{uid: 1001, gid: 9}, 6},
		{"a named user without rights gets none as a member", ident{uid: 1002, gid: 50}, 0},
		{"a member of the group", ident{uid: 7, gid: 5}, 4},
		{"a member of a named group", ident{uid: 7, gid: 50}, 2},
		{"a member of both cannot add them up", ident{uid: 7, gid: 5, groups: []uint32{50}}, 6},
		{"a member without rights gets none as one of the others", ident{uid: 7, gid: 50}, 2},
		{"others", ident{uid: 7, gid: 7}, 4},
	} {
		n := &inode{uid: 1000, gid: 5, mode: list.Mode(0), acl: lists{access: list}}
		var got uint32
		for _, p := range []uint32{mayRead, mayWrite, mayExec} {
			if tt.who.may(n, p) {
				got |= p
			}
		}
		if got != tt.want {
			t.Errorf("%s: %o, want %o", tt.name, got, tt.want)
		}
	}
	both := &ident{uid: 7, gid: 5, groups: []uint32{50}}
	if both.may(&inode{uid: 1000, gid: 5, mode: 0660, acl: lists{access: list}}, mayRead|mayWrite) {
		t.Error("reading by one group and writing by another added up")
	}
}

func TestSetaclIsForOwnersAndChecked(t *testing.T) {
	good := parse(t, "u::rw,u:5:rwx,g::r,m::rwx,o::-")
	for _, tt := range []struct {
		name string
		who  *ident
		typ  nfs3.FileType
		l    nfsacl.Lists
		want nfs3.Status
	}{
		{"the owner", alice, nfs3.TypeReg, nfsacl.Lists{Mask: nfsacl.MaskACL, Access: good}, nfs3.OK},
		{"root", root, nfs3.TypeReg, nfsacl.Lists{Mask: nfsacl.MaskACL, Access: good}, nfs3.OK},
		{"somebody else", carol, nfs3.TypeReg, nfsacl.Lists{Mask: nfsacl.MaskACL, Access: good}, nfs3.ErrPerm},
		{"a default list of a file", alice, nfs3.TypeReg, nfsacl.Lists{Mask: nfsacl.MaskDefault, Default: good}, nfs3.ErrAcces},
		{"a default list of a directory", alice, nfs3.TypeDir, nfsacl.Lists{Mask: nfsacl.MaskDefault, Default: good}, nfs3.OK},
		{"what is no list", alice, nfs3.TypeReg, nfsacl.Lists{Mask: nfsacl.MaskACL, Access: good[:3]}, nfs3.ErrInval},
		{"a symbolic link", alice, nfs3.TypeLnk, nfsacl.Lists{Mask: nfsacl.MaskACL, Access: good}, nfs3.ErrNotsupp},
	} {
		w := newWorld(t, Options{})
		n := w.file(alice, "f", 0640, tt.typ)
		var r nfsacl.SetaclReply
		if w.setacl(tt.who, w.fh(n), &tt.l, &r); r.Status != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, r.Status, tt.want)
		}
		if tt.want == nfs3.OK && tt.l.Access != nil {
			if diff := cmp.Diff(good, n.acl.access); diff != "" || n.mode != 0670 {
				t.Errorf("%s: mode %o %s", tt.name, n.mode, diff)
			}
		}
	}
}
