// Package nfsacl speaks NFSACL, version 3: POSIX access control lists beside
// NFS version 3, which itself knows nothing but mode bits.
//
// There is no RFC. Solaris invented the protocol (nfs_acl.x), and Linux's
// fs/nfs_common/nfsacl.c is what servers and clients are measured by: where the
// two differ, this package does what Linux does. It is program 100227, and has
// its calls on the connection of NFS, at NFS's port; rpcbind may name another
// port for it, which nobody asks for.
//
//	NULL     does the server have the program? asked once, at mount time
//	GETACL   handle, what is wanted → attributes and lists
//	SETACL   handle, lists → attributes
//
// # Lists
//
// An object has an access list, which decides who may do what, and a directory
// may have a default list too, which is what new entries of it begin with. An
// [ACL] is one of them, as acl(5) has it: entries for the owner, for named
// users, for the owning group, for named groups, a mask that limits the last
// three, and one for others. A list of the owner, the group and others says no
// more than the mode does; an object that has nothing else has no list.
//
// On the wire each entry is three words, tag, id and permissions; the tags of
// default lists have the bit 0x1000. Servers of Solaris's kind want at least
// four entries, so a list of three gets a mask that repeats the group; that is
// undone when decoding. Entries may come in any order, and leave sorted.
//
//	c := nfsacl.NewClient(nfsClient.RPC())
//	if c.Null(ctx) != nil {
//		// no lists on this server
//	}
//	err := c.Getacl(ctx, cred, &nfsacl.GetaclArgs{Object: fh, Mask: nfsacl.MaskAll}, &reply)
//
// # What the peer sends
//
// A list has up to 1,024 entries; longer ones, tags that do not exist and
// permissions beyond rwx are errors. [ACL.Valid] tells whether the entries make
// a list: a decoded one may lack the owner.
package nfsacl
