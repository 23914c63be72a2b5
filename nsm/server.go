package nsm

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Server answers version 1, one method a procedure but NULL. The methods may
// be called at once. Who may call what is theirs to decide, by r.Remote: a
// caller is answered without an error in any case.
type Server interface {
	Stat(ctx context.Context, r *rpc.Request, name string) StatRes
	Mon(ctx context.Context, r *rpc.Request, m *Mon) StatRes
	// Unmon and UnmonAll return the state number of this host.
	Unmon(ctx context.Context, r *rpc.Request, m *MonID) int32
	UnmonAll(ctx context.Context, r *rpc.Request, m *MyID) int32
	SimuCrash(ctx context.Context, r *rpc.Request)
	Notify(ctx context.Context, r *rpc.Request, s *StatChge)
}

// Serve makes a program out of s: register it under Program and Version.
func Serve(s Server) rpc.Program { return program{s} }

type program struct{ s Server }

func (p program) ServeRPC(ctx context.Context, r *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
	var (
		n    name
		mon  Mon
		id   MonID
		my   MyID
		chge StatChge
	)
	args := map[uint32]xdr.Value{ProcStat: &n, ProcMon: &mon, ProcUnmon: &id, ProcUnmonAll: &my, ProcNotify: &chge}[r.Proc]
	if args != nil {
		if args.XDR(r.Args); r.Args.Err() != nil {
			return rpc.GarbageArgs
		}
	}
	switch r.Proc {
	case ProcNull:
	case ProcStat:
		res := p.s.Stat(ctx, r, string(n))
		res.XDR(reply)
	case ProcMon:
		res := p.s.Mon(ctx, r, &mon)
		res.XDR(reply)
	case ProcUnmon:
		s := state(p.s.Unmon(ctx, r, &id))
		s.XDR(reply)
	case ProcUnmonAll:
		s := state(p.s.UnmonAll(ctx, r, &my))
		s.XDR(reply)
	case ProcSimuCrash:
		p.s.SimuCrash(ctx, r)
	case ProcNotify:
		p.s.Notify(ctx, r, &chge)
	default:
		return rpc.ProcUnavail
	}
	return rpc.Success
}
