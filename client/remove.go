package client

import (
	"context"
	"errors"
	"syscall"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Unlink removes name, which is no directory, from dir. A file that is open
// here stays readable: it is given a name of its own (sillyRename) and removed
// when it is closed. Removing that name meanwhile is EBUSY. ctx cancels the
// wait.
func (fs *FS) Unlink(ctx context.Context, cred *rpc.Cred, dir *Inode, name string) error {
	if err := fs.checkChange(dir, name); err != nil {
		return err
	}
	cred = fs.credOr(cred)
	ino, err := fs.meant(ctx, cred, dir, name)
	if err != nil {
		return err
	}
	if ino != nil && ino.typ == nfs3.TypeDir {
		return nfs3.ErrIsdir // some servers would remove it
	}
	if ino != nil && ino.opens() > 0 {
		if ino.isSilly(dir, name) {
			return syscall.EBUSY
		}
		if !ino.hasSilly() {
			return fs.sillyRename(ctx, cred, dir, name, ino)
		}
	}
	return fs.remove(ctx, cred, dir, name, ino)
}

// meant returns what name meant in dir when it was last heard of, asking the
// server if nothing was heard; nil if there is no such name, or if the server
// does not say.
func (fs *FS) meant(ctx context.Context, cred *rpc.Cred, dir *Inode, name string) (*Inode, error) {
	if ino, ok := fs.lastKnown(dir, name); ok {
		return ino, nil
	}
	ino, _, err := fs.lookup(ctx, cred, dir, name)
	if errors.Is(err, nfs3.ErrAcces) || errors.Is(err, nfs3.ErrNoent) {
		return nil, nil // the answer to the call itself is what counts
	}
	return ino, err
}

// remove makes a REMOVE. ino is what name means, or nil if that is unknown.
func (fs *FS) remove(ctx context.Context, cred *rpc.Cred, dir *Inode, name string, ino *Inode) error {
	args := nfs3.RemoveArgs{Object: nfs3.DirOpArgs{Name: name}}
	return fs.unmake(ctx, cred, "REMOVE", dir, name, ino, func(reply *nfs3.RemoveReply) error {
		args.Object.Dir = dir.FH()
		return fs.nfs.Remove(ctx, cred, &args, reply)
	})
}

// Rmdir removes the empty directory name from dir. ctx cancels the wait.
func (fs *FS) Rmdir(ctx context.Context, cred *rpc.Cred, dir *Inode, name string) error {
	if err := fs.checkChange(dir, name); err != nil {
		return err
	}
	cred = fs.credOr(cred)
	args := nfs3.RmdirArgs{Object: nfs3.DirOpArgs{Name: name}}
	ino, err := fs.meant(ctx, cred, dir, name) // see Rename
	if err != nil {
		return err
	}
	return fs.unmake(ctx, cred, "RMDIR", dir, name, ino, func(reply *nfs3.RemoveReply) error {
		args.Object.Dir = dir.FH()
		return fs.nfs.Rmdir(ctx, cred, &args, (*nfs3.RmdirReply)(reply))
	})
}

// unmake makes a call that removes name from dir. What is dirty of ino is saved
// first: it may have other names, and if not, the WRITEs would fail, and be told
// of as a loss.
func (fs *FS) unmake(ctx context.Context, cred *rpc.Cred, op string, dir *Inode, name string, ino *Inode,
	call func(*nfs3.RemoveReply) error) error {
	var nlink uint32
	if ino != nil {
		if err := fs.flush(ctx, ino); err != nil {
			return err
		}
		ino.mu.Lock()
		nlink = ino.cache.attr.Nlink
		ino.mu.Unlock()
	}
	fs.changeName(dir, name)
	err := fs.once(ctx, cred, op, name, nfs3.ErrNoent, func() error {
		var reply nfs3.RemoveReply
		st, end := fs.beginChange(dir), fs.beginSide(ino)
		err := call(&reply)
		fs.booked(dir, st, err, &reply.DirWcc)
		end(err)
		return err
	}, func() outcome { return fs.removed(ctx, cred, dir, name, ino, nlink) }, dir)
	if err != nil {
		return fs.failed(dir, err)
	}
	fs.nameChanged(dir, name, nil)
	return nil
}

// beginSide is beginChange for an object that a call changes on the side,
// without its reply telling of it (REMOVE of one of its names, RENAME): its
// attributes expire, and its new ctime, when it is seen, is our doing. ino may
// be nil.
func (fs *FS) beginSide(ino *Inode) (end func(err error)) {
	if ino == nil {
		return func(error) {}
	}
	st := fs.beginChange(ino)
	return func(err error) {
		var refused *nfs3.Error
		if errors.As(err, &refused) {
			fs.refused(ino, st)
			return
		}
		fs.endChange(ino, st)
	}
}
