package nlm

import (
	"context"
	"fmt"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Client calls a lock manager. It is safe for concurrent use; how long it waits
// is the policy of the rpc.Client, and ctx cancels each call: whether the
// server did the work is unknown then.
//
// The methods are alike. cred is on whose behalf the call is made; nil is the
// rpc.Client's own. args is the caller's and is not touched once the method
// returned. A nil error means that the server answered, with the Stats that is
// returned: those other than Granted are answers, not failures of the call.
// All procedures may be executed twice, one after the other.
type Client struct{ c *rpc.Client }

// NewClient returns a client that calls over the connections of c, whatever
// program c is bound to. Closing c is left to the caller.
func NewClient(c *rpc.Client) *Client { return &Client{c.Bind(Program, Version)} }

// Null is NLMPROC4_NULL, procedure 0: it shows that lockd lives.
func (c *Client) Null(ctx context.Context) error { return c.call(ctx, nil, ProcNull, nil, nil) }

// Test is NLMPROC4_TEST, procedure 1: whether LOCK would be granted. With
// Denied comes the lock that is in the way.
func (c *Client) Test(ctx context.Context, cred *rpc.Cred, args *TestArgs) (Stats, *Holder, error) {
	var r TestRes
	if err := c.call(ctx, cred, ProcTest, args, &r); err != nil {
		return 0, nil, err
	}
	if r.Stat != Denied {
		return r.Stat, nil, nil
	}
	return r.Stat, &r.Holder, nil
}

// Lock is NLMPROC4_LOCK, procedure 2. The server first has its NSM watch this
// host, and answers DeniedNolocks if it has none. With args.Block the answer
// may be Blocked. The owner's own locks in the range are replaced, and a lock
// that the owner holds already is granted again.
func (c *Client) Lock(ctx context.Context, cred *rpc.Cred, args *LockArgs) (Stats, error) {
	return c.stat(ctx, cred, ProcLock, args)
}

// Cancel is NLMPROC4_CANCEL, procedure 3: takes back a LOCK that was Blocked.
// Granted says that nothing waits any more, Denied that there was no such
// request: it may have been granted meanwhile.
func (c *Client) Cancel(ctx context.Context, cred *rpc.Cred, args *CancelArgs) (Stats, error) {
	return c.stat(ctx, cred, ProcCancel, args)
}

// Unlock is NLMPROC4_UNLOCK, procedure 4. Bytes that were not locked are no
// error.
func (c *Client) Unlock(ctx context.Context, cred *rpc.Cred, args *UnlockArgs) (Stats, error) {
	return c.stat(ctx, cred, ProcUnlock, args)
}

// Granted is NLMPROC4_GRANTED, procedure 5, which a server calls at a client's
// host: a request that was Blocked has been granted. Denied says that nobody
// there waits for it.
func (c *Client) Granted(ctx context.Context, cred *rpc.Cred, args *TestArgs) (Stats, error) {
	return c.stat(ctx, cred, ProcGranted, args)
}

// NMLock is NLMPROC4_NM_LOCK, procedure 22: LOCK without monitoring. The server
// does not learn it when this host reboots, and the lock stays. Reclaim is not
// used.
func (c *Client) NMLock(ctx context.Context, cred *rpc.Cred, args *LockArgs) (Stats, error) {
	return c.stat(ctx, cred, ProcNMLock, args)
}

// Share is NLMPROC4_SHARE, procedure 20: opens a file as DOS does.
func (c *Client) Share(ctx context.Context, cred *rpc.Cred, args *ShareArgs) (Stats, error) {
	var r ShareRes
	err := c.call(ctx, cred, ProcShare, args, &r)
	return r.Stat, err
}

// Unshare is NLMPROC4_UNSHARE, procedure 21: the inverse of Share.
func (c *Client) Unshare(ctx context.Context, cred *rpc.Cred, args *ShareArgs) (Stats, error) {
	var r ShareRes
	err := c.call(ctx, cred, ProcUnshare, args, &r)
	return r.Stat, err
}

// Message sends one of the _MSG and _RES forms, proc, with what it carries: the
// arguments or results of the procedure that it is named for. The answer is
// empty. Where proc is none of them, nothing is sent.
func (c *Client) Message(ctx context.Context, cred *rpc.Cred, proc uint32, args xdr.Value) error {
	if !IsMessage(proc) {
		return fmt.Errorf("nlm: procedure %d (%s) is neither a _MSG nor a _RES form", proc, ProcName(proc))
	}
	return c.call(ctx, cred, proc, args, nil)
}

// stat makes one call that is answered by nlm4_res.
func (c *Client) stat(ctx context.Context, cred *rpc.Cred, proc uint32, args xdr.Value) (Stats, error) {
	var r Res
	err := c.call(ctx, cred, proc, args, &r)
	return r.Stat, err
}

// call makes one call.
func (c *Client) call(ctx context.Context, cred *rpc.Cred, proc uint32, args, reply xdr.Value) error {
	err := c.c.Call(ctx, &rpc.Call{Proc: proc, Args: args, Reply: reply, Cred: cred, Idempotent: true})
	if err != nil {
		return fmt.Errorf("nlm: %s: %w", ProcName(proc), err)
	}
	return nil
}
