package client

import (
	"context"
	"sync"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Getattr returns the attributes of ino, from the cache while they count. A
// file with dirty data has its WRITEs sent and answered first, so that the
// times are the server's; they need not be committed. The size is never less
// than what was written here. ctx cancels the wait.
func (fs *FS) Getattr(ctx context.Context, cred *rpc.Cred, ino *Inode) (nfs3.Fattr, error) {
	if err := fs.alive(ino); err != nil {
		return nfs3.Fattr{}, err
	}
	if ino.hasDirty() {
		if err := fs.drain(ctx, ino); err != nil {
			return nfs3.Fattr{}, err
		}
	}
	if a, fresh := fs.cached(ino); fresh {
		return a, nil
	}
	return fs.getattr(ctx, fs.credOr(cred), ino)
}

// getattr is Getattr by asking the server.
func (fs *FS) getattr(ctx context.Context, cred *rpc.Cred, ino *Inode) (nfs3.Fattr, error) {
	c := getattrCalls.Get().(*getattrCall)
	defer getattrCalls.Put(c)
	err := fs.about(ctx, cred, ino, func() error {
		c.args.Object = ino.FH()
		st := fs.begin()
		err := fs.nfs.Getattr(ctx, cred, &c.args, &c.reply)
		if err == nil {
			fs.see(ino, observed{st: st, attr: &c.reply.Attr})
		}
		return err
	})
	if err == nil {
		err = fs.alive(ino) // the handle may have turned out to be another object's
	}
	if err != nil {
		return nfs3.Fattr{}, fs.failed(ino, err)
	}
	return fs.view(ino), nil
}

// getattrCall is what a GETATTR would allocate.
type getattrCall struct {
	args  nfs3.GetattrArgs
	reply nfs3.GetattrReply
}

var getattrCalls = sync.Pool{New: func() any { return new(getattrCall) }}

// AttrTimeout returns how long the attributes that were returned last may be
// used without asking again. It is 0 under noac, and while ino has dirty data:
// its times are about to change.
func (fs *FS) AttrTimeout(ino *Inode) time.Duration {
	if ino.hasDirty() {
		return 0
	}
	ino.mu.Lock()
	defer ino.mu.Unlock()
	return ino.cache.left(time.Now())
}

// EntryTimeout returns how long an entry of dir may be used without asking
// again what its name means: as long as dir's attributes count or, under
// lookupcache=none, not at all.
func (fs *FS) EntryTimeout(dir *Inode) time.Duration {
	if fs.lookups == mountopt.LookupNone {
		return 0
	}
	return fs.AttrTimeout(dir)
}

// Setattr changes the attributes that s sets and returns all. Dirty data is
// saved first: SETATTR may take the right to write away, and cut or date what
// was written. With a File, a change of size is made as its opener, who may
// truncate even if the mode no longer allows it. Writes wait for a change of size.
// ctx cancels the wait.
func (fs *FS) Setattr(ctx context.Context, cred *rpc.Cred, ino *Inode, file *File, s *nfs3.Sattr) (nfs3.Fattr, error) {
	if err := fs.alive(ino); err != nil {
		return nfs3.Fattr{}, err
	}
	if err := fs.changeable(); err != nil {
		return nfs3.Fattr{}, err
	}
	cred = fs.credOr(cred)
	if s.Size.Set {
		if fs.maxFileSize > 0 && s.Size.Value > fs.maxFileSize {
			return nfs3.Fattr{}, nfs3.ErrFbig
		}
		if file != nil {
			cred = file.Cred()
		}
		if ino.typ == nfs3.TypeReg {
			return fs.setSize(ctx, cred, ino, *s)
		}
	}
	// Committed, not only sent: data that a restarted server makes us send again
	// would undo the SETATTR.
	if err := fs.flush(ctx, ino); err != nil {
		return nfs3.Fattr{}, err
	}
	return fs.setattr(ctx, ctx, cred, ino, s)
}

// setattr makes a SETATTR. Its call ends with life, all else with ctx.
func (fs *FS) setattr(ctx, life context.Context, cred *rpc.Cred, ino *Inode, s *nfs3.Sattr) (nfs3.Fattr, error) {
	args := nfs3.SetattrArgs{Attr: *s}
	var reply nfs3.SetattrReply
	err := fs.about(ctx, cred, ino, func() error {
		args.Object = ino.FH()
		st := fs.beginChange(ino)
		err := fs.nfs.Setattr(life, cred, &args, &reply)
		if err == nil && s.Size.Set {
			fs.resized(ino, s.Size.Value)
		}
		fs.booked(ino, st, err, &reply.Wcc)
		return err
	})
	if err != nil {
		return nfs3.Fattr{}, fs.failed(ino, err)
	}
	if s.Mode.Set || s.UID.Set || s.GID.Set {
		fs.rightsChanged(ino)
	}
	if reply.Wcc.After.Present {
		return fs.view(ino), nil
	}
	if a, fresh := fs.cached(ino); fresh {
		return a, nil
	}
	return fs.getattr(ctx, cred, ino)
}

// booked books the outcome of a call that began with beginChange.
func (fs *FS) booked(ino *Inode, st stamp, err error, w *nfs3.WccData) {
	switch {
	case err == nil, answered(err) && w.After.Present:
		fs.applyWcc(ino, st, w)
	case answered(err):
		fs.refused(ino, st)
	default:
		fs.endChange(ino, st) // nobody knows what happened
	}
}

// Readlink returns the text of a symbolic link: up to nfs3.MaxPath bytes that
// may hold anything. Other types are NFS3ERR_INVAL. The text is cached for as
// long as the attributes count and do not change. ctx cancels the wait.
func (fs *FS) Readlink(ctx context.Context, cred *rpc.Cred, ino *Inode) (string, error) {
	if err := fs.alive(ino); err != nil {
		return "", err
	}
	if ino.typ != nfs3.TypeLnk {
		return "", nfs3.ErrInval
	}
	ino.mu.Lock()
	t, fresh := ino.target, ino.cache.fresh(time.Now())
	ino.mu.Unlock()
	if t != nil && fresh {
		return *t, nil
	}
	var args nfs3.ReadlinkArgs
	var reply nfs3.ReadlinkReply
	err := fs.about(ctx, cred, ino, func() error {
		args.Symlink = ino.FH()
		st := fs.begin()
		err := fs.nfs.Readlink(ctx, fs.credOr(cred), &args, &reply)
		if answered(err) {
			fs.applyAttr(ino, st, &reply.Attr)
		}
		return err
	})
	if err != nil {
		return "", fs.failed(ino, err)
	}
	text := reply.Target // without the rest of the reply
	ino.mu.Lock()
	ino.target = &text
	ino.mu.Unlock()
	return text, nil
}
