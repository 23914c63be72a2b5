// Package client is a file system of an NFSv3 server (RFC 1813), as the
// kernel's fs/nfs is to Linux: inodes, caches, read-ahead, write-behind, names.
// FUSE is served from it, and Go programs read and write through it.
//
//	session, err := mount.Dial(ctx, mount.Config{Spec: spec, Options: options})
//	…
//	fs, err := client.New(ctx, session, client.Options{Cred: cred})
//	…
//	defer fs.Close(ctx)
//	data, err := fs.As(cred).ReadFile(ctx, "/etc/motd")
//
// # Two faces
//
// An [FS] works on inodes: Lookup turns a name in a directory into an [Inode],
// Open turns that into a [File]. Each call names the credential that it is made
// with. A [Tree] (from [FS.As]) works on paths, as package os does, and its
// [Handle] is what os.File is. Package gonfs is the front door to both.
//
// # What is cached, and for how long
//
// NFSv3 has no leases: a server never says that something changed. So what a
// reply told of an object counts for a while from the moment at which it was
// asked for: 3 s for a file, 30 s for a directory, twice as long each time that
// it is found unchanged, up to 60 s (nfs(5) acregmin … acdirmax; noac: not at
// all). As long as an object's attributes count, so do the rights that the
// server granted on it, per credential; the names that were looked up in it, if
// it is a directory; its text, if it is a symbolic link; and its access control
// lists (NFSACL).
//
// The ctime stands in for a change attribute: when it moved, somebody changed
// the object, and what was cached of its content is dropped. Changes of our own
// move it too. They are told apart by the wcc data of replies, which holds the
// ctime before and after each change of ours: if these make an unbroken chain,
// nobody else was there. [FS.Changes] tells of others' changes.
//
// A reply can be overtaken. Each call is stamped when it is sent, and
// attributes from a reply that began before the last local change are dropped.
//
// # Close to open
//
// Who opens a file after it was closed elsewhere sees what was written there:
// Open asks the server, and Flush, at close, returns only when everything is
// safe on the server. Between open and close there is no such promise; locks
// are for that: under a lock (File.Lock) a file is as its last holder left it,
// on whichever client, because caches are dropped when a lock is granted, and
// what was written is committed before it is given back. A lock that is lost to
// a restart of the server makes reads and writes fail (ErrLockLost).
//
// # Reads
//
// Who reads a file from one end to the other is read ahead for, as far as the
// server is away. Many who do so together, each with a piece of it, are not: but
// reads that lie side by side, and come while callers come back with what they
// were answered together, go to the server as one. Random reads, and those of
// O_DIRECT, are READs of their own.
//
// # Writes
//
// What was written is kept until a COMMIT has brought the verifier of its
// WRITEs; if another one comes, the server was restarted, and it is sent again.
// A write returns when its data was copied, and Flush and Fsync when all of it
// is safe; writes wait while the size of their file is being changed. Writers of
// large blocks of one file at once, where a COMMIT costs the server nothing, are
// not copied but wait until they are safe.
//
// # Names
//
// Names are bytes. Empty ones, ".", "..", and those that hold "/" or NUL are
// refused on the way out (NFS3ERR_INVAL) and left out of listings on the way
// in. A missing name is remembered only of a directory that others have left
// alone for a minute. A file that is removed while it is open here is renamed to
// ".nfs…" and removed at the last close, because the protocol knows no open files.
//
// A call that changes a directory, whose reply was lost, may be answered with
// EEXIST or ENOENT when it is sent again. What happened is then decided by
// looking at the server; where that cannot tell (MKDIR), the error stays.
//
// # Bounds
//
// A handle has one Inode for as long as anybody refers to it; 16,384 more are
// kept for what they know. Names, rights per object, spans of ctime, pages and
// cookies of listings are bounded too. NFS3ERR_JUKEBOX is waited out, 100 ms to
// 5 s at a time, for as long as the caller's ctx allows. Every wait ends with
// its ctx, by the rules of rpc.GiveUpper, or with [FS.Abort].
package client
