package nfstest

import (
	"testing"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Users of the tests: alice owns, bob is of her group, carol of neither.
var (
	root  = &ident{}
	alice = &ident{uid: 1000, gid: 100}
	bob   = &ident{uid: 1001, gid: 101, groups: []uint32{7, 100}}
	carol = &ident{uid: 1002, gid: 102}
)

func setMode(mode uint32) nfs3.Sattr {
	return nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: mode}}
}

// world is a memory file system with helpers that fail the test.
type world struct {
	*memory
	t *testing.T
}

func newWorld(t *testing.T, o Options) *world {
	o = o.filled()
	return &world{newMemory(&o), t}
}

// file makes a file in the root directory, or a directory if typ says so.
func (w *world) file(who *ident, name string, mode uint32, typ nfs3.FileType) *inode {
	w.t.Helper()
	s := setMode(mode)
	n, st := w.make(who, w.root, name, typ, &s)
	if st != nfs3.OK {
		w.t.Fatalf("making %s: %v", name, st)
	}
	return n
}

func TestPermissionsGoByOwnerGroupAndOthers(t *testing.T) {
	tests := []struct {
		name string
		who  *ident
		mode uint32
		want uint32
		may  bool
	}{
		{"the owner reads by his bits", alice, 0400, mayRead, true},
		{"the owner has not the group's bits", alice, 0077, mayRead, false},
		{"a member reads by the group's bits", bob, 0040, mayRead, true},
		{"a member has not the others' bits", bob, 0707, mayRead, false},
		{"others read by theirs", carol, 0004, mayRead, true},
		{"all that is wanted must be allowed", carol, 0004, mayRead | mayWrite, false},
		{"root reads and writes all", root, 0, mayRead | mayWrite, true},
		{"root does not execute what nobody may", root, 0666, mayExec, false},
		{"root executes what someone may", root, 0100, mayExec, true},
	}
	for _, tt := range tests {
		n := &inode{mode: tt.mode, uid: alice.uid, gid: alice.gid}
		if got := tt.who.may(n, tt.want); got != tt.may {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestTheOwnerAndTheExecutorMayRead(t *testing.T) {
	n := &inode{mode: 0, uid: alice.uid, gid: alice.gid}
	if !alice.mayIO(n, mayWrite) || bob.mayIO(n, mayRead) {
		t.Error("the owner may write what he had open, nobody else")
	}
	n.mode = 0001
	if !carol.mayIO(n, mayRead) || carol.mayIO(n, mayWrite) {
		t.Error("who may execute may read, and not write")
	}
}

func TestSquashMakesAnonymous(t *testing.T) {
	cred := rpc.NewCred(0, 0, []uint32{5})
	user := rpc.NewCred(1000, 100, nil)
	for _, tt := range []struct {
		name     string
		o        Options
		cred     *rpc.Cred
		uid, gid uint32
	}{
		{"root stays root", Options{}, cred, 0, 0},
		{"root is squashed", Options{RootSquash: true}, cred, nobody, nobody},
		{"to whom it is asked", Options{RootSquash: true, AnonUID: 7, AnonGID: 8}, cred, 7, 8},
		{"others are not", Options{RootSquash: true}, user, 1000, 100},
		{"unless all are", Options{AllSquash: true}, user, nobody, nobody},
		{"AUTH_NONE is anonymous", Options{}, nil, nobody, nobody},
	} {
		o := tt.o.filled()
		if w := identOf(tt.cred, &o); w.uid != tt.uid || w.gid != tt.gid {
			t.Errorf("%s: %d:%d", tt.name, w.uid, w.gid)
		}
	}
}

func TestSetattrIsForThoseWhoMay(t *testing.T) {
	client := nfs3.SetTime{How: nfs3.SetToClientTime, Time: nfs3.Time{Sec: 5}}
	server := nfs3.SetTime{How: nfs3.SetToServerTime}
	own := func(v uint32) nfs3.SetUint32 { return nfs3.SetUint32{Set: true, Value: v} }
	tests := []struct {
		name string
		who  *ident
		s    nfs3.Sattr
		want nfs3.Status
		mode uint32 // afterwards, of 06777
	}{
		{"the owner changes the mode", alice, setMode(0600), nfs3.OK, 0600},
		{"others do not", bob, setMode(0600), nfs3.ErrPerm, 06777},
		{"root does", root, setMode(04755), nfs3.OK, 04755},
		{"the owner gives nothing away", alice, nfs3.Sattr{UID: own(1001)}, nfs3.ErrPerm, 06777},
		{"root does, and takes the set-id bits", root, nfs3.Sattr{UID: own(1001)}, nfs3.OK, 0777},
		{"the owner keeps what is his", alice, nfs3.Sattr{UID: own(1000)}, nfs3.OK, 0777},
		{"a group that is not the owner's is refused", alice, nfs3.Sattr{GID: own(7)}, nfs3.ErrPerm, 06777},
		{"the set-group-id bit is for members", &ident{uid: 1000, gid: 9}, setMode(02755), nfs3.OK, 0755},
		{"who may write sets the time to now", carol, nfs3.Sattr{Mtime: server}, nfs3.OK, 06777},
		{"but to nothing else", carol, nfs3.Sattr{Mtime: client}, nfs3.ErrPerm, 06777},
		{"the owner does", alice, nfs3.Sattr{Atime: client, Mtime: client}, nfs3.OK, 06777},
		{"writing away the size takes the set-id bits", carol, nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: 9}}, nfs3.OK, 0777},
		{"a size that does not exist", root, nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: 1 << 63}}, nfs3.ErrFbig, 06777},
		{"half of it is not done", carol, nfs3.Sattr{Mode: own(0), Size: nfs3.SetUint64{Set: true, Value: 9}}, nfs3.ErrPerm, 06777},
	}
	for _, tt := range tests {
		w := newWorld(t, Options{})
		n := w.file(root, "f", 06777, nfs3.TypeReg)
		n.uid, n.gid = alice.uid, alice.gid
		var r nfs3.SetattrReply
		w.setattr(tt.who, w.fh(n), &tt.s, nil, &r)
		if r.Status != tt.want || n.mode != tt.mode {
			t.Errorf("%s: %v, mode %o; want %v, mode %o", tt.name, r.Status, n.mode, tt.want, tt.mode)
		}
		if tt.want != nfs3.OK && n.data.size != 0 {
			t.Errorf("%s: the size changed", tt.name)
		}
	}
}

