package nfs3

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
)

// Getattr fetches the attributes of an object (RFC 1813 section 3.3.1).
func (c *Client) Getattr(ctx context.Context, cred *rpc.Cred, args *GetattrArgs, reply *GetattrReply) error {
	*reply = GetattrReply{}
	return c.call(ctx, cred, ProcGetattr, args, reply, &reply.Status)
}

// Setattr changes attributes; a size cuts or extends a file (RFC 1813 section
// 3.3.2). It is not idempotent.
func (c *Client) Setattr(ctx context.Context, cred *rpc.Cred, args *SetattrArgs, reply *SetattrReply) error {
	*reply = SetattrReply{}
	return c.call(ctx, cred, ProcSetattr, args, reply, &reply.Status)
}

// Lookup finds a name in a directory (RFC 1813 section 3.3.3). Success brings
// a handle of at least one byte.
func (c *Client) Lookup(ctx context.Context, cred *rpc.Cred, args *LookupArgs, reply *LookupReply) error {
	*reply = LookupReply{}
	return c.call(ctx, cred, ProcLookup, args, reply, &reply.Status)
}

// Access asks what cred may do with an object (RFC 1813 section 3.3.4).
// reply.Access never holds a bit that was not asked for.
func (c *Client) Access(ctx context.Context, cred *rpc.Cred, args *AccessArgs, reply *AccessReply) error {
	*reply = AccessReply{}
	err := c.call(ctx, cred, ProcAccess, args, reply, &reply.Status)
	reply.Access &= args.Access
	return err
}

// Readlink reads the target of a symbolic link (RFC 1813 section 3.3.5).
func (c *Client) Readlink(ctx context.Context, cred *rpc.Cred, args *ReadlinkArgs, reply *ReadlinkReply) error {
	*reply = ReadlinkReply{}
	return c.call(ctx, cred, ProcReadlink, args, reply, &reply.Status)
}

// Fsstat tells how full a file system is (RFC 1813 section 3.3.18).
func (c *Client) Fsstat(ctx context.Context, cred *rpc.Cred, args *FsstatArgs, reply *FsstatReply) error {
	*reply = FsstatReply{}
	return c.call(ctx, cred, ProcFsstat, args, reply, &reply.Status)
}

// Fsinfo tells the limits of a file system and its server (RFC 1813 section
// 3.3.19).
func (c *Client) Fsinfo(ctx context.Context, cred *rpc.Cred, args *FsinfoArgs, reply *FsinfoReply) error {
	*reply = FsinfoReply{}
	return c.call(ctx, cred, ProcFsinfo, args, reply, &reply.Status)
}

// Pathconf tells the POSIX limits that hold for an object (RFC 1813 section
// 3.3.20).
func (c *Client) Pathconf(ctx context.Context, cred *rpc.Cred, args *PathconfArgs, reply *PathconfReply) error {
	*reply = PathconfReply{}
	return c.call(ctx, cred, ProcPathconf, args, reply, &reply.Status)
}
