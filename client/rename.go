package client

import (
	"context"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Rename gives what is fromName in fromDir the name toName in toDir, replacing
// what has that name. Dirty data of the file is sent first, so that a file
// that replaces another is not found empty. A replaced file that is open here
// stays readable, as with Unlink; it is out of sight for the moment between
// its own renaming and this one. ctx cancels the wait.
func (fs *FS) Rename(ctx context.Context, cred *rpc.Cred, fromDir *Inode, fromName string, toDir *Inode, toName string) error {
	if err := fs.checkChange(fromDir, fromName); err != nil {
		return err
	}
	if err := fs.checkChange(toDir, toName); err != nil {
		return err
	}
	cred = fs.credOr(cred)
	// What is renamed must be known, or nobody could tell what became of a
	// RENAME whose reply was lost.
	ino, err := fs.meant(ctx, cred, fromDir, fromName)
	if err != nil {
		return err
	}
	if ino != nil {
		if err := fs.drain(ctx, ino); err != nil {
			return err
		}
	}
	target, err := fs.meant(ctx, cred, toDir, toName)
	if err != nil {
		return err
	}
	if target != nil && target == ino {
		target = nil // two names of one file: the server does nothing
	}
	undo := func() {}
	if target != nil && target.typ != nfs3.TypeDir && target.opens() > 0 && !target.hasSilly() {
		if err := fs.sillyRename(ctx, cred, toDir, toName, target); err != nil {
			return err
		}
		undo = func() { fs.sillyUndo(ctx, cred, toDir, toName, target) }
	} else if target != nil {
		if err := fs.flush(ctx, target); err != nil { // as unmake does
			return err
		}
	}
	if err := fs.rename(ctx, cred, fromDir, fromName, toDir, toName, ino, target); err != nil {
		undo()
		return err
	}
	return nil
}

// rename makes a RENAME. ino is what fromName means and target what toName
// means; either may be nil.
func (fs *FS) rename(ctx context.Context, cred *rpc.Cred, from *Inode, fromName string, to *Inode, toName string, ino, target *Inode) error {
	args := nfs3.RenameArgs{From: nfs3.DirOpArgs{Name: fromName}, To: nfs3.DirOpArgs{Name: toName}}
	fs.changeName(from, fromName)
	fs.changeName(to, toName)
	err := fs.once(ctx, cred, "RENAME", fromName, nfs3.ErrNoent, func() error {
		args.From.Dir, args.To.Dir = from.FH(), to.FH()
		var reply nfs3.RenameReply
		stFrom, stTo := fs.beginChange(from), fs.beginChange(to)
		endIno, endTarget := fs.beginSide(ino), fs.beginSide(target)
		err := fs.nfs.Rename(ctx, cred, &args, &reply)
		fs.booked(from, stFrom, err, &reply.FromWcc)
		fs.booked(to, stTo, err, &reply.ToWcc)
		endIno(err)
		endTarget(err)
		return err
	}, func() outcome { return fs.moved(ctx, cred, from, fromName, to, toName, ino) }, from, to, ino)
	if err != nil {
		return fs.failed(to, fs.failed(from, err))
	}
	if ino == nil { // what the new name means was never heard of
		fs.nameChanged(from, fromName, nil)
		fs.changeName(to, toName)
		return nil
	}
	if from != to || fromName != toName {
		fs.nameChanged(from, fromName, nil)
	}
	fs.nameChanged(to, toName, ino)
	return nil
}
