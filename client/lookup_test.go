package client

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

func TestLookupAsksOnceWhileAttributesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.Mkdir("d", 0o755))
		must(t, r.WriteFile("d/f", []byte("hello"), 0o644))
		fs := r.mount("", Options{})
		r.calls()
		steps := []struct {
			what  string
			wait  time.Duration
			path  string
			calls string
		}{
			{"at first", 0, "d/f", "LOOKUP 2"},
			{"again", 0, "d/f", ""},
			{"when the file's attributes have expired", 4 * time.Second, "d/f", "LOOKUP 1"},
			{"again", 0, "d/f", ""},
			{"when the directories' have expired too", 31 * time.Second, "d/f", "LOOKUP 2"},
		}
		for _, step := range steps {
			time.Sleep(step.wait)
			ino := find(t, fs, step.path)
			want(t, step.what, r.calls(), step.calls)
			a, err := fs.Getattr(t.Context(), alice, ino)
			must(t, err)
			want(t, "size", a.Size, 5)
			want(t, "calls of Getattr", r.calls(), "")
		}
	})
}

func TestNamesThatCannotBe(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	r.calls()
	tests := []struct {
		name, entry string
		err         error
	}{
		{"empty", "", nfs3.ErrInval},
		{"with a slash", "a/b", nfs3.ErrInval},
		{"with NUL", "a\x00b", nfs3.ErrInval},
		{"too long", strings.Repeat("x", 256), nfs3.ErrNametoolong},
	}
	ctx, root := t.Context(), fs.Root()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check := func(op string, err error) {
				t.Helper()
				if !errors.Is(err, tt.err) {
					t.Errorf("%s: %v, want %v", op, err, tt.err)
				}
			}
			_, _, err := fs.Lookup(ctx, alice, root, tt.entry)
			check("Lookup", err)
			_, _, _, err = fs.Create(ctx, alice, root, tt.entry, os.O_RDWR, 0o644, 0)
			check("Create", err)
			_, _, err = fs.Mkdir(ctx, alice, root, tt.entry, 0o755, 0)
			check("Mkdir", err)
			_, _, err = fs.Symlink(ctx, alice, root, tt.entry, "x")
			check("Symlink", err)
			check("Unlink", fs.Unlink(ctx, alice, root, tt.entry))
			check("Rmdir", fs.Rmdir(ctx, alice, root, tt.entry))
			check("Rename from", fs.Rename(ctx, alice, root, tt.entry, root, "x"))
			check("Rename to", fs.Rename(ctx, alice, root, "x", root, tt.entry))
		})
	}
	for _, dots := range []string{".", ".."} {
		if _, _, err := fs.Mkdir(ctx, alice, root, dots, 0o755, 0); !errors.Is(err, nfs3.ErrInval) {
			t.Errorf("Mkdir %q: %v", dots, err)
		}
	}
	want(t, "calls", r.calls(), "")
}

func TestDotsOfLookup(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	must(t, r.Mkdir("d", 0o755))
	fs := r.mount("", Options{})
	d := find(t, fs, "d")
	for _, tt := range []struct {
		dir  *Inode
		name string
		want *Inode
	}{{d, ".", d}, {d, "..", fs.Root()}, {fs.Root(), "..", fs.Root()}, {fs.Root(), ".", fs.Root()}} {
		ino, _, err := fs.Lookup(t.Context(), alice, tt.dir, tt.name)
		must(t, err)
		want(t, tt.name, ino, tt.want)
	}
}

