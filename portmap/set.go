package portmap

import (
	"context"
	"net/netip"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Set is PMAPPROC_SET, procedure 1: rpcbind of this host tells everybody from
// now on that m.Prog listens in m.Vers at m.Port over m.Prot. An *Error with
// ErrRefused answers that it does not.
func (c *Client) Set(ctx context.Context, m Mapping) error {
	return change(ctx, c.c, ProcSet, "SET", xdr.Reflect(&m), m.rpcb(false))
}

// Unset is PMAPPROC_UNSET, procedure 2: all registrations of m.Prog in m.Vers
// end, whatever m.Prot and m.Port are, and whoever made them, if rpcbind
// permits. An *Error with ErrRefused answers that there was none.
func (c *Client) Unset(ctx context.Context, m Mapping) error {
	return change(ctx, c.c, ProcUnset, "UNSET", xdr.Reflect(&m), m.rpcb(true))
}

// Set is RPCBPROC_SET, procedure 1: rpcbind of this host tells everybody from
// now on that r.Prog listens in r.Vers at r.Addr over r.Netid. An *Error with
// ErrRefused answers that it does not.
func (b *Rpcbind) Set(ctx context.Context, r Rpcb) error {
	return change(ctx, b.c, RpcbProcSet, "SET", xdr.Reflect(&r), &r)
}

// Unset is RPCBPROC_UNSET, procedure 2: the registration of r.Prog in r.Vers
// over r.Netid ends, or those over all netids if that is empty, whoever made
// them, if rpcbind permits. An *Error with ErrRefused answers that there was
// none. Who wants to unset only what is its own takes a Registrar.
func (b *Rpcbind) Unset(ctx context.Context, r Rpcb) error {
	return change(ctx, b.c, RpcbProcUnset, "UNSET", xdr.Reflect(&r), &r)
}

// change makes one call of SET or UNSET about r. They are not idempotent: the
// second SET of one registration is refused.
func change(ctx context.Context, c *rpc.Client, proc uint32, name string, args xdr.Value, r *Rpcb) error {
	var done yes
	if err := c.Call(ctx, &rpc.Call{Proc: proc, Args: args, Reply: &done}); err != nil {
		return err
	}
	if !done {
		return &Error{Prog: r.Prog, Vers: r.Vers, Netid: r.Netid, Answer: name, Err: ErrRefused}
	}
	return nil
}

// rpcb is the mapping as versions 3 and 4 say it; UNSET of version 2 is for all
// transports.
func (m *Mapping) rpcb(all bool) *Rpcb {
	r := &Rpcb{Prog: m.Prog, Vers: m.Vers, Netid: ProtNetid(m.Prot)}
	if all {
		r.Netid = ""
		return r
	}
	r.Addr = FormatUaddr(netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(m.Port)))
	return r
}
