package trees

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"time"
)

// Side is where files are: a [Server] or a [Local] directory. Names are
// relative, with slashes; "." is the top. Symbolic links at the end of a name
// are never followed.
type Side interface {
	// Lstat describes a file.
	Lstat(ctx context.Context, name string) (fs.FileInfo, error)
	// List yields what is in a directory, each with its description, in the
	// order of the file system. It ends after an error.
	List(ctx context.Context, name string) iter.Seq2[fs.FileInfo, error]
	// Open opens a regular file for reading.
	Open(ctx context.Context, name string) (File, error)
	// Create opens a regular file for reading and writing, and makes it with
	// the permissions perm if it is not there. It is not cut.
	Create(ctx context.Context, name string, perm fs.FileMode) (File, error)
	// Mkdir makes a directory.
	Mkdir(ctx context.Context, name string, perm fs.FileMode) error
	// Remove removes a file or an empty directory.
	Remove(ctx context.Context, name string) error
	// Link gives a file another name.
	Link(ctx context.Context, old, name string) error
	// Symlink makes a symbolic link.
	Symlink(ctx context.Context, target, name string) error
	// Readlink returns where a symbolic link leads.
	Readlink(ctx context.Context, name string) (string, error)
	// Chmod sets permissions and set-id bits. It is not for symbolic links.
	Chmod(ctx context.Context, name string, mode fs.FileMode) error
	// Chtimes sets the times of last access and of last change. It is not for
	// symbolic links.
	Chtimes(ctx context.Context, name string, atime, mtime time.Time) error
	// Identity tells what Lstat or List described apart from other files.
	Identity(fi fs.FileInfo) Identity
}

// File is an open file. Pieces of it are read and written in any order, from
// many goroutines.
type File interface {
	io.ReaderAt
	io.WriterAt
	// Truncate makes the file size bytes long.
	Truncate(size int64) error
	// Close ends its use; nil says that all that was written is safe.
	Close() error
}

// Identity is what is the same in all names of a file.
type Identity struct {
	FS, ID uint64    // file system and file, unique together on one side
	Served bool      // they are a server's: fsid and fileid of RFC 1813
	Links  uint64    // names
	Used   int64     // bytes on the disk
	Atime  time.Time // of last access
	Ctime  time.Time // of the last change of content or attributes
}

// key is Identity less what can change.
type key struct{ fs, id uint64 }

func (i Identity) key() key { return key{i.FS, i.ID} }
