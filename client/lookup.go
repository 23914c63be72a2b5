package client

import (
	"context"
	"errors"
	"sync"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/rpc"
)

// Lookup returns what name means in dir, and its attributes. Both may come
// from the cache (see the package's documentation); the LOOKUP that is made
// otherwise brings fresh attributes of both. "." is dir itself, ".." its
// parent as the server sees it, the root's being the root. A name that is
// empty or holds "/" or NUL is NFS3ERR_INVAL, one that is too long
// NFS3ERR_NAMETOOLONG, a missing one NFS3ERR_NOENT. ctx cancels the wait.
func (fs *FS) Lookup(ctx context.Context, cred *rpc.Cred, dir *Inode, name string) (*Inode, nfs3.Fattr, error) {
	cred = fs.credOr(cred)
	switch {
	case name == "." || name == ".." && dir == fs.root:
		if dir.typ != nfs3.TypeDir {
			return nil, nfs3.Fattr{}, nfs3.ErrNotdir
		}
		a, err := fs.Getattr(ctx, cred, dir)
		return dir, a, err
	case name == "..":
		if err := fs.checkEntry(dir, "parent"); err != nil {
			return nil, nfs3.Fattr{}, err
		}
		return fs.lookup(ctx, cred, dir, name)
	}
	if err := fs.checkEntry(dir, name); err != nil {
		return nil, nfs3.Fattr{}, err
	}
	if ino, ok := fs.cachedName(cred, dir, name); ok {
		if ino == nil {
			return nil, nfs3.Fattr{}, nfs3.ErrNoent
		}
		if a, fresh := fs.cached(ino); fresh {
			ino.foundAt(dir, name)
			return ino, a, nil
		}
		// LOOKUP costs what GETATTR would, and sees a name that was replaced.
	}
	return fs.lookup(ctx, cred, dir, name)
}

// lookup is Lookup by asking the server. name is good.
func (fs *FS) lookup(ctx context.Context, cred *rpc.Cred, dir *Inode, name string) (*Inode, nfs3.Fattr, error) {
	var st stamp
	c := lookupCalls.Get().(*lookupCall)
	args, reply := &c.args, &c.reply
	defer func() {
		args.What.Name = "" // it is the caller's
		lookupCalls.Put(c)
	}()
	err := fs.about(ctx, cred, dir, func() error {
		args.What = nfs3.DirOpArgs{Dir: dir.FH(), Name: name}
		st = fs.begin()
		err := fs.nfs.Lookup(ctx, cred, args, reply)
		if answered(err) {
			fs.applyAttr(dir, st, &reply.DirAttr)
		}
		return err
	})
	missing := errors.Is(err, nfs3.ErrNoent)
	if err == nil || missing {
		fs.searched(dir, cred, st.gen)
	}
	if missing && name != ".." {
		fs.learnName(dir, st, &reply.DirAttr, name, nil)
	}
	if err != nil {
		return nil, nfs3.Fattr{}, fs.failed(dir, err)
	}
	ino, err := fs.obtain(ctx, cred, st, &reply.Object, &reply.Attr, false)
	if err != nil {
		return nil, nfs3.Fattr{}, err
	}
	if name != ".." {
		fs.learnName(dir, st, &reply.DirAttr, name, ino)
		ino.toldAt(dir, name)
	}
	return ino, fs.view(ino), nil
}

// lookupCall is what a LOOKUP would allocate.
type lookupCall struct {
	args  nfs3.LookupArgs
	reply nfs3.LookupReply
}

var lookupCalls = sync.Pool{New: func() any { return new(lookupCall) }}

// obtain returns the Inode of a handle that a reply brought, asking for the
// attributes if the reply had none. st is the stamp of the call; change says
// that the call changed the object.
func (fs *FS) obtain(ctx context.Context, cred *rpc.Cred, st stamp, fh *nfs3.FH, a *nfs3.PostOpAttr, change bool) (*Inode, error) {
	if !a.Present {
		var reply nfs3.GetattrReply
		err := fs.retry(ctx, func() error {
			st = fs.begin()
			return fs.nfs.Getattr(ctx, cred, &nfs3.GetattrArgs{Object: *fh}, &reply)
		})
		if err != nil {
			return nil, err
		}
		a = &nfs3.PostOpAttr{Present: true, Attr: reply.Attr}
	}
	ino := fs.inode(fh, &a.Attr)
	fs.see(ino, observed{st: st, attr: &a.Attr, change: change})
	return ino, nil
}

// answered reports whether err leaves the reply of a call filled in: the call
// succeeded, or the server refused it.
func answered(err error) bool {
	if err == nil {
		return true // without the allocations for what follows
	}
	var (
		refused *nfs3.Error
		noLists *nfsacl.Error
	)
	return errors.As(err, &refused) || errors.As(err, &noLists)
}
