package nfstest

import (
	"context"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// service is the NFS program: an nfs3.Server over the store.
type service struct{ s *Server }

// do answers one call: f executes it, as who the call's credential is, unless
// a fault decided the status. reply is a pointer to the reply struct.
func (v service) do(ctx context.Context, r *rpc.Request, reply any, f func(w *ident)) {
	c := callOf(ctx)
	if !c.override(reply) {
		v.s.fsMu.Lock()
		f(identOf(r.Cred, &v.s.o))
		v.s.fsMu.Unlock()
	}
	c.edit(reply)
	if v.s.o.NoAttr {
		stripAttr(reply)
	}
}

// change is do for procedures that a read-only export refuses.
func (v service) change(ctx context.Context, r *rpc.Request, reply any, f func(w *ident)) {
	v.do(ctx, r, reply, func(w *ident) {
		if v.s.o.ReadOnly {
			setStatus(reply, nfs3.ErrRofs)
			return
		}
		f(w)
	})
}

// Getattr is GETATTR (RFC 1813 section 3.3.1). Any caller may ask: whoever has
// the handle was given it.
func (v service) Getattr(ctx context.Context, r *rpc.Request, a *nfs3.GetattrArgs, p *nfs3.GetattrReply) {
	v.do(ctx, r, p, func(*ident) { v.s.fs.getattr(a.Object, p) })
}

// Setattr is SETATTR (RFC 1813 section 3.3.2). The guard is a ctime that the
// file must still have.
func (v service) Setattr(ctx context.Context, r *rpc.Request, a *nfs3.SetattrArgs, p *nfs3.SetattrReply) {
	v.change(ctx, r, p, func(w *ident) {
		var guard *nfs3.Time
		if a.Guard.Check {
			guard = &a.Guard.Ctime
		}
		v.s.fs.setattr(w, a.Object, &a.Attr, guard, p)
	})
}

// Lookup is LOOKUP (RFC 1813 section 3.3.3).
func (v service) Lookup(ctx context.Context, r *rpc.Request, a *nfs3.LookupArgs, p *nfs3.LookupReply) {
	v.do(ctx, r, p, func(w *ident) { v.s.fs.lookup(w, a.What.Dir, a.What.Name, p) })
}

// Access is ACCESS (RFC 1813 section 3.3.4). A read-only export grants nothing
// that changes.
func (v service) Access(ctx context.Context, r *rpc.Request, a *nfs3.AccessArgs, p *nfs3.AccessReply) {
	v.do(ctx, r, p, func(w *ident) {
		v.s.fs.access(w, a.Object, a.Access, p)
		if v.s.o.ReadOnly {
			p.Access &^= nfs3.AccessModify | nfs3.AccessExtend | nfs3.AccessDelete
		}
	})
}

// Readlink is READLINK (RFC 1813 section 3.3.5).
func (v service) Readlink(ctx context.Context, r *rpc.Request, a *nfs3.ReadlinkArgs, p *nfs3.ReadlinkReply) {
	v.do(ctx, r, p, func(*ident) { v.s.fs.readlink(a.Symlink, p) })
}

// Read is READ (RFC 1813 section 3.3.6). A count over rtmax is cut, as the RFC
// wants it, and a violation in strict mode.
func (v service) Read(ctx context.Context, r *rpc.Request, a *nfs3.ReadArgs, p *nfs3.ReadReply) {
	v.do(ctx, r, p, func(w *ident) {
		count := min(a.Count, v.s.rtmax(r), callOf(ctx).short())
		v.s.fs.read(w, a.File, a.Offset, count, p)
	})
}

// Write is WRITE (RFC 1813 section 3.3.7). A count that is not the length of
// the data is INVAL: nobody can say which of the two is meant. The verifier is
// read while the call is executed, so that no restart can come in between.
func (v service) Write(ctx context.Context, r *rpc.Request, a *nfs3.WriteArgs, p *nfs3.WriteReply) {
	v.change(ctx, r, p, func(w *ident) {
		data := a.Data
		if uint32(len(data)) != a.Count {
			p.Status = nfs3.ErrInval
			return
		}
		if n := min(v.s.wtmax(r), callOf(ctx).short()); uint32(len(data)) > n {
			data = data[:n]
		}
		how := a.Stable
		if v.s.o.SyncWrites {
			how = nfs3.FileSync
		}
		v.s.fs.write(w, a.File, a.Offset, data, how, p)
		p.Verf = v.s.verifier()
	})
}

// Create is CREATE (RFC 1813 section 3.3.8).
func (v service) Create(ctx context.Context, r *rpc.Request, a *nfs3.CreateArgs, p *nfs3.CreateReply) {
	v.change(ctx, r, p, func(w *ident) { v.s.fs.create(w, a.Where.Dir, a.Where.Name, &a.How, p) })
}

// Mkdir is MKDIR (RFC 1813 section 3.3.9).
func (v service) Mkdir(ctx context.Context, r *rpc.Request, a *nfs3.MkdirArgs, p *nfs3.MkdirReply) {
	v.change(ctx, r, p, func(w *ident) { v.s.fs.mkdir(w, a.Where.Dir, a.Where.Name, &a.Attr, p) })
}

// Symlink is SYMLINK (RFC 1813 section 3.3.10).
func (v service) Symlink(ctx context.Context, r *rpc.Request, a *nfs3.SymlinkArgs, p *nfs3.SymlinkReply) {
	v.change(ctx, r, p, func(w *ident) { v.s.fs.symlink(w, a.Where.Dir, a.Where.Name, a.Target, &a.Attr, p) })
}

// Mknod is MKNOD (RFC 1813 section 3.3.11).
func (v service) Mknod(ctx context.Context, r *rpc.Request, a *nfs3.MknodArgs, p *nfs3.MknodReply) {
	v.change(ctx, r, p, func(w *ident) {
		v.s.fs.mknod(w, a.Where.Dir, a.Where.Name, a.What.Type, &a.What.Attr, a.What.Spec, p)
	})
}

// Remove is REMOVE (RFC 1813 section 3.3.12).
func (v service) Remove(ctx context.Context, r *rpc.Request, a *nfs3.RemoveArgs, p *nfs3.RemoveReply) {
	v.change(ctx, r, p, func(w *ident) { v.s.fs.remove(w, a.Object.Dir, a.Object.Name, p) })
}

// Rmdir is RMDIR (RFC 1813 section 3.3.13).
func (v service) Rmdir(ctx context.Context, r *rpc.Request, a *nfs3.RmdirArgs, p *nfs3.RmdirReply) {
	v.change(ctx, r, p, func(w *ident) { v.s.fs.rmdir(w, a.Object.Dir, a.Object.Name, p) })
}

// Rename is RENAME (RFC 1813 section 3.3.14).
func (v service) Rename(ctx context.Context, r *rpc.Request, a *nfs3.RenameArgs, p *nfs3.RenameReply) {
	v.change(ctx, r, p, func(w *ident) { v.s.fs.rename(w, a.From.Dir, a.From.Name, a.To.Dir, a.To.Name, p) })
}

// Link is LINK (RFC 1813 section 3.3.15).
func (v service) Link(ctx context.Context, r *rpc.Request, a *nfs3.LinkArgs, p *nfs3.LinkReply) {
	v.change(ctx, r, p, func(w *ident) { v.s.fs.link(w, a.File, a.Link.Dir, a.Link.Name, p) })
}

// Readdir is READDIR (RFC 1813 section 3.3.16). The cookie may carry the bit
// that TopCookies added.
func (v service) Readdir(ctx context.Context, r *rpc.Request, a *nfs3.ReaddirArgs, p *nfs3.ReaddirReply) {
	v.do(ctx, r, p, func(w *ident) {
		v.s.fs.readdir(w, a.Dir, callOf(ctx).cookie(a.Cookie), a.Verf, min(a.Count, v.s.listMax(r)), p)
	})
}

// Readdirplus is READDIRPLUS (RFC 1813 section 3.3.17). The cookie may carry
// the bit that TopCookies added.
func (v service) Readdirplus(ctx context.Context, r *rpc.Request, a *nfs3.ReaddirplusArgs, p *nfs3.ReaddirplusReply) {
	v.do(ctx, r, p, func(w *ident) {
		v.s.fs.readdirplus(w, a.Dir, callOf(ctx).cookie(a.Cookie), a.Verf, a.DirCount, min(a.MaxCount, v.s.listMax(r)), p)
	})
}

// Fsstat is FSSTAT (RFC 1813 section 3.3.18).
func (v service) Fsstat(ctx context.Context, r *rpc.Request, a *nfs3.FsstatArgs, p *nfs3.FsstatReply) {
	v.do(ctx, r, p, func(*ident) { v.s.fs.fsstat(a.Root, p) })
}

// Commit is COMMIT (RFC 1813 section 3.3.21). ChangeVerf acts here, before the
// data moves.
func (v service) Commit(ctx context.Context, r *rpc.Request, a *nfs3.CommitArgs, p *nfs3.CommitReply) {
	v.change(ctx, r, p, func(w *ident) {
		if callOf(ctx).newVerf() {
			v.s.changeVerf()
		}
		v.s.fs.commit(w, a.File, a.Offset, a.Count, p)
		p.Verf = v.s.verifier()
	})
}
