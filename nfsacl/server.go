package nfsacl

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Server answers the procedures; NULL is answered by Serve. Each method fills
// reply, whose Status is OK at first. Calls come concurrently. args is valid
// until the method returns.
type Server interface {
	Getacl(ctx context.Context, r *rpc.Request, args *GetaclArgs, reply *GetaclReply)
	Setacl(ctx context.Context, r *rpc.Request, args *SetaclArgs, reply *SetaclReply)
}

// Serve returns the rpc.Program that decodes calls, has s answer them and
// encodes the replies: register it under Program and Version. Arguments that
// cannot be decoded, or that something follows, are GARBAGE_ARGS.
func Serve(s Server) rpc.Program { return program{s} }

type program struct{ s Server }

// ServeRPC implements rpc.Program.
func (p program) ServeRPC(ctx context.Context, r *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
	whole := func() bool { return r.Args.Err() == nil && r.Args.Remaining() == 0 }
	switch r.Proc {
	case ProcNull:
	case ProcGetacl:
		var (
			args GetaclArgs
			res  GetaclReply
		)
		if args.XDR(r.Args); !whole() {
			return rpc.GarbageArgs
		}
		p.s.Getacl(ctx, r, &args, &res)
		res.XDR(reply)
	case ProcSetacl:
		var (
			args SetaclArgs
			res  SetaclReply
		)
		if args.XDR(r.Args); !whole() {
			return rpc.GarbageArgs
		}
		p.s.Setacl(ctx, r, &args, &res)
		res.XDR(reply)
	default:
		return rpc.ProcUnavail
	}
	if reply.Err() != nil {
		return rpc.SystemErr
	}
	return rpc.Success
}
