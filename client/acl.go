package client

import (
	"context"
	"errors"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/rpc"
)

// ACLs are the access control lists of an object (acl(5)). Access is nil where
// the mode says it all; Default, of a directory, is what new entries of it begin
// with, and nil where there is none. They are shared: nobody changes them.
type ACLs struct{ Access, Default nfsacl.ACL }

// aclCache is what is known of an object's lists. It is guarded by its Inode's
// mutex. It counts while the attributes do, and is dropped when others changed
// the object, or anybody its rights: a list never changes without the ctime.
type aclCache struct {
	lists   *ACLs  // nil if unknown
	dropped uint64 // answers to questions asked before this generation are too old
}

// drop forgets the lists: they may have changed.
func (c *aclCache) drop(gen uint64) { *c = aclCache{dropped: gen} }

// learn notes an answer to a question that was asked at generation gen.
func (c *aclCache) learn(gen uint64, l ACLs) {
	if gen > c.dropped {
		c.lists = &l
	}
}

// HasACLs reports whether the mount has access control lists: they are wanted,
// and the server has NFSACL. A server may lose it, which is for good then.
func (fs *FS) HasACLs() bool { return fs.acl != nil && !fs.noACLs.Load() }

// GetACLs returns the lists of ino, from the cache while its attributes count.
// A mount or an object without lists is NFS3ERR_NOTSUPP, as are symbolic links.
// ctx cancels the wait.
func (fs *FS) GetACLs(ctx context.Context, cred *rpc.Cred, ino *Inode) (ACLs, error) {
	if err := fs.alive(ino); err != nil {
		return ACLs{}, err
	}
	if !fs.HasACLs() || ino.typ == nfs3.TypeLnk {
		return ACLs{}, nfs3.ErrNotsupp
	}
	ino.mu.Lock()
	c, fresh := ino.acl, ino.cache.fresh(time.Now())
	ino.mu.Unlock()
	if c.lists != nil && fresh {
		return *c.lists, nil
	}
	return fs.getACLs(ctx, fs.credOr(cred), ino)
}

// getACLs is GetACLs by asking the server. GETACL brings the attributes too.
func (fs *FS) getACLs(ctx context.Context, cred *rpc.Cred, ino *Inode) (ACLs, error) {
	var (
		st    stamp
		args  = nfsacl.GetaclArgs{Mask: nfsacl.MaskACL | nfsacl.MaskDefault}
		reply nfsacl.GetaclReply
	)
	err := fs.about(ctx, cred, ino, func() error {
		st = fs.begin()
		args.Object = ino.FH()
		err := fs.acl.Getacl(ctx, cred, &args, &reply)
		if answered(err) {
			fs.applyAttr(ino, st, &reply.Attr)
		}
		return err
	})
	if err != nil {
		return ACLs{}, fs.failed(ino, fs.aclError(err))
	}
	l := ACLs{Access: reply.Lists.Access}
	if ino.typ == nfs3.TypeDir {
		l.Default = reply.Lists.Default
	}
	for _, a := range []nfsacl.ACL{l.Access, l.Default} {
		if err := a.Valid(); a != nil && err != nil {
			return ACLs{}, &rpc.ProtocolError{What: "results of GETACL", Err: err}
		}
	}
	if l.Access.Minimal() {
		l.Access = nil
	}
	ino.mu.Lock()
	ino.acl.learn(st.gen, l)
	ino.mu.Unlock()
	return l, nil
}

// aclError returns the error of a call of NFSACL: NFS3ERR_NOTSUPP for all the
// ways in which servers say that they cannot do it. A server that lacks the
// program is not asked again.
func (fs *FS) aclError(err error) error {
	var refused *rpc.AcceptError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Stat {
	case rpc.ProgUnavail, rpc.ProgMismatch:
		if !fs.noACLs.Swap(true) {
			fs.log.Warn("the server has no access control lists any more: they are off for this mount", "err", err)
		}
		return nfs3.ErrNotsupp
	case rpc.ProcUnavail, rpc.GarbageArgs: // nfs-ganesha 4.3 takes a SETACL for garbage unless it has both lists
		return nfs3.ErrNotsupp
	}
	return err
}
