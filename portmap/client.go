package portmap

import (
	"context"
	"strconv"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Client asks version 2 of a server's rpcbind, the port mapper. It is safe for
// concurrent use; how long it waits is the policy of the rpc.Client, and ctx
// cancels each call.
type Client struct{ c *rpc.Client }

// NewClient returns a client that calls over the connections of c, whatever
// program c is bound to. Closing c is left to the caller.
func NewClient(c *rpc.Client) *Client { return &Client{c.Bind(Program, Version2)} }

// Null is PMAPPROC_NULL, procedure 0: it does no work and shows that rpcbind
// lives.
func (c *Client) Null(ctx context.Context) error { return call(ctx, c.c, ProcNull, nil, nil) }

// Getport is PMAPPROC_GETPORT, procedure 3: the port at which m.Prog listens
// in m.Vers over m.Prot. An *Error with ErrNotRegistered answers port 0, and
// one with ErrBadAnswer a number that is no port.
func (c *Client) Getport(ctx context.Context, m Mapping) (uint16, error) {
	m.Port = 0
	var port word
	if err := call(ctx, c.c, ProcGetport, xdr.Reflect(&m), &port); err != nil {
		return 0, err
	}
	if port == 0 || port > 65535 {
		e := &Error{Prog: m.Prog, Vers: m.Vers, Netid: ProtNetid(m.Prot), Answer: strconv.FormatUint(uint64(port), 10), Err: ErrNotRegistered}
		if port != 0 {
			e.Err = ErrBadAnswer
		}
		return 0, e
	}
	return uint16(port), nil
}

// Dump is PMAPPROC_DUMP, procedure 4: all that is registered for IPv4, as the
// server tells it. More than 65,536 entries are an error.
func (c *Client) Dump(ctx context.Context) ([]Mapping, error) {
	var l mappings
	if err := call(ctx, c.c, ProcDump, nil, &l); err != nil {
		return nil, err
	}
	return l, nil
}

// call makes one call; all of rpcbind's procedures here may be executed twice.
func call(ctx context.Context, c *rpc.Client, proc uint32, args, reply xdr.Value) error {
	return c.Call(ctx, &rpc.Call{Proc: proc, Args: args, Reply: reply, Idempotent: true})
}
