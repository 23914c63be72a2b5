package nfs3

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
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
	err := c.callWith(ctx, rpc.Call{
		Proc: ProcRead, Args: args, Reply: reply, Cred: cred,
		Sink: dst[:args.Count:args.Count], Place: placeRead,
	}, &reply.Status)
	return checkRead(args, reply.Count, err)
}

// Readv is Read into a Sink, which may have several slices: they are filled one
// after another, as readv(2) does. It needs room for args.Count bytes, and is
// canceled when Readv returns.
func (c *Client) Readv(ctx context.Context, cred *rpc.Cred, args *ReadArgs, reply *ReadvReply, dst *transport.Sink) error {
	if uint64(args.Count) > uint64(dst.Room()) {
		dst.Cancel()
		return &ArgsError{ProcRead, "dst has no room for Count bytes"}
	}
	*reply = ReadvReply{}
	err := c.callWith(ctx, rpc.Call{Proc: ProcRead, Args: args, Reply: reply, Cred: cred, Scatter: dst, Place: placeRead}, &reply.Status)
	return checkRead(args, reply.Count, err)
}

// checkRead returns what Read does: a server must not say that it has read more
// than was asked for.
func checkRead(args *ReadArgs, count uint32, err error) error {
	if err == nil && count > args.Count {
		return &ReplyError{ProcRead, "count", uint64(count), uint64(args.Count)}
	}
	return err
}

// Write writes args.Data (RFC 1813 section 3.3.7); args.Count is set to its
// length. The data is sent from where it is and must not change until Write
// returned. The server may have written fewer bytes: reply.Count of them.
func (c *Client) Write(ctx context.Context, cred *rpc.Cred, args *WriteArgs, reply *WriteReply) error {
	return c.WriteOn(ctx, cred, args, reply, nil)
}

// WriteOn is Write for a caller who gives up without leaving a WRITE behind that
// is executed who knows when: if ctx ends while it may be under way, detach is
// called, and the call goes on as it says (rpc.Call.Detach; see DetachWrite).
// WriteOn returns ctx's error then.
func (c *Client) WriteOn(ctx context.Context, cred *rpc.Cred, args *WriteArgs, reply *WriteReply, detach func() *rpc.Detached) error {
	if len(args.Data) > MaxData {
		return &ArgsError{ProcWrite, "Data is longer than MaxData"}
	}
	args.Count = uint32(len(args.Data))
	*reply = WriteReply{}
	err := c.callWith(ctx, rpc.Call{Proc: ProcWrite, Args: args, Reply: reply, Cred: cred, Detach: detach}, &reply.Status)
	if err != nil {
		return err
	}
	return checkWritten(args, reply)
}

// DetachWrite returns how a WRITE goes on: waited for by ctx, with args that
// have the same Data in memory of their own. done is told what Write would
// return, and may look at reply.
func DetachWrite(ctx context.Context, args *WriteArgs, reply *WriteReply, done func(error)) *rpc.Detached {
	args.Count = uint32(len(args.Data))
	*reply = WriteReply{}
	return &rpc.Detached{Ctx: ctx, Args: args, Reply: reply, Done: func(err error) {
		if err = result(&Procs[ProcWrite], err, &reply.Status, 0); err == nil {
			err = checkWritten(args, reply)
		}
		done(err)
	}}
}

func checkWritten(args *WriteArgs, reply *WriteReply) error {
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
