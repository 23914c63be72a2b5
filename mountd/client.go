package mountd

import (
	"context"
	"fmt"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Client calls a server's mountd. It is safe for concurrent use; how long it
// waits is the policy of the rpc.Client, and ctx cancels each call. Servers
// take the host that mounts from the source address, and the caller, who must
// often be root, from AUTH_SYS: the credential of the rpc.Client.
type Client struct{ c *rpc.Client }

// NewClient returns a client that calls over the connections of c, whatever
// program c is bound to. Closing c is left to the caller.
func NewClient(c *rpc.Client) *Client { return &Client{c.Bind(Program, Version)} }

// Null is MOUNTPROC3_NULL, procedure 0: it shows that mountd lives.
func (c *Client) Null(ctx context.Context) error { return c.call(ctx, ProcNull, nil, nil) }

// Mnt is MOUNTPROC3_MNT, procedure 1: the handle of the export path. The
// server adds this host to its list of mounts. A path over PathLen bytes is
// refused as the server would, with ErrNametoolong. A status other than OK is
// an *Error.
func (c *Client) Mnt(ctx context.Context, path string) (*MntReply, error) {
	if len(path) > PathLen {
		return nil, &Error{Path: path, Status: ErrNametoolong}
	}
	p, r := dirpath(path), new(MntReply)
	call := rpc.Call{Proc: ProcMnt, Args: &p, Reply: r, Idempotent: true}
	if err := c.c.Call(ctx, &call); err != nil {
		return nil, fmt.Errorf("MNT of %q: %w", path, err)
	}
	if r.Status != OK {
		return nil, &Error{Path: path, Status: r.Status, Transmissions: call.Transmissions}
	}
	return r, nil
}

// Dump is MOUNTPROC3_DUMP, procedure 2: who has mounted what, as the server
// tells it. More than 65,536 entries are an error.
func (c *Client) Dump(ctx context.Context) ([]Mount, error) {
	var l mounts
	if err := c.call(ctx, ProcDump, nil, &l); err != nil {
		return nil, fmt.Errorf("DUMP of mountd: %w", err)
	}
	return l, nil
}

// Umnt is MOUNTPROC3_UMNT, procedure 3: the server takes this host's mount of
// path off its list. It answers nothing, whether there was one or not.
func (c *Client) Umnt(ctx context.Context, path string) error {
	p := dirpath(path)
	if err := c.call(ctx, ProcUmnt, &p, nil); err != nil {
		return fmt.Errorf("UMNT of %q: %w", path, err)
	}
	return nil
}

// Umntall is MOUNTPROC3_UMNTALL, procedure 4: all mounts of this host are taken
// off the list, those of other clients on it too.
func (c *Client) Umntall(ctx context.Context) error {
	return c.call(ctx, ProcUmntall, nil, nil)
}

// Export is MOUNTPROC3_EXPORT, procedure 5: what the server offers, as it tells
// it; many servers list only what the caller may mount. More than 65,536
// exports, or groups of one, are an error.
func (c *Client) Export(ctx context.Context) ([]Export, error) {
	var l exports
	if err := c.call(ctx, ProcExport, nil, &l); err != nil {
		return nil, fmt.Errorf("EXPORT of mountd: %w", err)
	}
	return l, nil
}

// call makes one call: all of MOUNT may be executed twice.
func (c *Client) call(ctx context.Context, proc uint32, args, reply xdr.Value) error {
	return c.c.Call(ctx, &rpc.Call{Proc: proc, Args: args, Reply: reply, Idempotent: true})
}
