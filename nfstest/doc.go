// Package nfstest is to NFS what net/http/httptest is to HTTP: a server that
// lives in the test. It answers NFS version 3 (RFC 1813), NFSACL, MOUNT version
// 3, NLM version 4 with NSM, and rpcbind versions 2 to 4 from a file system in
// memory, over loopback ports or over no sockets at all, and it misbehaves as
// real servers and networks do when it is told to. It is a test server: it keeps
// nothing, trusts the credentials that it is sent, and listens on the loopback
// interface only.
//
//	s := nfstest.Start(t, nfstest.Options{})
//	s.WriteFile("hello", []byte("hello, world\n"), 0644)
//	s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRead}, Do: []nfstest.Action{nfstest.ResetAt(100)}})
//	fs, err := gonfs.Dial(ctx, s.Export(), gonfs.Options{Mount: s.MountOptions()})
//	…
//
// # The file system
//
// Files have two layers. A WRITE that is UNSTABLE changes what readers see, but
// not what Restart leaves; COMMIT moves bytes, exactly those it names, from the
// one to the other. A client that loses track of the write verifier loses data
// here, in a test, and not in production.
//
// Permissions, wcc data, link counts, cookies, EXCLUSIVE creates and the rest
// follow RFC 1813, and Linux where the RFC leaves a choice. File handles are 28
// bytes with a keyed checksum: a handle of a removed file is STALE, an invented
// one is BADHANDLE.
//
// # Faults
//
// A Fault is a rule: which calls it meets, how many of them, and what happens
// to them. An Action is such a thing: the call or its reply is lost, delayed,
// duplicated or reordered; the connection is reset at some byte of the reply;
// the reply is cut, split into fragments, or made of other bytes; a status
// takes its place; a directory never ends. Restart, Freeze and Down concern
// the whole server. What chance decides comes from Options.Seed.
//
// # Locks
//
// NLM has all procedures, in the call-and-reply forms and as messages. A blocked
// lock is granted by a call of GRANTED or GRANTED_MSG at the client's NLM, which
// the server finds by rpcbind of the client's host, or by the one that
// ListenLocal plays for it; or not at all, by Options.Callback. Restart loses
// the locks, begins a grace period, raises the state number by two and sends
// SM_NOTIFY. Locks tells who holds what; a lock that is left at the end is a
// violation.
//
// # Strict mode
//
// The server watches its clients, and records what the protocol forbids or a
// careful client would not do (see Kind): Violations lists it, and Start makes
// the test fail for it.
package nfstest
