// Package nfs3 is version 3 of the Network File System protocol (RFC 1813):
// the wire form of its 22 procedures, a client that calls them and the server
// side that answers them.
//
// # The protocol in ten lines
//
// NFS version 3 is ONC RPC program 100003. A server keeps no state of its
// clients: there is no open and no close, and each call says all that the
// server needs. A file system object is named by a file handle ([FH]), up to
// 64 bytes that only the server understands; the first one comes from the
// MOUNT protocol (package mountd), all others from LOOKUP, CREATE and their
// kin. A name is looked up in one directory at a time.
//
// Most replies carry the object's attributes after the operation, the post-op
// attributes ([PostOpAttr]). Replies of operations that change something carry
// wcc data ([WccData], "weak cache consistency"): size, mtime and ctime from
// before the operation together with the attributes from after it, so that a
// client can tell its own changes from those of others.
//
// WRITE may be UNSTABLE: the server then answers before the data is on disk,
// and COMMIT puts it there. Both return a write verifier; when it changes, the
// server has restarted, and what was written and not committed must be written
// again. READDIR returns a cookie with each entry, from which the next call
// goes on, and a cookie verifier that tells whether cookies are still good.
//
// # This package
//
// Each procedure X has a type XArgs and a type XReply. A reply holds the
// fields of both arms of the RFC's union, in the RFC's order: those of the
// success arm count when Status is [OK], those of the failure arm otherwise
// (post-op attributes and wcc data are in both). All types encode and decode
// by their one method XDR.
//
// [Client] has one method for each procedure. It returns nil exactly if the
// call was answered and Status is OK; a server's refusal is an [*Error] that
// unwraps to a [Status], for which errors.Is(err, fs.ErrNotExist) and
// errors.Is(err, syscall.ENOSPC) hold. A reply that breaks the protocol is
// an error too, never a panic: what a server sends is hostile.
//
// Names are bytes. This package neither checks nor changes them (an entry may
// be called "a/b" by a malicious server): package client does.
package nfs3
