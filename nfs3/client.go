package nfs3

import (
	"context"
	"fmt"
	"sync"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Client calls the procedures at one server. It is safe for concurrent use.
//
// The methods are alike. ctx cancels the wait for the reply, with its cause as
// the error; the server may have done its work all the same. cred is on whose
// behalf the call is made; nil is the rpc.Client's own. args and reply are the
// caller's, are not touched any more once the method returned, and may be used
// again; reply is emptied first, but for the capacity of its slices.
//
// A nil error means that the server answered with OK. An *Error means that it
// answered otherwise: reply holds the failure arm then, with what there is of
// attributes. Other errors are those of rpc.Client.Call, wrapped, *ReplyError
// and *ArgsError; reply is undefined then.
type Client struct {
	rpc   *rpc.Client
	calls sync.Pool // of *rpc.Call: a call costs no allocation
}

// NewClient returns a client on c, which must be of Program and Version.
func NewClient(c *rpc.Client) *Client { return &Client{rpc: c} }

// RPC returns the client's rpc.Client, for its statistics and for other
// programs on the same connections (rpc.Client.Bind).
func (c *Client) RPC() *rpc.Client { return c.rpc }

// call makes one call. status is reply's, which is read after decoding.
func (c *Client) call(ctx context.Context, cred *rpc.Cred, proc uint32, args, reply xdr.Value, status *Status) error {
	return c.callWith(ctx, rpc.Call{Proc: proc, Args: args, Reply: reply, Cred: cred}, status)
}

// callWith is call with more of the rpc.Call.
func (c *Client) callWith(ctx context.Context, call rpc.Call, status *Status) error {
	k, ok := c.calls.Get().(*rpc.Call)
	if !ok {
		k = new(rpc.Call)
	}
	p := &Procs[call.Proc]
	call.Idempotent, call.Class = p.Idempotent, p.Class
	*k = call
	err := c.rpc.Call(ctx, k)
	transmissions := k.Transmissions
	*k = rpc.Call{} // the pool must not keep the caller's memory
	c.calls.Put(k)
	return result(p, err, status, transmissions)
}

// result is the error of a call that ended with err, or was answered with
// status.
func result(p *Procedure, err error, status *Status, transmissions int) error {
	if err != nil {
		return fmt.Errorf("nfs3: %s: %w", p.Name, err)
	}
	if status != nil && *status != OK {
		return &Error{Proc: p.Number, Status: *status, Transmissions: transmissions}
	}
	return nil
}

// Null does nothing but show that the server answers (RFC 1813 section 3.3.0).
func (c *Client) Null(ctx context.Context) error {
	return c.call(ctx, nil, ProcNull, nil, nil, nil)
}
