// Package gonfs reads and writes NFS version 3 exports from Go, with no mount
// and no privilege:
//
//	fsys, err := gonfs.Dial(ctx, "server:/export", gonfs.Options{Mount: "rsize=65536,soft"})
//	if err != nil {
//		return err
//	}
//	defer fsys.Close(ctx)
//	data, err := fsys.ReadFile(ctx, "dir/file")
//
// It is the front door of the house: [Dial] does what mount(8) does (rpcbind,
// MOUNT, size negotiation; packages mount and mountopt), and [FS] has the
// calls of package os with a context in front (package client). The protocol
// packages below (nfs3, mountd, portmap, rpc, transport, xdr) can be used by
// themselves.
//
// # What is promised
//
// Writes are collected and sent behind the caller's back, as a kernel does it:
// a byte is safe when Sync or Close of its file has returned nil, and then no
// restart of the server loses it. Close-to-open consistency holds between
// clients: who opens a file after another client closed it sees what that one
// wrote. A context ends every wait; without one that ends, a mount option
// decides what happens when the server is away: hard waits for ever, soft and
// softerr fail.
//
// Errors are *fs.PathError: errors.Is(err, fs.ErrNotExist) holds where it
// should, and errors.As finds the nfs3.Status. Names are bytes, not
// necessarily UTF-8.
package gonfs
