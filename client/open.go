package client

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// flagExec is FMODE_EXEC, which Linux adds to the flags of a FUSE OPEN for
// execve(2): the file is read with the right to execute it.
const flagExec = 0x20

// Open opens a regular file. flags are those of os.OpenFile: the access mode,
// O_TRUNC, O_APPEND, O_SYNC and O_DIRECT matter.
//
// Open is where close-to-open consistency is made: whoever opens a file after
// it was closed elsewhere sees what was written. Unless the mount is nocto, the
// name under which the file was found is looked up again, which costs what
// GETATTR would, and sees a file that was replaced: then the error is
// NFS3ERR_STALE, and the caller walks the path again. The rights that flags
// need are asked of the server, so that an open fails rather than a read.
//
// The File keeps cred and must be released. ctx cancels the wait.
func (fs *FS) Open(ctx context.Context, cred *rpc.Cred, ino *Inode, flags int) (*File, error) {
	cred = fs.credOr(cred)
	if err := fs.openable(ino); err != nil {
		return nil, err
	}
	if err := fs.verify(ctx, cred, ino); err != nil {
		return nil, err
	}
	return fs.openVerified(ctx, cred, ino, flags)
}

// openVerified is Open for a file that was looked up just now.
func (fs *FS) openVerified(ctx context.Context, cred *rpc.Cred, ino *Inode, flags int) (*File, error) {
	if err := fs.openable(ino); err != nil {
		return nil, err
	}
	need := rightsFor(flags)
	if need&nfs3.AccessModify != 0 {
		if err := fs.changeable(); err != nil {
			return nil, err
		}
	}
	if err := fs.permit(ctx, cred, ino, need); err != nil {
		return nil, err
	}
	if flags&os.O_TRUNC != 0 {
		s := nfs3.Sattr{Size: nfs3.SetUint64{Set: true}}
		if _, err := fs.Setattr(ctx, cred, ino, nil, &s); err != nil {
			return nil, err
		}
	}
	return newFile(fs, ino, cred, flags), nil
}

// openable refuses what is no regular file.
func (fs *FS) openable(ino *Inode) error {
	if err := fs.alive(ino); err != nil {
		return err
	}
	switch ino.typ {
	case nfs3.TypeReg:
		return nil
	case nfs3.TypeDir:
		return nfs3.ErrIsdir
	case nfs3.TypeLnk:
		return syscall.ELOOP
	}
	return nfs3.ErrNxio // devices and pipes live on the local machine
}

// verify makes sure that the name under which ino was found still means it, or
// at least that ino's attributes are new.
func (fs *FS) verify(ctx context.Context, cred *rpc.Cred, ino *Inode) error {
	if fs.noCTO {
		_, err := fs.Getattr(ctx, cred, ino)
		return err
	}
	ino.mu.Lock()
	dir, name := ino.parent, ino.name
	if ino.silly != nil {
		dir = nil
	}
	ino.mu.Unlock()
	if dir != nil {
		now, _, err := fs.lookup(ctx, cred, dir, name)
		switch {
		case err == nil && now == ino:
			return nil
		case err == nil, errors.Is(err, nfs3.ErrNoent), isStale(err):
			return nfs3.ErrStale
		case !errors.Is(err, nfs3.ErrAcces):
			return err
		}
		// A caller that may not search the directory has the file by another
		// way, a descriptor that it was given: the handle is what counts.
	}
	_, err := fs.getattr(ctx, cred, ino)
	return err
}

// rightsFor returns the ACCESS bits that an open with flags needs.
func rightsFor(flags int) (need uint32) {
	switch flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR) {
	case os.O_WRONLY:
	case os.O_RDONLY:
		if flags&flagExec != 0 {
			need = nfs3.AccessExecute
			break
		}
		fallthrough
	default:
		need = nfs3.AccessRead
	}
	if flags&(os.O_WRONLY|os.O_RDWR|os.O_TRUNC) != 0 {
		need |= nfs3.AccessModify | nfs3.AccessExtend
	}
	return need
}
