package trees

import (
	"context"
	"io/fs"
	"iter"
	"os"
	"path"
	"time"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/nfs3"
)

// Server is a directory of an export.
type Server struct {
	FS  *gonfs.FS
	Top string // path of the directory in the export
}

var _ Side = Server{}

func (s Server) at(name string) string { return path.Join(s.Top, name) }

// Lstat implements Side.
func (s Server) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return s.FS.Lstat(ctx, s.at(name))
}

// List implements Side.
func (s Server) List(ctx context.Context, name string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		for e, err := range s.FS.ReadDir(ctx, s.at(name)) {
			var fi fs.FileInfo
			if err == nil {
				fi, err = e.Info()
			}
			if !yield(fi, err) {
				return
			}
		}
	}
}

// Open implements Side.
func (s Server) Open(ctx context.Context, name string) (File, error) {
	return s.open(ctx, name, os.O_RDONLY, 0)
}

// Create implements Side.
func (s Server) Create(ctx context.Context, name string, perm fs.FileMode) (File, error) {
	return s.open(ctx, name, os.O_RDWR|os.O_CREATE, perm)
}

func (s Server) open(ctx context.Context, name string, flags int, perm fs.FileMode) (File, error) {
	h, err := s.FS.OpenFile(ctx, s.at(name), flags|oNoFollow, perm)
	if err != nil {
		return nil, err
	}
	return served{h, ctx}, nil
}

// Mkdir implements Side.
func (s Server) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	return s.FS.Mkdir(ctx, s.at(name), perm)
}

// Remove implements Side.
func (s Server) Remove(ctx context.Context, name string) error { return s.FS.Remove(ctx, s.at(name)) }

// Link implements Side.
func (s Server) Link(ctx context.Context, old, name string) error {
	return s.FS.Link(ctx, s.at(old), s.at(name))
}

// Symlink implements Side.
func (s Server) Symlink(ctx context.Context, target, name string) error {
	return s.FS.Symlink(ctx, target, s.at(name))
}

// Readlink implements Side.
func (s Server) Readlink(ctx context.Context, name string) (string, error) {
	return s.FS.Readlink(ctx, s.at(name))
}

// Chmod implements Side.
func (s Server) Chmod(ctx context.Context, name string, mode fs.FileMode) error {
	return s.FS.Chmod(ctx, s.at(name), mode)
}

// Chtimes implements Side.
func (s Server) Chtimes(ctx context.Context, name string, atime, mtime time.Time) error {
	return s.FS.Chtimes(ctx, s.at(name), atime, mtime)
}

// Identity implements Side.
func (s Server) Identity(fi fs.FileInfo) Identity {
	a, ok := fi.Sys().(*nfs3.Fattr)
	if !ok {
		return Identity{Links: 1, Used: fi.Size()}
	}
	return Identity{
		FS: a.FSID, ID: a.FileID, Served: true, Links: uint64(a.Nlink), Used: int64(min(a.Used, 1<<63-1)),
		Atime: a.Atime.Time(), Ctime: a.Ctime.Time(),
	}
}

// served is an open file of a server.
type served struct {
	h   *gonfs.File
	ctx context.Context
}

// ReadAt implements File.
func (f served) ReadAt(p []byte, off int64) (int, error) { return f.h.ReadAt(f.ctx, p, off) }

// WriteAt implements File.
func (f served) WriteAt(p []byte, off int64) (int, error) { return f.h.WriteAt(f.ctx, p, off) }

// Truncate implements File.
func (f served) Truncate(size int64) error { return f.h.Truncate(f.ctx, size) }

// Close implements File.
func (f served) Close() error { return f.h.Close(f.ctx) }
