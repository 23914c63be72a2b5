package nfsacl

import (
	"context"
	"fmt"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Client calls a server's NFSACL. It is safe for concurrent use; how long it
// waits is the policy of the rpc.Client, and ctx cancels each call.
//
// A nil error means that the server answered with OK. An *Error means that it
// answered otherwise; reply holds the attributes then, if there are any. A
// server that lacks the program is an *rpc.AcceptError, which is
// syscall.EPFNOSUPPORT, or EPROTONOSUPPORT if it has other versions only. Other
// errors are those of rpc.Client.Call; reply is undefined then.
type Client struct{ c *rpc.Client }

// NewClient returns a client that calls over the connections of c, which is
// NFS's. Closing c is left to the caller.
func NewClient(c *rpc.Client) *Client { return &Client{c.Bind(Program, Version)} }

// Null is ACLPROC3_NULL, procedure 0: it shows that the server has the program.
func (c *Client) Null(ctx context.Context) error {
	var done nfs3.Status
	return c.call(ctx, nil, ProcNull, nil, nil, &done)
}

// Getacl is ACLPROC3_GETACL, procedure 1: the lists of an object. cred is on
// whose behalf; nil is the rpc.Client's own. args and reply are the caller's.
func (c *Client) Getacl(ctx context.Context, cred *rpc.Cred, args *GetaclArgs, reply *GetaclReply) error {
	*reply = GetaclReply{}
	return c.call(ctx, cred, ProcGetacl, args, reply, &reply.Status)
}

// Setacl is ACLPROC3_SETACL, procedure 2: it replaces the lists that
// args.Lists.Mask names. It changes the object's mode too, as far as the access
// list says what the mode does. To do it twice does no harm unless somebody
// else did it in between: it counts as not idempotent, like SETATTR.
func (c *Client) Setacl(ctx context.Context, cred *rpc.Cred, args *SetaclArgs, reply *SetaclReply) error {
	*reply = SetaclReply{}
	return c.call(ctx, cred, ProcSetacl, args, reply, &reply.Status)
}

// call makes one call. status is reply's, which is read after decoding.
func (c *Client) call(ctx context.Context, cred *rpc.Cred, proc uint32, args, reply xdr.Value, status *nfs3.Status) error {
	k := rpc.Call{Proc: proc, Args: args, Reply: reply, Cred: cred, Idempotent: proc != ProcSetacl}
	if err := c.c.Call(ctx, &k); err != nil {
		return fmt.Errorf("nfsacl: %s: %w", procName(proc), err)
	}
	if *status != nfs3.OK {
		return &Error{Proc: proc, Status: *status, Transmissions: k.Transmissions}
	}
	return nil
}

// Error is a server's refusal: a reply whose status is not OK. It unwraps to
// its Status.
type Error struct {
	Proc          uint32
	Status        nfs3.Status // never OK
	Transmissions int         // how often the call was sent
}

// Error implements error.
func (e *Error) Error() string { return "nfsacl: " + procName(e.Proc) + ": " + e.Status.Error() }

// Unwrap returns the Status.
func (e *Error) Unwrap() error { return e.Status }

// procName returns the name of a procedure.
func procName(n uint32) string {
	if names := [...]string{"NULL", "GETACL", "SETACL"}; n < uint32(len(names)) {
		return names[n]
	}
	return fmt.Sprintf("procedure %d", n)
}
