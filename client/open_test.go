package client

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// content opens a file by name, as a program does, and reads it.
func content(t testing.TB, fs *FS, name string) string {
	t.Helper()
	var f *File
	for range 2 { // the kernel walks the path again once
		ino, _, err := fs.Lookup(t.Context(), alice, fs.Root(), name)
		if err == nil {
			f, err = fs.Open(t.Context(), alice, ino, os.O_RDONLY)
		}
		if errors.Is(err, nfs3.ErrStale) {
			continue
		}
		if errors.Is(err, nfs3.ErrNoent) {
			return "none"
		}
		must(t, err)
		break
	}
	if f == nil {
		t.Fatal("stale twice")
	}
	defer f.Release()
	p := make([]byte, 100)
	n, err := f.ReadAt(t.Context(), p, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return string(p[:n])
}

// TestCloseToOpen has one client change a file and close it, and another open
// it by name at once. It must see the change, whatever it has cached.
func TestCloseToOpen(t *testing.T) {
	steps := []struct {
		what string
		do   func(t *testing.T, fs *FS)
		want string
	}{
		{"create", func(t *testing.T, fs *FS) { write(t, fs, "f", "one") }, "one"},
		{"write", func(t *testing.T, fs *FS) { write(t, fs, "f", "three") }, "three"},
		{"write as many bytes", func(t *testing.T, fs *FS) { write(t, fs, "f", "seven") }, "seven"},
		{"cut", func(t *testing.T, fs *FS) {
			_, err := fs.Setattr(t.Context(), alice, find(t, fs, "f"), nil, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: 2}})
			must(t, err)
		}, "se"},
		{"replace by rename", func(t *testing.T, fs *FS) {
			write(t, fs, "g", "renamed")
			must(t, fs.Rename(t.Context(), alice, fs.Root(), "g", fs.Root(), "f"))
		}, "renamed"},
		{"unlink", func(t *testing.T, fs *FS) { must(t, fs.Unlink(t.Context(), alice, fs.Root(), "f")) }, "none"},
		{"create again", func(t *testing.T, fs *FS) { write(t, fs, "f", "again") }, "again"},
	}
	r := newRig(t, nfstest.Options{})
	a, b := r.mount("", Options{}), r.mount("", Options{})
	for round := range 5 {
		for _, step := range steps {
			step.do(t, a)
			want(t, fmt.Sprintf("%s, round %d", step.what, round), content(t, b, "f"), step.want)
		}
	}
}

func TestOpenCostsOneCallWhenNothingChanged(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	for _, tt := range []struct{ opts, first, again string }{
		{"", "LOOKUP 1", "LOOKUP 1"},
		{"nocto", "", ""},
	} {
		fs := r.mount(tt.opts, Options{})
		ino := write(t, fs, "f", "x")
		_, err := fs.Access(t.Context(), alice, ino, nfs3.AccessRead)
		must(t, err)
		for range 2 {
			r.calls()
			f, err := fs.Open(t.Context(), alice, ino, os.O_RDONLY)
			must(t, err)
			f.Release()
			want(t, tt.opts+" calls", r.calls(), tt.again)
		}
	}
}

func TestWhatCannotBeOpened(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	l, _, err := fs.Symlink(t.Context(), alice, fs.Root(), "l", "x")
	must(t, err)
	for _, tt := range []struct {
		ino  *Inode
		want syscall.Errno
	}{{fs.Root(), syscall.EISDIR}, {l, syscall.ELOOP}} {
		_, err := fs.Open(t.Context(), alice, tt.ino, os.O_RDONLY)
		want(t, "errno", Errno(err), tt.want)
	}
}

func TestOthersChangesAreTold(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	a, b := r.mount("", Options{}), r.mount("", Options{})
	told := make(chan *Inode, 100)
	b.Changes(func(ino *Inode) { told <- ino })
	f := write(t, b, "f", "ours")
	write(t, b, "f", "ours, longer")
	_, err := b.Setattr(t.Context(), alice, f, nil, &nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: 0o666}})
	must(t, err)
	_, _, err = b.Link(t.Context(), alice, f, b.Root(), "g")
	must(t, err)
	must(t, b.Rename(t.Context(), alice, b.Root(), "g", b.Root(), "h"))
	must(t, b.Unlink(t.Context(), alice, b.Root(), "h"))
	_, err = b.getattr(t.Context(), alice, f)
	must(t, err)
	_, err = b.getattr(t.Context(), alice, b.Root())
	must(t, err)
	select {
	case ino := <-told:
		t.Errorf("a change of our own was told, of %s", b.pathOf(ino))
	default:
	}
	before := f.Version()
	write(t, a, "f", "theirs")
	_, err = b.getattr(t.Context(), alice, f)
	must(t, err)
	select {
	case ino := <-told:
		want(t, "what was told", ino, f)
	case <-time.After(10 * time.Second):
		t.Error("nothing was told")
	}
	if f.Version() == before {
		t.Error("the version is the same")
	}
	want(t, "changes told in all", len(told), 0)
}

func TestGetattrAsksWhenAttributesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		for _, tt := range []struct {
			opts        string
			valid       time.Duration
			then, again string
		}{
			{"", 3 * time.Second, "GETATTR 1", ""},
			{"actimeo=10", 10 * time.Second, "GETATTR 1", ""},
			{"noac", 0, "GETATTR 1", "GETATTR 1"},
		} {
			fs := r.mount(tt.opts, Options{})
			ino := write(t, fs, "f", "x")
			want(t, tt.opts+": timeout", fs.AttrTimeout(ino), tt.valid)
			time.Sleep(tt.valid)
			want(t, tt.opts+": timeout at the end", fs.AttrTimeout(ino), 0)
			for _, calls := range []string{tt.then, tt.again} {
				r.calls()
				_, err := fs.Getattr(t.Context(), alice, ino)
				must(t, err)
				want(t, tt.opts+": calls", r.calls(), calls)
			}
		}
	})
}

func TestGetattrOfDirtyDataIsTheServers(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	f := open(t, fs, "f", "x")
	defer f.Release()
	_, err := f.WriteAt(t.Context(), []byte("0123456789"), 5)
	must(t, err)
	want(t, "timeout while it is dirty", fs.AttrTimeout(f.Inode()), 0)
	a, err := fs.Getattr(t.Context(), alice, f.Inode())
	must(t, err)
	server, err := r.Stat("f")
	must(t, err)
	want(t, "size", a.Size, 15)
	want(t, "mtime", a.Mtime, server.Mtime)
}

func TestAHandleThatMeansAnotherObject(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*nfs3.Fattr)
	}{
		{"another type", func(a *nfs3.Fattr) { a.Type = nfs3.TypeDir }},
		{"another number", func(a *nfs3.Fattr) { a.FileID++ }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, nfstest.Options{})
			fs := r.mount("noac", Options{})
			ino := write(t, fs, "f", "x")
			f := opened(t, r.mount("", Options{}), "f")
			defer f.Release()
			put(t, f, []byte("y"), 0)
			r.Fault(nfstest.Fault{
				Procs: []uint32{nfs3.ProcGetattr}, Times: nfstest.Forever,
				Do: []nfstest.Action{nfstest.Reply(func(_, reply any) { tt.edit(&reply.(*nfs3.GetattrReply).Attr) })},
			})
			for range 2 {
				_, err := fs.Getattr(t.Context(), alice, ino)
				want(t, "errno", Errno(err), syscall.ESTALE)
			}
			_, err := f.fs.getattr(t.Context(), alice, f.ino)
			want(t, "errno", Errno(err), syscall.ESTALE)
			r.ClearFaults()
			want(t, "errno of an fsync", Errno(f.Fsync(t.Context())), syscall.ESTALE)
			want(t, "content of the other object", string(stored(t, r.Server, "f")), "x")

			g := opened(t, r.mount("", Options{}), "f")
			defer g.Release()
			r.Fault(nfstest.Fault{
				Procs: []uint32{nfs3.ProcRead},
				Do:    []nfstest.Action{nfstest.Reply(func(_, reply any) { tt.edit(&reply.(*nfs3.ReadReply).Attr.Attr) })},
			})
			_, err = g.ReadAt(t.Context(), make([]byte, 1), 0)
			want(t, "errno of a read of the other object", Errno(err), syscall.ESTALE)

			h := opened(t, r.mount("", Options{}), "f")
			defer h.Release()
			put(t, h, []byte("z"), 0)
			must(t, h.fs.drain(t.Context(), h.ino)) // written, and not committed
			h.ino.gone.Store(true)
			want(t, "errno of an fsync without a WRITE", Errno(h.Fsync(t.Context())), syscall.ESTALE)
			must(t, r.WriteFile("f", nil, 0o644))
			if again := find(t, fs, "f"); again == ino {
				t.Error("the same inode")
			}
		})
	}
}

func TestAStaleHandleIsForgotten(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	ino := write(t, fs, "f", "x")
	must(t, r.Remove("f"))
	must(t, r.WriteFile("f", []byte("other"), 0o644))
	_, err := fs.getattr(t.Context(), alice, ino)
	want(t, "errno", Errno(err), syscall.ESTALE)
	again, a, err := fs.Lookup(t.Context(), alice, fs.Root(), "f")
	must(t, err)
	want(t, "size", a.Size, 5)
	if again == ino {
		t.Error("the same inode")
	}
}

func TestNumbersBelowAServersMountPoint(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	must(t, r.WriteFile("f", nil, 0o644))
	fs := r.mount("", Options{})
	r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcLookup}, Times: nfstest.Forever, Do: []nfstest.Action{
		nfstest.Reply(func(_, reply any) { reply.(*nfs3.LookupReply).Attr.Attr.FSID = 77 })}})
	ino, a, err := fs.Lookup(t.Context(), alice, fs.Root(), "f")
	must(t, err)
	server, err := r.Stat("f")
	must(t, err)
	if ino.FileID() == server.FileID {
		t.Error("the number is that of the file system above")
	}
	want(t, "number in the attributes", a.FileID, ino.FileID())
	want(t, "root's number", fs.Root().FileID(), fs.rootAttr.FileID)
}

func TestStatfs(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	s, err := fs.Statfs(t.Context(), alice, fs.Root())
	must(t, err)
	if s.Tbytes == 0 || s.Fbytes > s.Tbytes {
		t.Errorf("%+v", s)
	}
	want(t, "longest name", fs.NameMax(), 255)
}
