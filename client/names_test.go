package client

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

func TestEconomyOfNames(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	fs.Root().settled()
	ctx, root := t.Context(), fs.Root()
	write(t, fs, "warm", "x")
	r.calls()
	steps := []struct {
		what  string
		do    func() error
		calls string
	}{
		{"mkdir", func() error { _, _, err := fs.Mkdir(ctx, alice, root, "d", 0o755, 0); return err }, "MKDIR 1"},
		{"the new directory is known", func() error { _, _, err := fs.Lookup(ctx, alice, root, "d"); return err }, ""},
		{"create", func() error {
			_, _, f, err := fs.Create(ctx, alice, root, "f", os.O_RDWR, 0o644, 0)
			if err == nil {
				f.Release()
			}
			return err
		}, "CREATE 1"},
		{"the new file is known", func() error { _, _, err := fs.Lookup(ctx, alice, root, "f"); return err }, ""},
		{"rename to a name that is free", func() error {
			_, _, _ = fs.Lookup(ctx, alice, root, "g") // as the kernel does
			r.calls()
			return fs.Rename(ctx, alice, root, "f", root, "g")
		}, "RENAME 1"},
		{"symlink", func() error { _, _, err := fs.Symlink(ctx, alice, root, "l", "g"); return err }, "SYMLINK 1"},
		{"link", func() error { _, _, err := fs.Link(ctx, alice, find(t, fs, "l"), root, "m"); return err }, "LINK 1"},
		{"unlink", func() error { return fs.Unlink(ctx, alice, root, "g") }, "REMOVE 1"},
		{"rmdir", func() error { return fs.Rmdir(ctx, alice, root, "d") }, "RMDIR 1"},
		{"the old name is known to be gone", func() error {
			if _, _, err := fs.Lookup(ctx, alice, root, "g"); !errors.Is(err, nfs3.ErrNoent) {
				return errors.New("it is there")
			}
			return nil
		}, ""},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
		want(t, step.what, r.calls(), step.calls)
	}
}

func TestOurChangesKeepTheNamesAndOthersDropThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		a, b := r.mount("", Options{}), r.mount("", Options{})
		write(t, a, "f", "x")
		write(t, a, "g", "x")
		r.calls()
		find(t, a, "f")
		want(t, "calls after our own changes", r.calls(), "")
		write(t, b, "h", "x")
		write(t, a, "i", "x") // its wcc data shows the gap
		r.calls()
		find(t, a, "f")
		want(t, "calls after others' change", r.calls(), "LOOKUP 1")
		find(t, a, "g")
		want(t, "calls for another name", r.calls(), "LOOKUP 1")
		find(t, a, "g")
		want(t, "calls for it again", r.calls(), "")
	})
}

func TestExclusiveCreate(t *testing.T) {
	tests := []struct {
		name   string
		faults []nfstest.Fault
		calls  string
	}{
		{"by EXCLUSIVE", nil, "CREATE 1, NFSACL.GETACL 1, SETATTR 1"},
		{"by GUARDED where that is missing", []nfstest.Fault{failCreate(nfs3.Exclusive)}, "CREATE 2, NFSACL.GETACL 1"},
		{"by UNCHECKED where both are missing", []nfstest.Fault{failCreate(nfs3.Exclusive), failCreate(nfs3.Guarded)},
			"CREATE 3, LOOKUP 1, NFSACL.GETACL 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, nfstest.Options{})
			fs := r.mount("", Options{})
			for _, f := range tt.faults {
				r.Fault(f)
			}
			r.calls()
			_, a, f, err := fs.Create(t.Context(), alice, fs.Root(), "f", os.O_RDWR|os.O_EXCL, 0o640, 0)
			must(t, err)
			f.Release()
			want(t, "calls", r.calls(), tt.calls)
			want(t, "mode", a.Mode, 0o640)
			server, err := r.Stat("f")
			must(t, err)
			if age := server.Ctime.Time().Sub(server.Mtime.Time()).Abs(); age.Minutes() > 1 {
				t.Errorf("mtime is %v, ctime %v: it holds the verifier", server.Mtime.Time(), server.Ctime.Time())
			}
			_, _, _, err = fs.Create(t.Context(), alice, fs.Root(), "f", os.O_RDWR|os.O_EXCL, 0o640, 0)
			if !errors.Is(err, os.ErrExist) {
				t.Errorf("again: %v", err)
			}
		})
	}
}

