package nlm

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Server is a file server's half of lockd. The methods may be called at once;
// res.Stat is Granted before, and res.Cookie that of args. Arguments are the
// method's to keep.
type Server interface {
	Test(ctx context.Context, r *rpc.Request, args *TestArgs, res *TestRes)
	Lock(ctx context.Context, r *rpc.Request, args *LockArgs, res *Res)
	Cancel(ctx context.Context, r *rpc.Request, args *CancelArgs, res *Res)
	Unlock(ctx context.Context, r *rpc.Request, args *UnlockArgs, res *Res)
	// NMLock is Lock without monitoring.
	NMLock(ctx context.Context, r *rpc.Request, args *LockArgs, res *Res)
	Share(ctx context.Context, r *rpc.Request, args *ShareArgs, res *ShareRes)
	Unshare(ctx context.Context, r *rpc.Request, args *ShareArgs, res *ShareRes)
	FreeAll(ctx context.Context, r *rpc.Request, args *Notify)
}

// Granter is the half of lockd at a client's host, which a file server calls
// back. The rules are those of Server.
type Granter interface {
	Granted(ctx context.Context, r *rpc.Request, args *TestArgs, res *Res)
}

// Messenger may be implemented by a Server or Granter besides. Without it, the
// _MSG and _RES forms are not available.
type Messenger interface {
	// Answered takes the result of a _MSG form that came: proc is the _RES
	// form that must now be sent, in a call of its own, to the NLM at the host
	// of r. The caller has its empty reply only when Answered returns.
	Answered(ctx context.Context, r *rpc.Request, proc uint32, res xdr.Value)
	// Result takes a _RES form, proc, that came in answer to a _MSG form.
	Result(ctx context.Context, r *rpc.Request, proc uint32, res xdr.Value)
}

// Serve makes a program out of s: register it under Program and Version.
func Serve(s Server) rpc.Program {
	m, _ := s.(Messenger)
	return program{server: s, messenger: m}
}

// ServeGranter makes a program out of g, for a client's host: register it under
// Program and Version. Of the procedures it has NULL, GRANTED and, if g is a
// Messenger, GRANTED_MSG and the _RES forms.
func ServeGranter(g Granter) rpc.Program {
	m, _ := g.(Messenger)
	return program{granter: g, messenger: m}
}

// program is one half of lockd or the other; what it lacks is nil.
type program struct {
	server    Server
	granter   Granter
	messenger Messenger
}

// ServeRPC implements rpc.Program. Arguments that cannot be decoded, or that
// something follows, are GARBAGE_ARGS.
func (p program) ServeRPC(ctx context.Context, r *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
	if r.Proc == ProcNull {
		return rpc.Success
	}
	request := r.Proc
	if IsMessage(r.Proc) && !IsResult(r.Proc) {
		request = RequestOf(r.Proc)
	}
	if !p.has(request) || IsMessage(r.Proc) && p.messenger == nil {
		return rpc.ProcUnavail
	}
	args := newArgs(r.Proc)
	if args.XDR(r.Args); r.Args.Err() != nil || r.Args.Remaining() != 0 {
		return rpc.GarbageArgs
	}
	switch {
	case IsResult(r.Proc):
		p.messenger.Result(ctx, r, r.Proc, args)
	case IsMessage(r.Proc):
		p.messenger.Answered(ctx, r, ResultOf(r.Proc), p.answer(ctx, r, request, args))
	default:
		if res := p.answer(ctx, r, request, args); res != nil {
			res.XDR(reply)
		}
	}
	if reply.Err() != nil {
		return rpc.SystemErr
	}
	return rpc.Success
}

// has reports whether this half answers proc, a _RES form or a procedure that
// is no message.
func (p program) has(proc uint32) bool {
	switch {
	case newArgs(proc) == nil:
		return false
	case proc == ProcGranted:
		return p.granter != nil
	case IsResult(proc):
		return p.messenger != nil
	}
	return p.server != nil
}

// answer has one procedure answered, whichever form it came in. It returns nil
// for FREE_ALL, which has no results.
func (p program) answer(ctx context.Context, r *rpc.Request, proc uint32, args xdr.Value) xdr.Value {
	switch a := args.(type) {
	case *TestArgs:
		if proc == ProcGranted {
			return with(p.granter.Granted, ctx, r, a, &Res{Cookie: a.Cookie})
		}
		return with(p.server.Test, ctx, r, a, &TestRes{Cookie: a.Cookie})
	case *LockArgs:
		if proc == ProcNMLock {
			return with(p.server.NMLock, ctx, r, a, &Res{Cookie: a.Cookie})
		}
		return with(p.server.Lock, ctx, r, a, &Res{Cookie: a.Cookie})
	case *CancelArgs:
		return with(p.server.Cancel, ctx, r, a, &Res{Cookie: a.Cookie})
	case *UnlockArgs:
		return with(p.server.Unlock, ctx, r, a, &Res{Cookie: a.Cookie})
	case *ShareArgs:
		if proc == ProcUnshare {
			return with(p.server.Unshare, ctx, r, a, &ShareRes{Cookie: a.Cookie})
		}
		return with(p.server.Share, ctx, r, a, &ShareRes{Cookie: a.Cookie})
	case *Notify:
		p.server.FreeAll(ctx, r, a)
	}
	return nil
}

// with has f answer one call.
func with[A any, R xdr.Value](f func(context.Context, *rpc.Request, A, R), ctx context.Context, r *rpc.Request, args A, res R) xdr.Value {
	f(ctx, r, args, res)
	return res
}
