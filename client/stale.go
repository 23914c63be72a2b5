package client

import (
	"context"
	"errors"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// A handle that the server does not know any more is answered with
// NFS3ERR_STALE. Mostly the object was removed, or replaced by a rename, on
// another machine. The cure is to walk the path again, which only the owner of
// a path can do: the kernel does it when FUSE answers ESTALE, and the methods
// of Tree do so once. Here it is made sure that they come to another handle
// then.
//
// But a server may also have come back with other handles for the same objects:
// the export was made anew, or another machine took it over. Programs that have
// files open there would be cut off for nothing. So the name under which the
// object was seen last is looked up, up to the root if need be, whose handle
// MNT tells, and the new handle is taken if the object is the same.

// mountPause is for how long MNT is not asked again that did not help: each
// call about an export that is gone would ask mountd, from a reserved port.
const mountPause = time.Second

// maxRenew is how many directories are walked up to find a handle that is good.
const maxRenew = 64

// isStale reports whether err says that a handle is good for nothing.
func isStale(err error) bool {
	return err != nil && (errors.Is(err, nfs3.ErrStale) || errors.Is(err, nfs3.ErrBadhandle))
}

// failed returns err, the error of a call about ino. A handle that turned out
// to be stale loses its attributes, so that the next Lookup of its name asks
// the server.
func (fs *FS) failed(ino *Inode, err error) error {
	if isStale(err) {
		ino.mu.Lock()
		ino.cache.expire()
		ino.mu.Unlock()
	}
	return err
}

// about makes a call about ino, again while the server answers with
// NFS3ERR_JUKEBOX, and once more if ino's handle was stale and has been
// renewed. call takes the handle from ino each time.
func (fs *FS) about(ctx context.Context, cred *rpc.Cred, ino *Inode, call func() error) error {
	err := fs.retry(ctx, call)
	if isStale(err) && fs.renew(ctx, cred, ino, maxRenew) {
		err = fs.retry(ctx, call)
	}
	return err
}

// renewAny renews the handles of those of inos that have new ones, and reports
// whether there was any. Some of inos may be nil.
func (fs *FS) renewAny(ctx context.Context, cred *rpc.Cred, inos []*Inode) (any bool) {
	for _, ino := range inos {
		any = ino != nil && fs.renew(ctx, cred, ino, maxRenew) || any
	}
	return any
}

// renew gives ino the handle that the server has for it now, and reports
// whether that is another than before. cred must be allowed to look its name up.
func (fs *FS) renew(ctx context.Context, cred *rpc.Cred, ino *Inode, up int) bool {
	was := ino.FH()
	fh, a, err := fs.handleNow(ctx, cred, ino, up)
	if err != nil || fh == was || !fs.same(ino, &a) || !fs.table.move(ino, fh) {
		return false
	}
	fs.log.Info("the server has another handle for an object: it is used from now on", "object", fs.pathOf(ino), "fileid", ino.fileid)
	return true
}

// handleNow asks the server which handle is at the place where ino was seen
// last.
func (fs *FS) handleNow(ctx context.Context, cred *rpc.Cred, ino *Inode, up int) (fh nfs3.FH, a nfs3.Fattr, err error) {
	if ino == fs.root {
		if fs.clock.ours() < fs.mountLater.Load() {
			return fh, a, nfs3.ErrStale
		}
		fh, err = fs.mountAgain(ctx)
		if err != nil && ctx.Err() == nil || err == nil && fh == ino.FH() {
			fs.mountLater.Store(fs.clock.ours() + int64(mountPause))
		}
		if err != nil {
			return fh, a, err
		}
		return fs.describe(ctx, cred, fh, nfs3.PostOpAttr{})
	}
	dir, name := ino.place()
	if dir == nil || up == 0 {
		return fh, a, nfs3.ErrStale
	}
	var reply nfs3.LookupReply
	find := func() error {
		return fs.nfs.Lookup(ctx, cred, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: dir.FH(), Name: name}}, &reply)
	}
	err = fs.retry(ctx, find)
	if isStale(err) && fs.renew(ctx, cred, dir, up-1) {
		err = fs.retry(ctx, find)
	}
	if err != nil {
		return fh, a, err
	}
	return fs.describe(ctx, cred, reply.Object, reply.Attr)
}

// describe returns fh with its attributes, which are asked for if a is empty.
func (fs *FS) describe(ctx context.Context, cred *rpc.Cred, fh nfs3.FH, a nfs3.PostOpAttr) (nfs3.FH, nfs3.Fattr, error) {
	if a.Present {
		return fh, a.Attr, nil
	}
	var reply nfs3.GetattrReply
	err := fs.retry(ctx, func() error { return fs.nfs.Getattr(ctx, cred, &nfs3.GetattrArgs{Object: fh}, &reply) })
	return fh, reply.Attr, err
}

// place returns where the object is to be looked for: where it was seen last,
// or where it went when it was removed while it was open.
func (n *Inode) place() (dir *Inode, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.silly != nil {
		return n.silly.dir, n.silly.name
	}
	return n.parent, n.name
}

// same reports whether a describes ino. Number and type do not suffice: servers
// give the number of a file that was removed to the next one. What has the same
// ctime besides was not made or changed since we last heard of it. That is not
// asked of the root, which is what the server exports, nor of a file that we
// renamed because it was removed: nobody else uses such names.
func (fs *FS) same(ino *Inode, a *nfs3.Fattr) bool {
	ino.mu.Lock()
	defer ino.mu.Unlock()
	c := &ino.cache
	return a.Type == ino.typ && a.FileID == ino.fileid && c.known && a.FSID == c.attr.FSID &&
		(ino == fs.root || ino.silly != nil || a.Ctime == c.attr.Ctime)
}
