package nfstest

import (
	"context"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// door is one of the four services, each with ports of its own.
type door int

// The services.
const (
	doorRpcbind door = iota
	doorMount
	doorNFS
	doorNLM // NLM, and NSM beside it
	doors
)

func (d door) String() string { return [...]string{"rpcbind", "mountd", "nfs", "lockd"}[d] }

// program returns what serves version vers of program prog at a door, or the
// range of the versions that are served, which is empty if none is.
func (s *Server) program(l *link, prog, vers uint32) (p rpc.Program, low, high uint32) {
	switch {
	case l.door == doorRpcbind && prog == portmap.Program:
		low, high = portmap.Version2, portmap.Version4
		if l.network == networkLocal {
			return hostRpcbind(s, vers)
		}
		if t := s.table(l.mem); vers == portmap.Version2 {
			p = portmap.Serve(t)
		} else if low <= vers && vers <= high {
			p = portmap.ServeRpcbind(t)
		}
	case l.door == doorMount && prog == mountd.Program:
		low, high = mountd.Version, mountd.Version
		if vers == mountd.Version {
			p = mountd.Serve(mounter{s})
		}
	case l.door == doorNFS && prog == nfs3.Program:
		low, high = nfs3.Version, nfs3.Version
		if vers == nfs3.Version {
			p = nfs3.Serve(service{s})
		}
	case l.door == doorNFS && prog == nfsacl.Program && !s.o.NoACL:
		low, high = nfsacl.Version, nfsacl.Version
		if vers == nfsacl.Version {
			p = nfsacl.Serve(aclService{service{s}})
		}
	case l.door == doorNLM && prog == nlm.Program && !s.o.NoNLM:
		low, high = nlm.Version, nlm.Version
		if vers == nlm.Version {
			p = nlm.Serve(lockd{s})
		}
	case l.door == doorNLM && prog == nsm.Program && !s.o.NoNLM:
		low, high = nsm.Version, nsm.Version
		if vers == nsm.Version {
			p = nsm.Serve(statd{s})
		}
	}
	return p, low, high
}

// reply is a reply message: head, then payload and its padding.
type reply struct{ head, payload []byte }

// bytes returns the whole message in memory of its own.
func (r reply) bytes() []byte {
	n := len(r.head) + len(r.payload)
	b := make([]byte, 0, n+3)
	b = append(append(b, r.head...), r.payload...)
	return b[:n+(-len(r.payload)&3)] // make zeroed the padding
}

// execute runs a call and returns its reply.
func (s *Server) execute(ctx context.Context, l *link, c *Call) reply {
	if st := s.denied(c); st != 0 {
		return denial(c.XID, st)
	}
	if c.faults.accept != nil {
		return accepted(c.XID, *c.faults.accept, nil)
	}
	p, low, high := s.program(l, c.Program, c.Version)
	switch {
	case p == nil && high == 0:
		return accepted(c.XID, rpc.ProgUnavail, nil)
	case p == nil:
		return accepted(c.XID, rpc.ProgMismatch, func(e *xdr.Codec) { e.Uint32(&low); e.Uint32(&high) })
	}
	r := &rpc.Request{
		XID: c.XID, Prog: c.Program, Vers: c.Version, Proc: c.Proc, Flavor: c.Flavor, Cred: c.Cred,
		Args: xdr.NewDecoder(c.msg[c.argsAt:]), Remote: c.Remote,
	}
	e := replyHead(c.XID, rpc.Success)
	if st := p.ServeRPC(context.WithValue(ctx, callKey{}, c), r, e); st != rpc.Success {
		return accepted(c.XID, st, nil)
	}
	return reply{e.Bytes(), e.Payload()}
}

// auth_stat values of RFC 5531 section 9.
const (
	authBadCred = 1
	authTooWeak = 5
)

// denied returns the auth_stat with which a call is refused, or 0.
func (s *Server) denied(c *Call) uint32 {
	if c.faults.deny != nil {
		return *c.faults.deny
	}
	if c.gids > rpc.MaxGIDs {
		return authBadCred
	}
	if !nfsDoor(c.Program) || c.Proc == nfs3.ProcNull {
		return 0
	}
	if s.o.PrivilegedPort && portOf(c.Remote) >= 1024 {
		return authTooWeak
	}
	for _, f := range s.o.Flavors {
		if f == c.Flavor {
			return 0
		}
	}
	return authTooWeak
}

// words begins a reply message.
func words(w ...uint32) *xdr.Codec {
	e := xdr.NewEncoder(make([]byte, 0, 256))
	for i := range w {
		e.Uint32(&w[i])
	}
	return e
}

// replyHead begins an accepted reply (RFC 5531 section 9): REPLY,
// MSG_ACCEPTED, an AUTH_NONE verifier, accept_stat.
func replyHead(xid uint32, st rpc.AcceptStat) *xdr.Codec {
	return words(xid, 1, 0, 0, 0, uint32(st))
}

// accepted is an accepted reply without results; more may add to it.
func accepted(xid uint32, st rpc.AcceptStat, more func(*xdr.Codec)) reply {
	e := replyHead(xid, st)
	if more != nil {
		more(e)
	}
	return reply{head: e.Bytes()}
}

// denial is MSG_DENIED with AUTH_ERROR.
func denial(xid, authStat uint32) reply {
	return reply{head: words(xid, 1, 1, 1, authStat).Bytes()}
}
