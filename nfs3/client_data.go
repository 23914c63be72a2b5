package nfs3

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
)

// Read reads args.Count bytes or fewer into dst, which must have room for them
// (RFC 1813 section 3.3.6). On success reply.Data is dst[:reply.Count]; over
// TCP the bytes went there straight from the socket. dst is not written to any
// more once Read returned, its bytes beyond reply.Data and after an error are
// undefined. Fewer bytes than asked for do not mean the end of the file:
// reply.EOF does.
func (c *Client) Read(ctx context.Context, cred *rpc.Cred, args *ReadArgs, reply *ReadReply, dst []byte) error {
	if uint64(args.Count) > uint64(len(dst)) {
		return &ArgsError{ProcRead, "dst is shorter than Count"}
	}
	*reply = ReadReply{}
	err := c.callSink(ctx, cred, ProcRead, args, reply, &reply.Status, dst[:args.Count:args.Count], placeRead)
	if err == nil && reply.Count > args.Count {
		return &ReplyError{ProcRead, "count", uint64(reply.Count), uint64(args.Count)}
	}
	return err
}

// Write writes args.Data (RFC 1813 section 3.3.7); args.Count is set to its
// length. The data is sent from where it is and must not change until Write
// returned. The server may have written fewer bytes: reply.Count of them.
func (c *Client) Write(ctx context.Context, cred *rpc.Cred, args *WriteArgs, reply *WriteReply) error {
	if len(args.Data) > MaxData {
		return &ArgsError{ProcWrite, "Data is longer than MaxData"}
	}
	args.Count = uint32(len(args.Data))
	*reply = WriteReply{}
	err := c.call(ctx, cred, ProcWrite, args, reply, &reply.Status)
	if err != nil {
		return err
	}
	if reply.Count > args.Count {
		return &ReplyError{ProcWrite, "count", uint64(reply.Count), uint64(args.Count)}
	}
	return nil
}

// Commit makes unstable writes safe (RFC 1813 section 3.3.21). They are safe
// only if reply.Verf is the verifier that their replies had.
func (c *Client) Commit(ctx context.Context, cred *rpc.Cred, args *CommitArgs, reply *CommitReply) error {
	*reply = CommitReply{}
	return c.call(ctx, cred, ProcCommit, args, reply, &reply.Status)
}
