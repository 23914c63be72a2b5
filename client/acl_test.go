package client

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// parseACL reads a list of a test.
func parseACL(t testing.TB, text string) nfsacl.ACL {
	t.Helper()
	if text == "" {
		return nil
	}
	a, err := nfsacl.Parse(text, nfsacl.Names{})
	must(t, err)
	return a
}

// lists returns the lists of ino in short form.
func lists(t testing.TB, fs *FS, ino *Inode) string {
	t.Helper()
	l, err := fs.GetACLs(t.Context(), alice, ino)
	must(t, err)
	return l.Access.String() + ";" + l.Default.String()
}

const (
	forBob = "user::rw-,user:1001:rw-,group::r--,mask::rw-,other::---"
	team   = "user::rwx,user:1001:rwx,group::r-x,mask::rwx,other::---"
)

func TestListsAreCachedUntilTheCtimeMoves(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	a, b := r.mount("", Options{}), r.mount("", Options{})
	f := write(t, a, "f", "x")
	r.calls()
	want(t, "of a plain file", lists(t, a, f), ";")
	want(t, "calls", r.calls(), "NFSACL.GETACL 1")
	must(t, a.SetACLs(t.Context(), alice, f, ACLs{Access: parseACL(t, forBob)}))
	want(t, "calls to set and to see that it was done", r.calls(), "NFSACL.GETACL 1, NFSACL.SETACL 1")
	want(t, "after SETACL", lists(t, a, f), forBob+";")
	_, err := a.Setattr(t.Context(), alice, f, nil, &nfs3.Sattr{Mtime: nfs3.SetTime{How: nfs3.SetToServerTime}})
	must(t, err)
	want(t, "after a touch", lists(t, a, f), forBob+";")
	want(t, "calls", r.calls(), "SETATTR 1")
	_, err = a.Setattr(t.Context(), alice, f, nil, &nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: 0o640}})
	must(t, err)
	want(t, "after a chmod", lists(t, a, f), "user::rw-,user:1001:rw-,group::r--,mask::r--,other::---;")
	r.calls()

	must(t, b.SetACLs(t.Context(), alice, find(t, b, "f"), ACLs{}))
	r.calls()
	_, err = a.getattr(t.Context(), alice, f)
	must(t, err)
	want(t, "after others' SETACL", lists(t, a, f), ";")
	want(t, "calls", r.calls(), "GETATTR 1, NFSACL.GETACL 1")
	attr, err := a.Getattr(t.Context(), alice, f)
	must(t, err)
	want(t, "mode when the list is gone", attr.Mode, 0o640)
}

func TestANamedUserGetsExactlyWhatTheListGrants(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	f := write(t, fs, "f", "x")
	bob, carol := rpc.NewCred(1001, 1001, nil), rpc.NewCred(1002, 1002, nil)
	_, err := fs.Setattr(t.Context(), alice, f, nil, &nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: 0o600}})
	must(t, err)
	may := func(who *rpc.Cred) uint32 {
		t.Helper()
		got, err := fs.Access(t.Context(), who, f, allFileRights)
		must(t, err)
		return got
	}
	want(t, "before", may(bob), 0)
	must(t, fs.SetACLs(t.Context(), alice, f, ACLs{Access: parseACL(t, "u::rw,u:1001:r,g::-,m::r,o::-")}))
	want(t, "the named user", may(bob), nfs3.AccessRead)
	want(t, "somebody else", may(carol), 0)
	if _, err := fs.Open(t.Context(), bob, f, os.O_RDWR); !errors.Is(err, nfs3.ErrAcces) {
		t.Errorf("opening for writing: %v", err)
	}
	if err := fs.SetACLs(t.Context(), bob, f, ACLs{}); !errors.Is(err, nfs3.ErrPerm) {
		t.Errorf("the named user sets lists: %v", err)
	}
}

func TestDefaultListsComeBeforeTheUmask(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	plain, _, err := fs.Mkdir(t.Context(), alice, fs.Root(), "plain", 0o777, 0o022)
	must(t, err)
	shared, _, err := fs.Mkdir(t.Context(), alice, fs.Root(), "shared", 0o777, 0o022)
	must(t, err)
	must(t, fs.SetACLs(t.Context(), alice, shared, ACLs{Default: parseACL(t, team)}))
	make := func(dir *Inode, name string, flags int) (nfs3.Fattr, *Inode) {
		t.Helper()
		ino, a, f, err := fs.Create(t.Context(), alice, dir, name, os.O_RDWR|flags, 0o666, 0o022)
		must(t, err)
		f.Release()
		return a, ino
	}
	const file = "user::rw-,user:1001:rwx,group::r-x,mask::rw-,other::---;"
	for _, flags := range []int{0, os.O_EXCL} {
		name := []string{"unchecked", "exclusive"}[flags/os.O_EXCL]
		a, ino := make(plain, name, flags)
		want(t, name+": mode where the umask counts", a.Mode, 0o644)
		want(t, name+": lists there", lists(t, fs, ino), ";")
		a, ino = make(shared, name, flags)
		want(t, name+": mode where the list counts", a.Mode, 0o660)
		want(t, name+": lists there", lists(t, fs, ino), file)
	}
	d, a, err := fs.Mkdir(t.Context(), alice, shared, "d", 0o777, 0o077)
	must(t, err)
	want(t, "mode of a directory", a.Mode, 0o770)
	want(t, "lists of a directory", lists(t, fs, d), team+";"+team)
	p, a, err := fs.Mknod(t.Context(), alice, shared, "p", 0o666, 0o077, nfs3.TypeFifo, nfs3.Specdata{})
	must(t, err)
	want(t, "mode of a pipe", a.Mode, 0o660)
	want(t, "lists of a pipe", lists(t, fs, p), file)
}