func TestAMissingNameIsBelievedWhileOthersLeaveTheDirectoryAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		a, b := r.mount("", Options{}), r.mount("", Options{})
		missing := func(what, calls string) {
			t.Helper()
			r.calls()
			if _, _, err := a.Lookup(t.Context(), alice, a.Root(), "f"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", what, err)
			}
			want(t, what, r.calls(), calls)
		}
		missing("at first", "LOOKUP 1")
		missing("while it is not known whether others work there", "LOOKUP 1")
		time.Sleep(time.Minute)
		missing("when they did not, and the directory's attributes have expired", "LOOKUP 1")
		missing("again", "")
		write(t, a, "g", "x")
		missing("after a change of our own", "")
		write(t, b, "h", "x")
		time.Sleep(61 * time.Second)
		missing("when others changed the directory", "LOOKUP 1")
		missing("again", "LOOKUP 1")
		write(t, b, "f", "x")
		find(t, a, "f")
	})
}

// settled makes dir one that others have left alone for an hour.
func (dir *Inode) settled() {
	dir.mu.Lock()
	defer dir.mu.Unlock()
	dir.names.quiet = time.Now().Add(-time.Hour)
}

func TestLookupcacheSaysWhatIsRemembered(t *testing.T) {
	for _, tt := range []struct {
		policy            string
		positive, missing string
	}{
		{"all", "", ""},
		{"pos", "", "LOOKUP 1"},
		{"none", "LOOKUP 1", "LOOKUP 1"},
	} {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", nil, 0o644))
		fs := r.mount("lookupcache="+tt.policy, Options{})
		fs.Root().settled()
		for _, name := range []string{"f", "missing", "f", "missing"} {
			_, _, _ = fs.Lookup(t.Context(), alice, fs.Root(), name)
		}
		r.calls()
		find(t, fs, "f")
		want(t, "calls for a name that is there", r.calls(), tt.positive)
		_, _, _ = fs.Lookup(t.Context(), alice, fs.Root(), "missing")
		want(t, "calls for a name that is not", r.calls(), tt.missing)
	}
}

func TestACachedNameIsForThoseWhoMaySearch(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	must(t, r.Mkdir("private", 0o700))
	must(t, r.WriteFile("private/f", nil, 0o644))
	root, mallory := rpc.NewCred(0, 0, nil), rpc.NewCred(1001, 1001, nil)
	fs := r.mount("", Options{})
	dir := find(t, fs, "private")
	_, _, err := fs.Lookup(t.Context(), root, dir, "f")
	must(t, err)
	for range 2 {
		if _, _, err := fs.Lookup(t.Context(), mallory, dir, "f"); !errors.Is(err, nfs3.ErrAcces) {
			t.Errorf("another user's Lookup: %v", err)
		}
	}
	r.calls()
	_, _, err = fs.Lookup(t.Context(), root, dir, "f")
	must(t, err)
	want(t, "calls", r.calls(), "")
}

func TestLookupWithoutAttributesAsksForThem(t *testing.T) {
	r := newRig(t, nfstest.Options{NoAttr: true})
	must(t, r.WriteFile("f", []byte("abc"), 0o644))
	fs := r.mount("", Options{})
	r.calls()
	ino, a, err := fs.Lookup(t.Context(), alice, fs.Root(), "f")
	must(t, err)
	want(t, "size", a.Size, 3)
	want(t, "type", ino.Type(), nfs3.TypeReg)
	want(t, "calls", r.calls(), "GETATTR 1, LOOKUP 1")
}

func TestOneInodeForAllNamesOfAFile(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	f := write(t, fs, "f", "x")
	g, a, err := fs.Link(t.Context(), alice, f, fs.Root(), "g")
	must(t, err)
	want(t, "inode of the link", g, f)
	want(t, "nlink", a.Nlink, 2)
	want(t, "inode by the other name", find(t, fs, "g"), f)
	if f.ID() == fs.Root().ID() {
		t.Error("two inodes have one ID")
	}
}

func TestManyNamesAreBounded(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	fs.namesHeld.Store(maxNames)
	for _, name := range []string{"a", "b", "c"} {
		write(t, fs, name, "")
	}
	fs.root.mu.Lock()
	n := len(fs.root.names.m)
	fs.root.mu.Unlock()
	want(t, "names", n, 1)
	fs.namesHeld.Store(1)
}
