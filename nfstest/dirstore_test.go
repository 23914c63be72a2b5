package nfstest_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

func TestADirectoryOfTheHostIsServed(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "old"), []byte("was here"), 0644))
	s := nfstest.NewFor(t, nfstest.Options{Dir: dir})
	c := connect(t, s, "mem-tcp")

	// A file that nobody may write can be written by who made it.
	var made nfs3.CreateReply
	must(t, c.Create(c.ctx, c.cred, &nfs3.CreateArgs{
		Where: nfs3.DirOpArgs{Dir: c.root, Name: "new"},
		How:   nfs3.CreateHow{Mode: nfs3.Guarded, Attr: nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: 0444}}},
	}, &made))
	w := c.write(t, made.Object.FH, 2, "data", nfs3.Unstable)
	var commit nfs3.CommitReply
	must(t, c.Commit(c.ctx, c.cred, &nfs3.CommitArgs{File: made.Object.FH}, &commit))
	if commit.Verf != w.Verf {
		t.Errorf("verifier of COMMIT is %x, of WRITE %x", commit.Verf, w.Verf)
	}
	b, err := os.ReadFile(filepath.Join(dir, "new"))
	must(t, err)
	if string(b) != "\x00\x00data" || made.Attr.Attr.Mode != 0444 {
		t.Errorf("the host has %q, mode %o", b, made.Attr.Attr.Mode)
	}

	var old nfs3.LookupReply
	must(t, c.Lookup(c.ctx, c.cred, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: c.root, Name: "old"}}, &old))
	var r nfs3.ReadReply
	must(t, c.Read(c.ctx, c.cred, &nfs3.ReadArgs{File: old.Object, Count: 100}, &r, make([]byte, 100)))
	if string(r.Data) != "was here" || !r.EOF {
		t.Errorf("READ = %q, eof %v", r.Data, r.EOF)
	}

	// What others do to the directory is seen, and a handle follows a rename.
	var mv nfs3.RenameReply
	must(t, c.Rename(c.ctx, c.cred, &nfs3.RenameArgs{From: nfs3.DirOpArgs{Dir: c.root, Name: "old"}, To: nfs3.DirOpArgs{Dir: c.root, Name: "moved"}}, &mv))
	must(t, os.Mkdir(filepath.Join(dir, "theirs"), 0755))
	var ls nfs3.ReaddirplusReply
	must(t, c.Readdirplus(c.ctx, c.cred, &nfs3.ReaddirplusArgs{Dir: c.root, DirCount: 4096, MaxCount: 4096}, &ls))
	var names []string
	for _, e := range ls.Entries {
		names = append(names, e.Name)
		if e.Name == "moved" && e.FH.FH != old.Object {
			t.Error("the renamed file has another handle")
		}
	}
	slices.Sort(names)
	if want := []string{".", "..", "moved", "new", "theirs"}; !slices.Equal(names, want) || !ls.EOF {
		t.Errorf("listed %q, want %q", names, want)
	}
	var st nfs3.FsstatReply
	must(t, c.Fsstat(c.ctx, c.cred, &nfs3.FsstatArgs{Root: c.root}, &st))
	if st.Tbytes == 0 {
		t.Errorf("FSSTAT = %+v", st)
	}
	s.Restart()
	must(t, c.Getattr(c.ctx, c.cred, &nfs3.GetattrArgs{Object: old.Object}, new(nfs3.GetattrReply)))
}

func TestALargeDirectoryOfTheHostIsListedInPages(t *testing.T) {
	dir := t.TempDir()
	want := []string{".", ".."}
	for i := range 300 {
		name := string([]byte{'a' + byte(i/26), 'a' + byte(i%26)})
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0644))
		want = append(want, name)
	}
	s := nfstest.NewFor(t, nfstest.Options{Dir: dir})
	c := connect(t, s, "mem-tcp")
	var (
		names  []string
		cookie uint64
		verf   [8]byte
	)
	for {
		var r nfs3.ReaddirReply
		must(t, c.Readdir(c.ctx, c.cred, &nfs3.ReaddirArgs{Dir: c.root, Cookie: cookie, Verf: verf, Count: 1000}, &r))
		for _, e := range r.Entries {
			names, cookie = append(names, e.Name), e.Cookie
		}
		if verf = r.Verf; r.EOF {
			break
		}
		must(t, os.Remove(filepath.Join(dir, names[2]))) // behind us: nobody minds
		must(t, os.WriteFile(filepath.Join(dir, names[2]), nil, 0644))
	}
	if !slices.Equal(names, want) {
		t.Errorf("listed %d names: %q", len(names), names)
	}
}