func TestATreeIsMadeWithOneQuestionForLists(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	dir := fs.Root()
	r.calls()
	for range 3 {
		var err error
		dir, _, err = fs.Mkdir(t.Context(), alice, dir, "d", 0o777, 0o022)
		must(t, err)
		_, _, f, err := fs.Create(t.Context(), alice, dir, "f", os.O_RDWR|os.O_EXCL, 0o666, 0o022)
		must(t, err)
		f.Release()
	}
	want(t, "calls", r.calls(), "CREATE 3, MKDIR 3, NFSACL.GETACL 1, SETATTR 3")
}

func TestWhereThereAreNoLists(t *testing.T) {
	full := ACLs{Access: parseACL(t, forBob)}
	t.Run("with noacl", func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		fs := r.mount("noacl", Options{})
		if _, err := fs.GetACLs(t.Context(), alice, fs.Root()); !errors.Is(err, nfs3.ErrNotsupp) || fs.HasACLs() {
			t.Errorf("GetACLs: %v", err)
		}
		if err := fs.SetACLs(t.Context(), alice, fs.Root(), full); !errors.Is(err, nfs3.ErrNotsupp) {
			t.Errorf("SetACLs: %v", err)
		}
		_, a, err := fs.Mkdir(t.Context(), alice, fs.Root(), "d", 0o777, 0o022)
		must(t, err)
		want(t, "mode", a.Mode, 0o755)
		if n := r.Counts()["NFSACL.NULL"]; n != 0 {
			t.Errorf("the server was asked %d times", n)
		}
	})
	t.Run("where the server lacks the program", func(t *testing.T) {
		r := newRig(t, nfstest.Options{NoACL: true})
		if fs := r.mount("", Options{}); fs.HasACLs() {
			t.Error("the mount has lists")
		}
	})
	t.Run("where the server loses it", func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		fs := r.mount("", Options{})
		r.Fault(nfstest.Fault{Program: nfsacl.Program, Do: []nfstest.Action{nfstest.Accept(rpc.ProgUnavail)}})
		_, a, err := fs.Mkdir(t.Context(), alice, fs.Root(), "d", 0o777, 0o022)
		must(t, err)
		want(t, "mode", a.Mode, 0o755)
		r.calls()
		if _, err := fs.GetACLs(t.Context(), alice, fs.Root()); !errors.Is(err, nfs3.ErrNotsupp) || fs.HasACLs() {
			t.Errorf("GetACLs: %v", err)
		}
		want(t, "calls from then on", r.calls(), "")
	})
	t.Run("where it takes SETACL for garbage, or does nothing", func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		fs := r.mount("", Options{})
		f := write(t, fs, "f", "x")
		for _, do := range []nfstest.Action{nfstest.Accept(rpc.GarbageArgs), nfstest.Status(nfs3.OK)} {
			remove := r.Fault(nfstest.Fault{Program: nfsacl.Program, Procs: []uint32{nfsacl.ProcSetacl}, Times: nfstest.Forever, Do: []nfstest.Action{do}})
			if err := fs.SetACLs(t.Context(), alice, f, full); !errors.Is(err, nfs3.ErrNotsupp) {
				t.Errorf("%v: %v", do, err)
			}
			remove()
		}
		must(t, fs.SetACLs(t.Context(), alice, f, full))
	})
	t.Run("on symbolic links and for what is no list", func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		fs := r.mount("", Options{})
		l, _, err := fs.Symlink(t.Context(), alice, fs.Root(), "l", "x")
		must(t, err)
		if _, err := fs.GetACLs(t.Context(), alice, l); !errors.Is(err, nfs3.ErrNotsupp) {
			t.Errorf("a link: %v", err)
		}
		f := write(t, fs, "f", "x")
		if err := fs.SetACLs(t.Context(), alice, f, ACLs{Default: full.Access}); !errors.Is(err, nfs3.ErrAcces) {
			t.Errorf("a default list of a file: %v", err)
		}
		var e *nfsacl.ListError
		if err := fs.SetACLs(t.Context(), alice, f, ACLs{Access: full.Access[1:]}); !errors.As(err, &e) {
			t.Errorf("no list: %v", err)
		}
	})
}

func TestAListThatIsNoneIsNonsense(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	r.Fault(nfstest.Fault{Program: nfsacl.Program, Do: []nfstest.Action{nfstest.Reply(func(_, reply any) {
		g := reply.(*nfsacl.GetaclReply)
		g.Lists.Access = nfsacl.ACL{{Tag: nfsacl.User, ID: 1, Perm: 7}}
	})}})
	var e *rpc.ProtocolError
	if l, err := fs.GetACLs(t.Context(), alice, fs.Root()); !errors.As(err, &e) {
		t.Errorf("got %v, %v", l, err)
	}
}

func TestListsByPath(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	tree := r.mount("", Options{}).As(alice)
	must(t, tree.Mkdir(t.Context(), "d", 0o755))
	set := ACLs{Access: parseACL(t, team), Default: parseACL(t, forBob)}
	must(t, tree.SetACLs(t.Context(), "d", set))
	got, err := tree.GetACLs(t.Context(), "d")
	if diff := cmp.Diff(set, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	h, err := tree.Open(t.Context(), "d")
	must(t, err)
	must(t, h.SetACLs(t.Context(), ACLs{}))
	got, err = h.GetACLs(t.Context())
	if diff := cmp.Diff(ACLs{}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	must(t, h.Close(t.Context()))
	if _, err := tree.GetACLs(t.Context(), "missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
