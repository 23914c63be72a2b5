package nfs3

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
)

// The procedures of this file change directories and are not idempotent. After
// a retransmission (Error.Transmissions > 1) ErrExist and ErrNoent may be the
// answer to the second copy of a call whose first copy succeeded.

// Create makes a regular file (RFC 1813 section 3.3.8).
func (c *Client) Create(ctx context.Context, cred *rpc.Cred, args *CreateArgs, reply *CreateReply) error {
	*reply = CreateReply{}
	return c.call(ctx, cred, ProcCreate, args, reply, &reply.Status)
}

// Mkdir makes a directory (RFC 1813 section 3.3.9).
func (c *Client) Mkdir(ctx context.Context, cred *rpc.Cred, args *MkdirArgs, reply *MkdirReply) error {
	*reply = MkdirReply{}
	return c.call(ctx, cred, ProcMkdir, args, reply, &reply.Status)
}

// Symlink makes a symbolic link (RFC 1813 section 3.3.10).
func (c *Client) Symlink(ctx context.Context, cred *rpc.Cred, args *SymlinkArgs, reply *SymlinkReply) error {
	*reply = SymlinkReply{}
	return c.call(ctx, cred, ProcSymlink, args, reply, &reply.Status)
}

// Mknod makes a device, socket or named pipe (RFC 1813 section 3.3.11).
func (c *Client) Mknod(ctx context.Context, cred *rpc.Cred, args *MknodArgs, reply *MknodReply) error {
	*reply = MknodReply{}
	return c.call(ctx, cred, ProcMknod, args, reply, &reply.Status)
}

// Remove removes an entry that is no directory (RFC 1813 section 3.3.12).
func (c *Client) Remove(ctx context.Context, cred *rpc.Cred, args *RemoveArgs, reply *RemoveReply) error {
	*reply = RemoveReply{}
	return c.call(ctx, cred, ProcRemove, args, reply, &reply.Status)
}

// Rmdir removes an empty directory (RFC 1813 section 3.3.13).
func (c *Client) Rmdir(ctx context.Context, cred *rpc.Cred, args *RmdirArgs, reply *RmdirReply) error {
	*reply = RmdirReply{}
	return c.call(ctx, cred, ProcRmdir, args, reply, &reply.Status)
}

// Rename renames an entry, replacing what has the new name (RFC 1813 section
// 3.3.14).
func (c *Client) Rename(ctx context.Context, cred *rpc.Cred, args *RenameArgs, reply *RenameReply) error {
	*reply = RenameReply{}
	return c.call(ctx, cred, ProcRename, args, reply, &reply.Status)
}

// Link makes a hard link (RFC 1813 section 3.3.15).
func (c *Client) Link(ctx context.Context, cred *rpc.Cred, args *LinkArgs, reply *LinkReply) error {
	*reply = LinkReply{}
	return c.call(ctx, cred, ProcLink, args, reply, &reply.Status)
}

// Readdir reads entries of a directory (RFC 1813 section 3.3.16). It is
// idempotent. Names are as the server sent them. reply.Entries keeps its
// capacity.
func (c *Client) Readdir(ctx context.Context, cred *rpc.Cred, args *ReaddirArgs, reply *ReaddirReply) error {
	*reply = ReaddirReply{Entries: reply.Entries[:0]}
	return c.call(ctx, cred, ProcReaddir, args, reply, &reply.Status)
}

// Readdirplus reads entries of a directory with attributes and handles (RFC
// 1813 section 3.3.17). It is idempotent. Names are as the server sent them.
// reply.Entries keeps its capacity.
func (c *Client) Readdirplus(ctx context.Context, cred *rpc.Cred, args *ReaddirplusArgs, reply *ReaddirplusReply) error {
	*reply = ReaddirplusReply{Entries: reply.Entries[:0]}
	return c.call(ctx, cred, ProcReaddirplus, args, reply, &reply.Status)
}
