package client

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// TestCallsThatWereSentTwice loses the reply to the first copy of each call.
// The server has no cache of replies, so it executes the second copy too, and
// answers it with an error. Only what evidence shows to be ours is a success.
func TestCallsThatWereSentTwice(t *testing.T) {
	tests := []struct {
		name   string
		proc   uint32
		do     func(fs *FS, t *testing.T) error
		want   error
		strict error
	}{
		{"CREATE EXCLUSIVE knows its own", nfs3.ProcCreate, func(fs *FS, t *testing.T) error {
			_, _, f, err := fs.Create(t.Context(), alice, fs.Root(), "new", os.O_RDWR|os.O_EXCL, 0o644, 0)
			if err == nil {
				f.Release()
			}
			return err
		}, nil, nil},
		{"CREATE UNCHECKED may be done twice", nfs3.ProcCreate, func(fs *FS, t *testing.T) error {
			_, _, f, err := fs.Create(t.Context(), alice, fs.Root(), "new", os.O_RDWR, 0o644, 0)
			if err == nil {
				f.Release()
			}
			return err
		}, nil, nil},
		{"MKDIR cannot be told from another's", nfs3.ProcMkdir, func(fs *FS, t *testing.T) error {
			_, _, err := fs.Mkdir(t.Context(), alice, fs.Root(), "new", 0o755, 0)
			return err
		}, nfs3.ErrExist, nfs3.ErrExist},
		{"SYMLINK is ours if it is new and has our text", nfs3.ProcSymlink, func(fs *FS, t *testing.T) error {
			ino, _, err := fs.Symlink(t.Context(), alice, fs.Root(), "new", "text")
			if err == nil && ino != find(t, fs, "new") {
				t.Error("another inode")
			}
			return err
		}, nil, nfs3.ErrExist},
		{"LINK is ours if the file has one more name", nfs3.ProcLink, func(fs *FS, t *testing.T) error {
			_, a, err := fs.Link(t.Context(), alice, find(t, fs, "f"), fs.Root(), "new")
			if err == nil {
				want(t, "nlink", a.Nlink, 2)
			}
			return err
		}, nil, nfs3.ErrExist},
		{"REMOVE is ours if the file is gone", nfs3.ProcRemove, func(fs *FS, t *testing.T) error {
			return fs.Unlink(t.Context(), alice, fs.Root(), "f")
		}, nil, nfs3.ErrNoent},
		{"RMDIR is ours if the directory is gone", nfs3.ProcRmdir, func(fs *FS, t *testing.T) error {
			return fs.Rmdir(t.Context(), alice, fs.Root(), "d")
		}, nil, nfs3.ErrNoent},
		{"RENAME is ours if the file has the new name", nfs3.ProcRename, func(fs *FS, t *testing.T) error {
			return fs.Rename(t.Context(), alice, fs.Root(), "f", fs.Root(), "new")
		}, nil, nfs3.ErrNoent},
		{"RMDIR of a directory that was never heard of", nfs3.ProcRmdir, func(fs *FS, t *testing.T) error {
			return fs.Rmdir(t.Context(), alice, fs.Root(), "unheard-d")
		}, nil, nfs3.ErrNoent},
		{"RENAME of a file that was never heard of", nfs3.ProcRename, func(fs *FS, t *testing.T) error {
			return fs.Rename(t.Context(), alice, fs.Root(), "unheard-f", fs.Root(), "new")
		}, nil, nfs3.ErrNoent},
	}
	for _, strict := range []bool{false, true} {
		for _, tt := range tests {
			name, opts := tt.name, "timeo=1"
			if strict {
				name, opts = name+", or is taken as answered", opts+",replay=strict"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, nfstest.Options{NoDRC: true})
					must(t, r.Mkdir("d", 0o777))
					must(t, r.WriteFile("f", []byte("x"), 0o666))
					must(t, r.Mkdir("unheard-d", 0o777))
					must(t, r.WriteFile("unheard-f", []byte("x"), 0o666))
					fs := r.mount(opts, Options{})
					find(t, fs, "f")
					find(t, fs, "d")
					r.Fault(nfstest.Fault{Procs: []uint32{tt.proc}, Do: []nfstest.Action{nfstest.DropReply()}})
					err, expect := tt.do(fs, t), tt.want
					if strict {
						expect = tt.strict
					}
					if !errors.Is(err, expect) {
						t.Errorf("error: %v, want %v", err, expect)
					}
				})
			})
		}
	}
}

// TestErrorsThatAreNotOurs answers the first copy of each call with the error
// that the second copy of a success would meet: others were there first.
func TestErrorsThatAreNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{NoDRC: true})
		must(t, r.WriteFile("f", []byte("x"), 0o666))
		must(t, r.WriteFile("taken", []byte("x"), 0o666))
		must(t, r.Symlink("text", "sl"))
		fs := r.mount("timeo=1", Options{})
		f := find(t, fs, "f")
		twice := func(proc uint32) {
			r.Fault(nfstest.Fault{Procs: []uint32{proc}, Do: []nfstest.Action{nfstest.DropReply()}})
		}
		twice(nfs3.ProcLink)
		if _, _, err := fs.Link(t.Context(), alice, f, fs.Root(), "taken"); !errors.Is(err, nfs3.ErrExist) {
			t.Errorf("LINK: %v", err)
		}
		twice(nfs3.ProcSymlink)
		if _, _, err := fs.Symlink(t.Context(), alice, fs.Root(), "sl", "text"); !errors.Is(err, nfs3.ErrExist) {
			t.Errorf("SYMLINK with the same text: %v", err)
		}
		twice(nfs3.ProcRemove)
		if err := fs.Unlink(t.Context(), alice, fs.Root(), "missing"); !errors.Is(err, nfs3.ErrNoent) {
			t.Errorf("REMOVE: %v", err)
		}
		twice(nfs3.ProcRename)
		if err := fs.Rename(t.Context(), alice, fs.Root(), "missing", fs.Root(), "x"); !errors.Is(err, nfs3.ErrNoent) {
			t.Errorf("RENAME: %v", err)
		}
	})
}

func TestALinkThatWasThereIsNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{NoDRC: true})
		fs := r.mount("timeo=1", Options{})
		f := write(t, fs, "f", "x")
		_, _, err := fs.Link(t.Context(), alice, f, fs.Root(), "g")
		must(t, err)
		r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcLink}, Do: []nfstest.Action{nfstest.DropReply()}})
		if _, _, err := fs.Link(t.Context(), alice, f, fs.Root(), "g"); !errors.Is(err, nfs3.ErrExist) {
			t.Errorf("LINK: %v", err)
		}
	})
}