// failCreate makes the server say that it does not know one mode of CREATE.
func failCreate(mode nfs3.CreateMode) nfstest.Fault {
	return nfstest.Fault{
		Procs: []uint32{nfs3.ProcCreate}, Times: nfstest.Forever,
		If: func(c *nfstest.Call) bool { a, ok := c.Args.(*nfs3.CreateArgs); return ok && a.How.Mode == mode },
		Do: []nfstest.Action{nfstest.Status(nfs3.ErrNotsupp)},
	}
}

func TestCreateTakesWhatIsThere(t *testing.T) {
	for _, tt := range []struct {
		flags int
		size  uint64
	}{{os.O_RDWR, 5}, {os.O_RDWR | os.O_TRUNC, 0}} {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", []byte("hello"), 0o666))
		fs := r.mount("", Options{})
		_, a, f, err := fs.Create(t.Context(), alice, fs.Root(), "f", tt.flags, 0o600, 0)
		must(t, err)
		f.Release()
		want(t, "size", a.Size, tt.size)
	}
}

func TestCreateOfAReadOnlyFileMayWrite(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	_, _, f, err := fs.Create(t.Context(), alice, fs.Root(), "f", os.O_WRONLY|os.O_EXCL, 0o400, 0)
	must(t, err)
	defer f.Release()
	_, err = f.WriteAt(t.Context(), []byte("x"), 0)
	must(t, err)
	must(t, f.Flush(t.Context()))
}

func TestARenamedDirectoryKeepsItsInode(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	d, _, err := fs.Mkdir(t.Context(), alice, fs.Root(), "d", 0o755, 0)
	must(t, err)
	e, _, err := fs.Mkdir(t.Context(), alice, fs.Root(), "e", 0o755, 0)
	must(t, err)
	must(t, fs.Rename(t.Context(), alice, fs.Root(), "d", e, "d2"))
	want(t, "inode", find(t, fs, "e/d2"), d)
	want(t, "path", fs.pathOf(d), "/e/d2")
	if _, _, err := fs.Lookup(t.Context(), alice, fs.Root(), "d"); !errors.Is(err, nfs3.ErrNoent) {
		t.Errorf("the old name: %v", err)
	}
}

func TestAFileThatWasMovedByOthersIsNotFoundAtItsOldPlace(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs, other := r.mount("", Options{}), r.mount("", Options{})
	for _, name := range []string{"from", "to"} {
		_, _, err := fs.Mkdir(t.Context(), alice, fs.Root(), name, 0o755, 0)
		must(t, err)
	}
	from := find(t, fs, "from")
	_, _, f, err := fs.Create(t.Context(), alice, from, "f", os.O_RDWR, 0o644, 0)
	must(t, err)
	f.Release()
	must(t, other.Rename(t.Context(), alice, find(t, other, "from"), "f", find(t, other, "to"), "f"))
	if find(t, fs, "to/f") != f.Inode() {
		t.Fatal("another file")
	}
	_, _, err = fs.Lookup(t.Context(), alice, from, "f")
	if !errors.Is(err, nfs3.ErrNoent) {
		t.Errorf("at the old place: %v, want NOENT", err)
	}
}

