package portmap

import (
	"context"
	"errors"
	"net/netip"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Rpcbind asks version 3 or 4 of a server's rpcbind: the ones that know IPv6.
// It is safe for concurrent use; how long it waits is the policy of the
// rpc.Client, and ctx cancels each call.
type Rpcbind struct{ c *rpc.Client }

// NewRpcbind returns a client of the given version, Version3 or Version4, that
// calls over the connections of c. Closing c is left to the caller.
func NewRpcbind(c *rpc.Client, version uint32) *Rpcbind { return &Rpcbind{c.Bind(Program, version)} }

// Versions34 has call make a call of version 4, and of version 3 if the server does
// not have that, over the connections of c.
func Versions34(c *rpc.Client, call func(*Rpcbind) error) error {
	err := call(NewRpcbind(c, Version4))
	var refused *rpc.AcceptError
	if errors.As(err, &refused) {
		err = call(NewRpcbind(c, Version3))
	}
	return err
}

// Null is RPCBPROC_NULL, procedure 0.
func (b *Rpcbind) Null(ctx context.Context) error { return call(ctx, b.c, RpcbProcNull, nil, nil) }

// Getaddr is RPCBPROC_GETADDR, procedure 3: the address at which r.Prog
// listens in r.Vers over r.Netid. r.Addr may hold the universal address by
// which the caller reaches rpcbind: servers with several networks answer with
// one of the same network. An *Error with ErrNotRegistered answers an empty
// address or port 0, and one for which errors.Is(err, ErrBadAnswer) holds any
// other text that is no address.
//
// Use only the port of the answer: see the package comment.
func (b *Rpcbind) Getaddr(ctx context.Context, r Rpcb) (netip.AddrPort, error) {
	var u uaddr
	if err := call(ctx, b.c, RpcbProcGetaddr, xdr.Reflect(&r), &u); err != nil {
		return netip.AddrPort{}, err
	}
	e := &Error{Prog: r.Prog, Vers: r.Vers, Netid: r.Netid, Answer: string(u[:min(len(u), 64)]), Err: ErrNotRegistered}
	if u == "" {
		return netip.AddrPort{}, e
	}
	a, err := ParseUaddr(string(u))
	if err != nil {
		e.Err = err
		return netip.AddrPort{}, e
	}
	if a.Port() == 0 {
		return netip.AddrPort{}, e
	}
	return a, nil
}

// Dump is RPCBPROC_DUMP, procedure 4: all that is registered, as the server
// tells it. More than 65,536 entries are an error.
func (b *Rpcbind) Dump(ctx context.Context) ([]Rpcb, error) {
	var l rpcbs
	if err := call(ctx, b.c, RpcbProcDump, nil, &l); err != nil {
		return nil, err
	}
	return l, nil
}

// PortIn looks a program up in what Dump returned. It is for questions about another
// transport than that of the connection to rpcbind, which Getaddr cannot ask: see
// the package comment. An *Error with ErrNotRegistered answers that it is not there.
func PortIn(all []Rpcb, prog, vers uint32, netid string) (uint16, error) {
	for _, r := range all {
		if r.Prog == prog && r.Vers == vers && r.Netid == netid {
			if a, err := ParseUaddr(r.Addr); err == nil && a.Port() != 0 {
				return a.Port(), nil
			}
		}
	}
	return 0, &Error{Prog: prog, Vers: vers, Netid: netid, Err: ErrNotRegistered}
}

// Gettime is RPCBPROC_GETTIME, procedure 6: the server's clock, in seconds
// since 1970.
func (b *Rpcbind) Gettime(ctx context.Context) (uint32, error) {
	var t word
	err := call(ctx, b.c, RpcbProcGettime, nil, &t)
	return uint32(t), err
}

// Getaddrlist is RPCBPROC_GETADDRLIST, procedure 11, of version 4 alone: all
// addresses at which r.Prog listens in r.Vers, r.Netid and r.Addr being those of
// the question. None is not an error. More than 65,536 are.
func (b *Rpcbind) Getaddrlist(ctx context.Context, r Rpcb) ([]Entry, error) {
	var l entries
	if err := call(ctx, b.c, RpcbProcGetaddrlist, xdr.Reflect(&r), &l); err != nil {
		return nil, err
	}
	return l, nil
}

// Getstat is RPCBPROC_GETSTAT, procedure 12, of version 4 alone: what rpcbind
// was asked since it was started. More than 65,536 entries of a list are an
// error.
func (b *Rpcbind) Getstat(ctx context.Context) (*Stats, error) {
	s := new(Stats)
	if err := call(ctx, b.c, RpcbProcGetstat, nil, s); err != nil {
		return nil, err
	}
	return s, nil
}
