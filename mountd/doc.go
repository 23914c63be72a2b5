// Package mountd speaks the MOUNT protocol, version 3 (RFC 1813 appendix I), and
// of version 1 the lists (RFC 1094 appendix A): it turns the path of an export
// into the file handle of its root, which is all that an NFS client needs to
// begin.
//
// NFS itself knows no paths, only handles. So there is a second program beside
// it, run by mountd, that is asked once at mount time:
//
//	MNT      path → handle, and the RPC flavours that the export accepts
//	UMNT     this client is done with path
//	UMNTALL  this client is done with all
//	DUMP     who has mounted what, as far as the server remembers
//	EXPORT   what can be mounted, and by whom
//
// The server keeps the list that DUMP shows for people to read; nothing depends
// on it, and a client that dies stays in it.
//
// # What the answers are worth
//
// A handle is 1 to 64 bytes, opaque: anything else is an error here. The
// flavours come in the server's order of preference. The list may be empty, may
// hold AUTH_NONE (0), which means "whatever you like" rather than a choice, and
// may be of any length: the first twelve are kept, as the Linux client does.
// A status that the RFC does not have is treated as MNT3ERR_ACCES, and shown as
// what it is.
//
// That MNT succeeds does not say that NFS will: servers tell only at the first
// NFS call that they want a reserved port (AUTH_TOOWEAK) or another transport.
//
//	c := mountd.NewClient(rpcClient)
//	m, err := c.Mnt(ctx, "/export")
package mountd
