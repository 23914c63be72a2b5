// Package nlm speaks the Network Lock Manager protocol, version 4: the locks
// of NFS version 3 (RFC 1813 appendix II; The Open Group, Protocols for
// Interworking: XNFS, Version 3W, chapter 10).
//
// NFS version 3 has no state and so no locks. They are a program of their own,
// served by lockd at both ends, because a lock that must wait is granted by a
// call in the other direction: from the file server to the client's host.
//
//	client → server   TEST LOCK CANCEL UNLOCK NM_LOCK SHARE UNSHARE
//	server → client   GRANTED
//
// # Who holds a lock
//
// A lock is named by the file's handle, a range of bytes, and its owner: the
// caller_name (the host), oh (opaque bytes, unique to an owner on that host)
// and svid (a number, for people the process). All of one host is dropped at
// once when its NSM says that it has rebooted (package nsm); FREE_ALL does the
// same by force, and is decoded here but never sent: it aborts nfs-ganesha 4.3.
//
// A range is an offset and a length, where 0 means "to the end of the file,
// wherever that will be". Servers keep offsets in 63 bits; [Bounds] says what
// they answer with NLM4_FBIG.
//
// # A lock that waits
//
// LOCK with block set is answered by NLM4_BLOCKED if another holds the range.
// The server then keeps the request and calls GRANTED when its turn has come;
// it may call before the reply to LOCK has arrived, more than once, or never
// (the callback finds no port, is filtered, or the server has restarted). So a
// client notes that it waits before it asks, matches GRANTED on handle, range
// and owner and not on the cookie, and asks again now and then. CANCEL takes
// the request back; it may cross the grant, and an UNLOCK must follow then.
//
// # Two forms of each procedure
//
// A procedure is called and answered like any other, or asynchronously: the
// _MSG form carries the same arguments and is answered by nothing, and the
// result comes as a call of the _RES form in the other direction, joined to it
// by the cookie. Clients today use the first form; nfs-ganesha grants with
// GRANTED_MSG and wants GRANTED_RES.
//
//	c := nlm.NewClient(rpcClient)
//	stat, err := c.Lock(ctx, cred, &nlm.LockArgs{Block: true, Exclusive: true, Lock: lock})
package nlm
