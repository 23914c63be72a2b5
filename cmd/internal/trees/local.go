package trees

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Local is a directory of this machine. No name leads out of it.
type Local struct{ Root *os.Root }

var _ Side = Local{}

// listBatch is how many entries of a directory are read at a time.
const listBatch = 512

// Lstat implements Side.
func (l Local) Lstat(_ context.Context, name string) (fs.FileInfo, error) { return l.Root.Lstat(name) }

// List implements Side.
func (l Local) List(ctx context.Context, name string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		d, err := l.Root.Open(name)
		if err != nil {
			yield(nil, err)
			return
		}
		defer d.Close()
		for ctx.Err() == nil {
			entries, err := d.ReadDir(listBatch)
			for _, e := range entries {
				fi, err := e.Info()
				if errors.Is(err, fs.ErrNotExist) {
					continue // removed meanwhile
				}
				if !yield(fi, err) {
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
		yield(nil, context.Cause(ctx))
	}
}

// Open implements Side.
func (l Local) Open(_ context.Context, name string) (File, error) {
	f, err := l.Root.OpenFile(name, os.O_RDONLY|oNoFollow, 0)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Create implements Side.
func (l Local) Create(_ context.Context, name string, perm fs.FileMode) (File, error) {
	f, err := l.Root.OpenFile(name, os.O_RDWR|os.O_CREATE|oNoFollow, perm)
	if err != nil {
		return nil, err
	}
	return synced{f}, nil
}

// synced is a local file that is safe on the disk when it was closed.
type synced struct{ *os.File }

// Close implements File.
func (f synced) Close() error {
	err := f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, os.ErrInvalid) {
		err = nil // a pipe or a device, which has no disk below it
	}
	return errors.Join(err, f.File.Close())
}

// Mkdir implements Side.
func (l Local) Mkdir(_ context.Context, name string, perm fs.FileMode) error {
	return l.Root.Mkdir(name, perm.Perm())
}

// Remove implements Side.
func (l Local) Remove(_ context.Context, name string) error { return l.Root.Remove(name) }

// Link implements Side.
func (l Local) Link(_ context.Context, old, name string) error { return l.Root.Link(old, name) }

// Symlink implements Side.
func (l Local) Symlink(_ context.Context, target, name string) error {
	return l.Root.Symlink(target, name)
}

// Readlink implements Side.
func (l Local) Readlink(_ context.Context, name string) (string, error) {
	return l.Root.Readlink(name)
}

// Chmod implements Side.
func (l Local) Chmod(_ context.Context, name string, mode fs.FileMode) error {
	return l.Root.Chmod(name, mode)
}

// Chtimes implements Side.
func (l Local) Chtimes(_ context.Context, name string, atime, mtime time.Time) error {
	return l.Root.Chtimes(name, atime, mtime)
}

// Identity implements Side.
func (l Local) Identity(fi fs.FileInfo) Identity { return identityOf(fi) }

// OpenLocal returns the directory that name is in, with the links on the way to
// it followed, and the name of the file in it: "." if name is a directory's
// only name, such as "/" or "..". The caller closes Root.
func OpenLocal(name string) (l Local, base string, err error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return Local{}, "", err
	}
	dir, base := filepath.Split(abs)
	if base == "" || slices.Contains([]string{".", ".."}, filepath.Base(name)) {
		dir, base = abs, "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Local{}, "", err
	}
	return Local{root}, base, nil
}