func TestRenameOfOneNameOntoAnotherOfTheSameFileDoesNothing(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	ino, _, f, err := fs.Create(t.Context(), alice, fs.Root(), "f", os.O_RDWR, 0o644, 0)
	must(t, err)
	defer f.Release()
	_, _, err = fs.Link(t.Context(), alice, ino, fs.Root(), "g")
	must(t, err)
	must(t, fs.Rename(t.Context(), alice, fs.Root(), "f", fs.Root(), "g"))
	want(t, "hidden", ino.hasSilly(), false)
	for _, name := range []string{"f", "g"} {
		_, err := r.Stat(name)
		must(t, err)
	}
}

func TestSpecialFiles(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	fifo, a, err := fs.Mknod(t.Context(), alice, fs.Root(), "p", 0o600, 0, nfs3.TypeFifo, nfs3.Specdata{})
	must(t, err)
	want(t, "type", fifo.Type(), nfs3.TypeFifo)
	want(t, "mode", a.Mode, 0o600)
	if _, err := fs.Open(t.Context(), alice, fifo, os.O_RDONLY); err == nil {
		t.Error("a pipe of another machine could be opened")
	}
	if _, _, err := fs.Mknod(t.Context(), alice, fs.Root(), "q", 0o600, 0, nfs3.TypeReg, nfs3.Specdata{}); !errors.Is(err, nfs3.ErrBadtype) {
		t.Errorf("Mknod of a regular file: %v", err)
	}
	l, _, err := fs.Symlink(t.Context(), alice, fs.Root(), "l", "nul\x01 \xff")
	must(t, err)
	for range 2 {
		text, err := fs.Readlink(t.Context(), alice, l)
		must(t, err)
		want(t, "text", text, "nul\x01 \xff")
	}
}

func TestAccessTimesOfANewObjectAreServers(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	ino := write(t, fs, "f", "12345")
	_, err := fs.Setattr(t.Context(), alice, ino, nil, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: 2}})
	must(t, err)
	a, err := fs.Getattr(t.Context(), alice, ino)
	must(t, err)
	want(t, "size after a cut", a.Size, 2)
	a, err = fs.Setattr(t.Context(), alice, ino, nil, &nfs3.Sattr{Mtime: nfs3.SetTime{How: nfs3.SetToClientTime, Time: tick(77)}})
	must(t, err)
	want(t, "mtime", a.Mtime, tick(77))
}

func TestAnswersFromBeforeAChangeAreNotEntered(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	root := fs.Root()
	ino := write(t, fs, "f", "x")
	a := fs.view(root)
	now := &nfs3.PostOpAttr{Present: true, Attr: a}
	other := *now
	other.Attr.Ctime = tick(1)
	old := fs.begin()
	fs.changeName(root, "x")
	tests := []struct {
		name string
		st   stamp
		attr *nfs3.PostOpAttr
		want bool
	}{
		{"asked before our own change", old, now, false},
		{"of another state of the directory", fs.begin(), &other, false},
		{"of a state that nobody knows", fs.begin(), &nfs3.PostOpAttr{}, false},
		{"of the directory as it is", fs.begin(), now, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fs.learnName(root, tt.st, tt.attr, "y", ino)
			_, ok := fs.lastKnown(root, "y")
			want(t, "entered", ok, tt.want)
		})
	}
}

func TestRightsAreAskedAgainWhenTheModeChanged(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	ino := write(t, fs, "f", "x")
	_, err := fs.Access(t.Context(), alice, ino, nfs3.AccessRead)
	must(t, err)
	a := fs.view(ino)
	wcc := nfs3.WccData{After: nfs3.PostOpAttr{Present: true, Attr: a}}
	wcc.Before.Present, wcc.Before.Attr.Ctime = true, a.Ctime
	wcc.After.Attr.Ctime.Sec++
	wcc.After.Attr.Mode = 0 // a WRITE of ours after which the server took rights away
	fs.applyWcc(ino, fs.begin(), &wcc)
	r.calls()
	_, err = fs.Access(t.Context(), alice, ino, nfs3.AccessRead)
	must(t, err)
	want(t, "calls", r.calls(), "ACCESS 1")
}
