package portmap

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Server answers version 2, the port mapper.
type Server interface {
	// Getport answers PMAPPROC_GETPORT; 0 means not registered.
	Getport(ctx context.Context, r *rpc.Request, m *Mapping) uint32
	// Dump answers PMAPPROC_DUMP.
	Dump(ctx context.Context, r *rpc.Request) []Mapping
}

// RpcbindServer answers versions 3 and 4.
type RpcbindServer interface {
	// Getaddr answers RPCBPROC_GETADDR; "" means not registered.
	Getaddr(ctx context.Context, r *rpc.Request, b *Rpcb) string
	// DumpRpcb answers RPCBPROC_DUMP.
	DumpRpcb(ctx context.Context, r *rpc.Request) []Rpcb
}

// RpcbindInformer is what a RpcbindServer may implement besides; where it does
// not, these procedures are not available.
type RpcbindInformer interface {
	// Gettime answers RPCBPROC_GETTIME: seconds since 1970.
	Gettime(ctx context.Context, r *rpc.Request) uint32
	// Getaddrlist answers RPCBPROC_GETADDRLIST.
	Getaddrlist(ctx context.Context, r *rpc.Request, b *Rpcb) []Entry
	// Getstat answers RPCBPROC_GETSTAT.
	Getstat(ctx context.Context, r *rpc.Request) *Stats
}

// Setter is what a Server or RpcbindServer may implement besides, to be told of
// services; where it does not, SET and UNSET are not available. A Mapping of
// version 2 is given as the Rpcb that it means.
type Setter interface {
	// Set answers SET: whether b is registered now.
	Set(ctx context.Context, r *rpc.Request, b *Rpcb) bool
	// Unset answers UNSET: whether something was taken off the list. An empty
	// b.Netid is all of the program and version.
	Unset(ctx context.Context, r *rpc.Request, b *Rpcb) bool
}

// Serve makes a program of version 2 out of s: register it under Program and
// Version2.
func Serve(s Server) rpc.Program { return portmapper{s} }

type portmapper struct{ s Server }

func (p portmapper) ServeRPC(ctx context.Context, r *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
	switch r.Proc {
	case ProcNull:
	case ProcGetport:
		var m Mapping
		if xdr.Reflect(&m).XDR(r.Args); r.Args.Err() != nil {
			return rpc.GarbageArgs
		}
		port := word(p.s.Getport(ctx, r, &m))
		port.XDR(reply)
	case ProcDump:
		l := mappings(p.s.Dump(ctx, r))
		l.XDR(reply)
	case ProcSet, ProcUnset:
		var m Mapping
		return set(ctx, p.s, r, reply, &m, func() *Rpcb { return m.rpcb(r.Proc == ProcUnset) })
	default:
		return rpc.ProcUnavail
	}
	return done(reply)
}

// ServeRpcbind makes a program of versions 3 and 4 out of s: register it under
// Program with either.
func ServeRpcbind(s RpcbindServer) rpc.Program { return rpcbinder{s} }

type rpcbinder struct{ s RpcbindServer }

func (p rpcbinder) ServeRPC(ctx context.Context, r *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
	switch r.Proc {
	case RpcbProcNull:
	case RpcbProcGetaddr:
		var b Rpcb
		if xdr.Reflect(&b).XDR(r.Args); r.Args.Err() != nil {
			return rpc.GarbageArgs
		}
		u := uaddr(p.s.Getaddr(ctx, r, &b))
		u.XDR(reply)
	case RpcbProcDump:
		l := rpcbs(p.s.DumpRpcb(ctx, r))
		l.XDR(reply)
	case RpcbProcSet, RpcbProcUnset:
		var b Rpcb
		return set(ctx, p.s, r, reply, &b, func() *Rpcb { return &b })
	default:
		return p.inform(ctx, r, reply)
	}
	return done(reply)
}

// inform answers what only some servers do.
func (p rpcbinder) inform(ctx context.Context, r *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
	s, ok := p.s.(RpcbindInformer)
	if !ok || r.Vers != Version4 && r.Proc != RpcbProcGettime {
		return rpc.ProcUnavail
	}
	switch r.Proc {
	case RpcbProcGettime:
		t := word(s.Gettime(ctx, r))
		t.XDR(reply)
	case RpcbProcGetaddrlist:
		var b Rpcb
		if xdr.Reflect(&b).XDR(r.Args); r.Args.Err() != nil {
			return rpc.GarbageArgs
		}
		l := entries(s.Getaddrlist(ctx, r, &b))
		l.XDR(reply)
	case RpcbProcGetstat:
		s.Getstat(ctx, r).XDR(reply)
	default:
		return rpc.ProcUnavail
	}
	return done(reply)
}

// set answers SET and UNSET, which have the same numbers in all versions. args
// is a pointer to the arguments, and meant what they mean once they are read.
func set(ctx context.Context, s any, r *rpc.Request, reply *xdr.Codec, args any, meant func() *Rpcb) rpc.AcceptStat {
	t, ok := s.(Setter)
	if !ok {
		return rpc.ProcUnavail
	}
	if xdr.Reflect(args).XDR(r.Args); r.Args.Err() != nil {
		return rpc.GarbageArgs
	}
	do := t.Set
	if r.Proc == ProcUnset {
		do = t.Unset
	}
	y := yes(do(ctx, r, meant()))
	y.XDR(reply)
	return done(reply)
}

// done is Success unless the results could not be encoded.
func done(reply *xdr.Codec) rpc.AcceptStat {
	if reply.Err() != nil {
		return rpc.SystemErr
	}
	return rpc.Success
}
