package nfs3

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Server answers the procedures; NULL is answered by Serve. Each method fills
// reply, whose Status is OK at first. Calls come concurrently. args is valid
// until the method returns (the Data of WRITE aliases the message); the Data
// of a READ reply must not change afterwards. ctx ends with the connection.
type Server interface {
	Getattr(ctx context.Context, r *rpc.Request, args *GetattrArgs, reply *GetattrReply)
	Setattr(ctx context.Context, r *rpc.Request, args *SetattrArgs, reply *SetattrReply)
	Lookup(ctx context.Context, r *rpc.Request, args *LookupArgs, reply *LookupReply)
	Access(ctx context.Context, r *rpc.Request, args *AccessArgs, reply *AccessReply)
	Readlink(ctx context.Context, r *rpc.Request, args *ReadlinkArgs, reply *ReadlinkReply)
	Read(ctx context.Context, r *rpc.Request, args *ReadArgs, reply *ReadReply)
	Write(ctx context.Context, r *rpc.Request, args *WriteArgs, reply *WriteReply)
	Create(ctx context.Context, r *rpc.Request, args *CreateArgs, reply *CreateReply)
	Mkdir(ctx context.Context, r *rpc.Request, args *MkdirArgs, reply *MkdirReply)
	Symlink(ctx context.Context, r *rpc.Request, args *SymlinkArgs, reply *SymlinkReply)
	Mknod(ctx context.Context, r *rpc.Request, args *MknodArgs, reply *MknodReply)
	Remove(ctx context.Context, r *rpc.Request, args *RemoveArgs, reply *RemoveReply)
	Rmdir(ctx context.Context, r *rpc.Request, args *RmdirArgs, reply *RmdirReply)
	Rename(ctx context.Context, r *rpc.Request, args *RenameArgs, reply *RenameReply)
	Link(ctx context.Context, r *rpc.Request, args *LinkArgs, reply *LinkReply)
	Readdir(ctx context.Context, r *rpc.Request, args *ReaddirArgs, reply *ReaddirReply)
	Readdirplus(ctx context.Context, r *rpc.Request, args *ReaddirplusArgs, reply *ReaddirplusReply)
	Fsstat(ctx context.Context, r *rpc.Request, args *FsstatArgs, reply *FsstatReply)
	Fsinfo(ctx context.Context, r *rpc.Request, args *FsinfoArgs, reply *FsinfoReply)
	Pathconf(ctx context.Context, r *rpc.Request, args *PathconfArgs, reply *PathconfReply)
	Commit(ctx context.Context, r *rpc.Request, args *CommitArgs, reply *CommitReply)
}

// Serve returns the rpc.Program that decodes calls, has s answer them and
// encodes the replies. Arguments that cannot be decoded, or that something
// follows, are GARBAGE_ARGS; a reply that cannot be encoded (a name that is
// too long, say) is SYSTEM_ERR.
func Serve(s Server) rpc.Program { return program{s} }

type program struct{ s Server }

// ServeRPC implements rpc.Program.
func (p program) ServeRPC(ctx context.Context, r *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
	switch s := p.s; r.Proc {
	case ProcNull:
		return rpc.Success
	case ProcGetattr:
		return answer(ctx, r, reply, s.Getattr)
	case ProcSetattr:
		return answer(ctx, r, reply, s.Setattr)
	case ProcLookup:
		return answer(ctx, r, reply, s.Lookup)
	case ProcAccess:
		return answer(ctx, r, reply, s.Access)
	case ProcReadlink:
		return answer(ctx, r, reply, s.Readlink)
	case ProcRead:
		return answer(ctx, r, reply, s.Read)
	case ProcWrite:
		return answer(ctx, r, reply, s.Write)
	case ProcCreate:
		return answer(ctx, r, reply, s.Create)
	case ProcMkdir:
		return answer(ctx, r, reply, s.Mkdir)
	case ProcSymlink:
		return answer(ctx, r, reply, s.Symlink)
	case ProcMknod:
		return answer(ctx, r, reply, s.Mknod)
	case ProcRemove:
		return answer(ctx, r, reply, s.Remove)
	case ProcRmdir:
		return answer(ctx, r, reply, s.Rmdir)
	case ProcRename:
		return answer(ctx, r, reply, s.Rename)
	case ProcLink:
		return answer(ctx, r, reply, s.Link)
	case ProcReaddir:
		return answer(ctx, r, reply, s.Readdir)
	case ProcReaddirplus:
		return answer(ctx, r, reply, s.Readdirplus)
	case ProcFsstat:
		return answer(ctx, r, reply, s.Fsstat)
	case ProcFsinfo:
		return answer(ctx, r, reply, s.Fsinfo)
	case ProcPathconf:
		return answer(ctx, r, reply, s.Pathconf)
	case ProcCommit:
		return answer(ctx, r, reply, s.Commit)
	}
	return rpc.ProcUnavail
}

// value is a pointer to T that is an xdr.Value.
type value[T any] interface {
	*T
	xdr.Value
}

// answer decodes the arguments of one call, has f answer it and encodes the
// reply.
func answer[A, R any, PA value[A], PR value[R]](ctx context.Context, r *rpc.Request, reply *xdr.Codec,
	f func(context.Context, *rpc.Request, PA, PR)) rpc.AcceptStat {
	var (
		args A
		res  R
	)
	PA(&args).XDR(r.Args)
	if r.Args.Err() != nil || r.Args.Remaining() != 0 {
		return rpc.GarbageArgs
	}
	f(ctx, r, &args, &res)
	PR(&res).XDR(reply)
	if reply.Err() != nil {
		return rpc.SystemErr
	}
	return rpc.Success
}
