package client

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// A server that comes back with other handles is followed, by open files and by
// inodes that callers hold, in each kind of call.
func TestNewHandlesOfTheSameObjectsAreTaken(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, fs *FS, d *Inode, f *File) error
	}{
		{"GETATTR of the root", func(t *testing.T, fs *FS, _ *Inode, _ *File) error {
			_, err := fs.getattr(t.Context(), alice, fs.Root())
			return err
		}},
		{"FSSTAT of the root", func(t *testing.T, fs *FS, _ *Inode, _ *File) error {
			_, err := fs.Statfs(t.Context(), alice, fs.Root())
			return err
		}},
		{"GETATTR of a file in a directory", func(t *testing.T, fs *FS, _ *Inode, f *File) error {
			_, err := fs.getattr(t.Context(), alice, f.ino)
			return err
		}},
		{"LOOKUP", func(t *testing.T, fs *FS, d *Inode, f *File) error {
			ino, _, err := fs.lookup(t.Context(), alice, d, "f")
			if err == nil && ino == f.ino {
				t.Error("the directory was renewed, not the file: LOOKUP finds another Inode")
			}
			return err
		}},
		{"ACCESS", func(t *testing.T, fs *FS, d *Inode, _ *File) error {
			fs.expire(d)
			_, err := fs.Access(t.Context(), alice, d, nfs3.AccessLookup)
			return err
		}},
		{"READ of an open file", func(t *testing.T, _ *FS, _ *Inode, f *File) error {
			p := make([]byte, 4)
			_, err := f.ReadAt(t.Context(), p, 0)
			want(t, "data", string(p), "data")
			return err
		}},
		{"WRITE and COMMIT of an open file", func(t *testing.T, _ *FS, _ *Inode, f *File) error {
			_, err := f.WriteAt(t.Context(), []byte("DA"), 0)
			return errors.Join(err, f.Fsync(t.Context()))
		}},
		{"SETATTR", func(t *testing.T, fs *FS, _ *Inode, f *File) error {
			_, err := fs.Setattr(t.Context(), alice, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: 2}})
			return err
		}},
		{"READDIRPLUS", func(t *testing.T, fs *FS, d *Inode, _ *File) error {
			dir, err := fs.OpenDir(t.Context(), alice, d)
			must(t, err)
			_, err = dir.Read(t.Context(), 0)
			return err
		}},
		{"CREATE", func(t *testing.T, fs *FS, d *Inode, _ *File) error {
			_, _, g, err := fs.Create(t.Context(), alice, d, "g", os.O_RDWR|os.O_EXCL, 0o644, 0)
			if err == nil {
				g.Release()
			}
			return err
		}},
		{"MKDIR", func(t *testing.T, fs *FS, d *Inode, _ *File) error {
			_, _, err := fs.Mkdir(t.Context(), alice, d, "g", 0o755, 0)
			return err
		}},
		{"LINK", func(t *testing.T, fs *FS, d *Inode, f *File) error {
			_, _, err := fs.Link(t.Context(), alice, f.ino, d, "g")
			return err
		}},
		{"RENAME", func(t *testing.T, fs *FS, d *Inode, _ *File) error {
			return fs.Rename(t.Context(), alice, d, "f", fs.Root(), "g")
		}},
		{"REMOVE of an open file", func(t *testing.T, fs *FS, d *Inode, f *File) error {
			must(t, fs.Unlink(t.Context(), alice, d, "f"))
			p := make([]byte, 4)
			_, err := f.ReadAt(t.Context(), p, 0)
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nfstest.Options{})
			must(t, r.Mkdir("d", 0o777))
			must(t, r.WriteFile("d/f", []byte("data"), 0o666))
			fs := r.mount("", Options{})
			d := find(t, fs, "d")
			f, err := fs.Open(t.Context(), alice, find(t, fs, "d/f"), os.O_RDWR)
			must(t, err)
			defer f.Release()
			_, err = fs.getattr(t.Context(), alice, d) // its ctime, as it is at the last moment
			must(t, err)
			r.ChangeHandles()
			must(t, c.do(t, fs, d, f))
		})
	}
}

// expire makes the attributes of ino count no more.
func (fs *FS) expire(ino *Inode) {
	ino.mu.Lock()
	defer ino.mu.Unlock()
	ino.cache.expire()
}

// Another file under the old name, even one with the old number, is not taken
// for the one that was there.
func TestOnlyTheSameObjectIsTaken(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, r *rig)
	}{
		{"the name is gone", func(t *testing.T, r *rig) { must(t, r.Remove("f")) }},
		{"the name is another file's", func(t *testing.T, r *rig) {
			must(t, r.Remove("f"))
			must(t, r.WriteFile("f", []byte("another"), 0o666))
		}},
		{"the file was changed meanwhile: it may be another with the same number", func(t *testing.T, r *rig) {
			must(t, r.WriteFile("f", []byte("changed"), 0o666))
			r.ChangeHandles()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nfstest.Options{})
			must(t, r.WriteFile("f", []byte("data"), 0o666))
			fs := r.mount("", Options{})
			f, err := fs.Open(t.Context(), alice, find(t, fs, "f"), os.O_RDWR)
			must(t, err)
			defer f.Release()
			time.Sleep(2 * time.Millisecond) // the server's clock moves on
			c.do(t, r)
			_, err = f.WriteAt(t.Context(), []byte("mine"), 0)
			if err = errors.Join(err, f.Fsync(t.Context())); !errors.Is(err, nfs3.ErrStale) {
				t.Errorf("%v, want a stale handle", err)
			}
		})
	}
}

// While one handle is renewed, a walk may have found the object under the new
// one: there are two Inodes then, and the older stays stale.
func TestAHandleThatHasAnInodeIsNotTaken(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	must(t, r.WriteFile("f", []byte("data"), 0o666))
	fs := r.mount("", Options{})
	old := find(t, fs, "f")
	r.ChangeHandles()
	now, _, err := fs.lookup(t.Context(), alice, fs.Root(), "f")
	must(t, err)
	if now == old {
		t.Fatal("LOOKUP found the Inode of the old handle")
	}
	if _, err := fs.getattr(t.Context(), alice, old); !errors.Is(err, nfs3.ErrStale) {
		t.Errorf("%v, want a stale handle", err)
	}
}

// A root that is nowhere ends in an error, not in a search without end, and not
// in a MNT for each call.
func TestARootThatIsGoneIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		fs := r.mount("", Options{})
		r.Fault(nfstest.Fault{Times: nfstest.Forever, Procs: []uint32{nfs3.ProcGetattr, nfs3.ProcLookup}, Do: []nfstest.Action{nfstest.Status(nfs3.ErrStale)}})
		r.ResetCounts()
		for n := 1; n <= 3; n++ {
			for range 10 {
				if _, err := fs.getattr(t.Context(), alice, fs.Root()); !errors.Is(err, nfs3.ErrStale) {
					t.Errorf("%v, want a stale handle", err)
				}
			}
			want(t, "MNT", int(r.Counts()["MOUNT.MNT"]), n)
			time.Sleep(mountPause)
		}
	})
}
