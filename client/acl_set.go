package client

import (
	"context"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/rpc"
)

// SetACLs replaces the lists of ino, both of them if it is a directory: to
// change one, the other is got first. A nil Access takes the list away and
// leaves the mode as it is, a nil Default likewise. What is no list is a
// *nfsacl.ListError, a default list of anything but a directory NFS3ERR_ACCES, a
// mount or object without lists NFS3ERR_NOTSUPP. Dirty data is saved first, as
// by Setattr. ctx cancels the wait.
//
// Some servers answer OK and do nothing. So the lists are got again, and where
// nothing is left of them the error is NFS3ERR_NOTSUPP.
func (fs *FS) SetACLs(ctx context.Context, cred *rpc.Cred, ino *Inode, l ACLs) error {
	if err := fs.alive(ino); err != nil {
		return err
	}
	if err := fs.changeable(); err != nil {
		return err
	}
	if !fs.HasACLs() || ino.typ == nfs3.TypeLnk {
		return nfs3.ErrNotsupp
	}
	if len(l.Default) > 0 && ino.typ != nfs3.TypeDir {
		return nfs3.ErrAcces // what setxattr(2) says
	}
	for _, a := range []nfsacl.ACL{l.Access, l.Default} {
		if err := a.Valid(); len(a) > 0 && err != nil {
			return err
		}
	}
	cred = fs.credOr(cred)
	if len(l.Access) == 0 {
		a, err := fs.Getattr(ctx, cred, ino)
		if err != nil {
			return err
		}
		l.Access = nfsacl.FromMode(a.Mode)
	}
	if err := fs.flush(ctx, ino); err != nil {
		return err
	}
	if err := fs.setACLs(ctx, cred, ino, l); err != nil {
		return err
	}
	if !l.Access.Named() && len(l.Default) == 0 {
		return nil
	}
	got, err := fs.getACLs(ctx, cred, ino)
	if err == nil && (l.Access.Named() && got.Access == nil || len(l.Default) > 0 && got.Default == nil) {
		err = nfs3.ErrNotsupp
	}
	return err
}

// setACLs makes one SETACL. Linux's server takes a list that the call does not
// name for none, so a directory's are both sent.
func (fs *FS) setACLs(ctx context.Context, cred *rpc.Cred, ino *Inode, l ACLs) error {
	args := nfsacl.SetaclArgs{Lists: nfsacl.Lists{Mask: nfsacl.MaskACL, Access: l.Access}}
	if ino.typ == nfs3.TypeDir {
		args.Lists.Mask |= nfsacl.MaskDefault
		args.Lists.Default = l.Default
	}
	var reply nfsacl.SetaclReply
	err := fs.about(ctx, cred, ino, func() error {
		st := fs.beginChange(ino)
		args.Object = ino.FH()
		err := fs.acl.Setacl(ctx, cred, &args, &reply)
		fs.booked(ino, st, err, &nfs3.WccData{After: reply.Attr})
		return err
	})
	fs.rightsChanged(ino)
	if err != nil {
		return fs.failed(ino, fs.aclError(err))
	}
	return nil
}

// rightsChanged forgets what is known of rights on ino: a call of ours may have
// changed them.
func (fs *FS) rightsChanged(ino *Inode) {
	gen := fs.gen.Add(1)
	ino.mu.Lock()
	ino.access.drop(gen)
	ino.acl.drop(gen)
	ino.mu.Unlock()
}
