package mountd

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Server answers version 3, one method a procedure but NULL. The methods may
// be called at once.
type Server interface {
	// Mnt fills reply, whose Status is OK before.
	Mnt(ctx context.Context, r *rpc.Request, path string, reply *MntReply)
	Dump(ctx context.Context, r *rpc.Request) []Mount
	Umnt(ctx context.Context, r *rpc.Request, path string)
	Umntall(ctx context.Context, r *rpc.Request)
	Export(ctx context.Context, r *rpc.Request) []Export
}

// Serve makes a program out of s: register it under Program and Version.
func Serve(s Server) rpc.Program { return program{s} }

type program struct{ s Server }

func (p program) ServeRPC(ctx context.Context, r *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
	var path dirpath
	if r.Proc == ProcMnt || r.Proc == ProcUmnt {
		if path.XDR(r.Args); r.Args.Err() != nil {
			return rpc.GarbageArgs
		}
	}
	switch r.Proc {
	case ProcNull:
	case ProcMnt:
		var m MntReply
		p.s.Mnt(ctx, r, string(path), &m)
		m.XDR(reply)
	case ProcDump:
		l := mounts(p.s.Dump(ctx, r))
		l.XDR(reply)
	case ProcUmnt:
		p.s.Umnt(ctx, r, string(path))
	case ProcUmntall:
		p.s.Umntall(ctx, r)
	case ProcExport:
		l := exports(p.s.Export(ctx, r))
		l.XDR(reply)
	default:
		return rpc.ProcUnavail
	}
	if reply.Err() != nil {
		return rpc.SystemErr
	}
	return rpc.Success
}
