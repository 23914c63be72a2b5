package client

import (
	"context"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Statfs returns sizes and free space of the file system that ino is in
// (FSSTAT, RFC 1813 section 3.3.18), in bytes and files. It always asks the
// server. ctx cancels the wait.
func (fs *FS) Statfs(ctx context.Context, cred *rpc.Cred, ino *Inode) (nfs3.FsstatReply, error) {
	if err := fs.alive(ino); err != nil {
		return nfs3.FsstatReply{}, err
	}
	var args nfs3.FsstatArgs
	var reply nfs3.FsstatReply
	err := fs.about(ctx, fs.credOr(cred), ino, func() error {
		args.Root = ino.FH()
		st := fs.begin()
		err := fs.nfs.Fsstat(ctx, fs.credOr(cred), &args, &reply)
		if answered(err) {
			fs.applyAttr(ino, st, &reply.Attr)
		}
		return err
	})
	if err != nil {
		return nfs3.FsstatReply{}, fs.failed(ino, err)
	}
	return reply, nil
}

// NameMax returns the longest name in bytes.
func (fs *FS) NameMax() uint32 { return fs.nameMax }