func TestSetattrWithAGuardOfAnotherTimeIsNotDone(t *testing.T) {
	w := newWorld(t, Options{})
	n := w.file(root, "f", 0644, nfs3.TypeReg)
	old := n.ctime
	var r nfs3.SetattrReply
	s := setMode(0600)
	w.setattr(root, w.fh(n), &s, &old, &r)
	if r.Status != nfs3.OK || n.mode != 0600 {
		t.Errorf("with the right ctime: %v", r.Status)
	}
	s = setMode(0611)
	if w.setattr(root, w.fh(n), &s, &old, &r); r.Status != nfs3.ErrNotSync || n.mode != 0600 {
		t.Errorf("with an old ctime: %v, mode %o", r.Status, n.mode)
	}
}

func TestTheStickyBitKeepsEntriesForTheirOwners(t *testing.T) {
	for _, tt := range []struct {
		name string
		who  *ident
		mode uint32
		want nfs3.Status
	}{
		{"the owner of the file removes it", alice, 01777, nfs3.OK},
		{"others do not", carol, 01777, nfs3.ErrPerm},
		{"without the bit they do", carol, 0777, nfs3.OK},
		{"without write permission nobody does", alice, 0755, nfs3.ErrAcces},
		{"without search permission nobody looks", alice, 0766, nfs3.ErrAcces},
		{"root does all", root, 0, nfs3.OK},
	} {
		w := newWorld(t, Options{})
		w.file(alice, "f", 0644, nfs3.TypeReg)
		w.root.mode = tt.mode
		var r nfs3.RemoveReply
		if w.remove(tt.who, w.rootFH(), "f", &r); r.Status != tt.want {
			t.Errorf("%s: %v", tt.name, r.Status)
		}
		if tt.want != nfs3.OK {
			var mv nfs3.RenameReply
			if w.rename(tt.who, w.rootFH(), "f", w.rootFH(), "g", &mv); mv.Status != tt.want {
				t.Errorf("%s: renaming: %v", tt.name, mv.Status)
			}
		}
	}
}

func TestAccessTellsWhatMayBeDone(t *testing.T) {
	w := newWorld(t, Options{})
	f, d := w.file(alice, "f", 0754, nfs3.TypeReg), w.file(alice, "d", 0754, nfs3.TypeDir)
	const (
		r = nfs3.AccessRead
		l = nfs3.AccessLookup
		m = nfs3.AccessModify | nfs3.AccessExtend
		x = nfs3.AccessExecute
	)
	for _, tt := range []struct {
		who       *ident
		file, dir uint32
	}{{alice, r | m | x, r | l | m | nfs3.AccessDelete}, {bob, r | x, r | l}, {carol, r, r}} {
		if got := tt.who.access(f, 0x3f); got != tt.file {
			t.Errorf("uid %d on the file: %#x, want %#x", tt.who.uid, got, tt.file)
		}
		if got := tt.who.access(d, 0x3f); got != tt.dir {
			t.Errorf("uid %d on the directory: %#x, want %#x", tt.who.uid, got, tt.dir)
		}
	}
	if got := alice.access(f, r); got != r {
		t.Errorf("more was granted than asked for: %#x", got)
	}
}

func TestSetGroupIDDirectoriesHandTheirGroupOn(t *testing.T) {
	w := newWorld(t, Options{})
	w.root.mode, w.root.gid = 02777, 55
	if f := w.file(alice, "f", 0644, nfs3.TypeReg); f.gid != 55 || f.mode != 0644 {
		t.Errorf("file has group %d, mode %o", f.gid, f.mode)
	}
	if d := w.file(alice, "d", 0755, nfs3.TypeDir); d.gid != 55 || d.mode != 02755 {
		t.Errorf("directory has group %d, mode %o", d.gid, d.mode)
	}
}
