package client

import (
	"context"
	"errors"
	iofs "io/fs"
	"os"
	"strings"

	"github.com/gonfs/gonfs/nfs3"
)

// Mkdir makes a directory. perm is what the directory gets: the library knows
// no umask.
func (t *Tree) Mkdir(ctx context.Context, name string, perm iofs.FileMode) error {
	return t.in(ctx, "mkdir", name, func(dir *Inode, last string) error {
		_, _, err := t.mkdir(ctx, dir, last, perm)
		return err
	})
}

func (t *Tree) mkdir(ctx context.Context, dir *Inode, last string, perm iofs.FileMode) (*Inode, nfs3.Fattr, error) {
	return t.fs.Mkdir(ctx, t.cred, dir, last, nfsMode(perm), 0)
}

// MkdirAll makes a directory and those above it that are missing; it is
// content with those that exist.
func (t *Tree) MkdirAll(ctx context.Context, name string, perm iofs.FileMode) error {
	var made strings.Builder
	for _, el := range elements(name) {
		made.WriteString("/" + el)
		err := t.Mkdir(ctx, made.String(), perm)
		if err == nil {
			continue
		}
		// A server may refuse to make what exists with another error than
		// EEXIST (EROFS, EACCES), so it is looked at in any case.
		if info, serr := t.Stat(ctx, made.String()); serr == nil && info.IsDir() {
			continue
		} else if serr == nil {
			return t.pathError("mkdir", made.String(), nfs3.ErrNotdir)
		}
		return err
	}
	return nil
}

// Remove removes a file or an empty directory.
func (t *Tree) Remove(ctx context.Context, name string) error {
	return t.in(ctx, "remove", name, func(dir *Inode, last string) error {
		ino, _, err := t.fs.Lookup(ctx, t.cred, dir, last)
		switch {
		case err != nil:
			return err
		case ino.Type() == nfs3.TypeDir:
			return t.fs.Rmdir(ctx, t.cred, dir, last)
		case saysDir(name):
			return nfs3.ErrNotdir
		}
		return t.fs.Unlink(ctx, t.cred, dir, last)
	})
}

// RemoveAll removes name and, if it is a directory, all that is in it. That
// name is missing is no error. It goes on after an error and returns the first.
func (t *Tree) RemoveAll(ctx context.Context, name string) error {
	err := t.inRaw(ctx, name, func(dir *Inode, last string) error {
		return t.removeTree(ctx, dir, last, 0)
	})
	if errors.Is(err, iofs.ErrNotExist) {
		return nil
	}
	return t.pathError("remove", name, err)
}

// maxDepth bounds recursion into directories: a server could pretend that a
// directory holds itself.
const maxDepth = 1000

func (t *Tree) removeTree(ctx context.Context, dir *Inode, last string, depth int) error {
	ino, _, err := t.fs.Lookup(ctx, t.cred, dir, last)
	if err != nil {
		return err
	}
	if ino.Type() != nfs3.TypeDir {
		return t.fs.Unlink(ctx, t.cred, dir, last)
	}
	if depth == maxDepth {
		return nfs3.ErrNametoolong
	}
	var first error
	failed := func(err error) {
		if err != nil && first == nil && !errors.Is(err, iofs.ErrNotExist) {
			first = err
		}
	}
	for batch, err := range t.entries(ctx, ino) {
		failed(err)
		for i := range batch {
			if ctx.Err() != nil {
				break
			}
			failed(t.removeTree(ctx, ino, batch[i].Name, depth+1))
		}
	}
	if err := t.fs.Rmdir(ctx, t.cred, dir, last); err != nil && first == nil {
		first = err
	}
	return first
}

// Rename gives a file another name, replacing what has that name already.
// Errors are *os.LinkError.
func (t *Tree) Rename(ctx context.Context, from, to string) error {
	return linkError("rename", from, to, t.inRaw(ctx, from, func(fromDir *Inode, fromName string) error {
		if saysDir(from) || saysDir(to) {
			if ino, _, err := t.fs.Lookup(ctx, t.cred, fromDir, fromName); err != nil {
				return err
			} else if ino.Type() != nfs3.TypeDir {
				return nfs3.ErrNotdir
			}
		}
		return t.inRaw(ctx, to, func(toDir *Inode, toName string) error {
			return t.fs.Rename(ctx, t.cred, fromDir, fromName, toDir, toName)
		})
	}))
}

// Link gives a file a second name. Errors are *os.LinkError.
func (t *Tree) Link(ctx context.Context, from, to string) error {
	return linkError("link", from, to, t.twice(func() error {
		ino, _, err := t.walk(ctx, from, false, false)
		if err != nil {
			return err
		}
		return t.inRaw(ctx, to, func(dir *Inode, last string) error {
			_, _, err := t.fs.Link(ctx, t.cred, ino, dir, last)
			return err
		})
	}))
}

// Symlink makes a symbolic link. Errors are *os.LinkError.
func (t *Tree) Symlink(ctx context.Context, target, name string) error {
	return linkError("symlink", target, name, t.inRaw(ctx, name, func(dir *Inode, last string) error {
		_, _, err := t.fs.Symlink(ctx, t.cred, dir, last, target)
		return err
	}))
}

// Readlink returns the target of a symbolic link.
func (t *Tree) Readlink(ctx context.Context, name string) (target string, err error) {
	err = t.at(ctx, "readlink", name, false, func(ino *Inode) error {
		if ino.Type() != nfs3.TypeLnk {
			return nfs3.ErrInval
		}
		target, err = t.fs.Readlink(ctx, t.cred, ino)
		return err
	})
	return target, err
}

// Mknod makes a fifo, a socket, or a device with the numbers major and minor,
// by the type bits of mode.
func (t *Tree) Mknod(ctx context.Context, name string, mode iofs.FileMode, major, minor uint32) error {
	typ, ok := map[iofs.FileMode]nfs3.FileType{
		iofs.ModeNamedPipe:                    nfs3.TypeFifo,
		iofs.ModeSocket:                       nfs3.TypeSock,
		iofs.ModeDevice:                       nfs3.TypeBlk,
		iofs.ModeDevice | iofs.ModeCharDevice: nfs3.TypeChr,
	}[mode.Type()]
	if !ok {
		return t.pathError("mknod", name, nfs3.ErrBadtype)
	}
	return t.in(ctx, "mknod", name, func(dir *Inode, last string) error {
		_, _, err := t.fs.Mknod(ctx, t.cred, dir, last, nfsMode(mode), 0, typ, nfs3.Specdata{Major: major, Minor: minor})
		return err
	})
}

func linkError(op, from, to string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: from, New: to, Err: err}
}
