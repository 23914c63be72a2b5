// Package rpc makes and answers remote procedure calls as ONC RPC version 2
// defines them (RFC 5531): it is what NFS, MOUNT, rpcbind, NLM and NSM speak.
//
// # The words
//
// A server offers programs, each known by a number, each in one or more
// versions; a version has procedures, numbered from 0 (NULL, which does
// nothing and is the ping). A call names program, version and procedure, and
// carries a credential (on whose behalf), a verifier (proof of it) and the
// arguments. The reply has either been accepted, and then says SUCCESS and
// brings the results, or says why not (accept_stat); or it has been denied,
// for the version of RPC or for the credential (reject_stat, auth_stat). What
// joins the two is the XID, a word that the client chooses.
//
// A reply may be lost, so a client sends a call again: it retransmits, under
// the same XID, after a minor timeout (timeo of nfs(5)), and after some of
// those there is a major timeout, at which a hard mount goes on for ever, and
// a soft one fails. A server that sees an XID twice from one address and port
// answers from its duplicate-request cache, if it has one, and does not
// execute the call twice. So that it can, a retransmission has the same bytes,
// and a connection that replaces a broken one comes from the same port.
//
// # A client
//
// [Client.Call] makes one [Call]. Any number of calls are under way at once:
//
//	Client.Call ──► endpoint: XID counter, 256 slots ──► transport.Conn
//	   ▲   caller's goroutine: encodes, sends,              │
//	   │   retransmits, decodes                             ▼
//	   └────────── slot ◄── Place, Message ◄── endpoint's goroutine: Serve
//
// An endpoint outlives its connections: its one goroutine connects, reads
// until the connection ends, and connects again while calls wait for it. A
// call has a slot from before its first transmission to its end, the slot's
// number being the XID modulo 256, and keeps the XID through all
// retransmissions and connections.
//
// Everything else is done by the goroutine that called Call. It waits anyway,
// so it retransmits; it encodes the arguments anew each time, so nothing else
// keeps a request's bytes; and it alone ends the call, by taking it out of its
// slot. The others (the reader with a reply, a new connection, Close, the alarm
// when a timeout has passed, the vigil when the context that many calls share
// has ended) leave word in the slot and wake it. That is why Call's arguments and
// memory are never touched after it returned. Files, in the order in which a
// call sees them: slots.go, vigil.go, retransmit.go, sendwatch.go, alarm.go,
// receive.go, finish.go; connect.go, watch.go and probe.go beside them.
//
// A [Policy] says when to send again and when to fail. The errors keep three
// things apart: the network failed ([TimeoutError], or the transport's own
// error), the server refused ([AcceptError], [DeniedError]), the server spoke
// nonsense ([ProtocolError]). A call that must not be executed twice, whose
// connection was lost and whose source address could not be had again, ends in
// a [ReplayError]: only a look at the server can tell what became of it.
//
// # Connections that break, and those that do not
//
// A connection that is reset or closed is replaced at once, from the same port,
// and the calls that were sent on it go again with their XIDs. A server that
// refuses connections is tried again after 100 ms, doubling to 2 s: it is being
// restarted. One that does not answer at all is tried after 3 s, doubling to a
// minute, and after two such attempts from another port, which a firewall may
// let through.
//
// The bad case is a connection that a NAT or a firewall has forgotten: nothing
// comes back, not even a refusal, and TCP goes on for a quarter of an hour.
// Each connection has a watchdog that looks, five times a second while calls
// are pending, whether what was sent is acknowledged. If it was not for 600 ms
// (or three retransmission timeouts), a second connection is made from any
// port, with a NULL. An answer means that only the first is dead: it is aborted
// and made anew, 1.4 s after the call that met it. No answer means that the path
// is down: the connection is kept, and probes go on, so that calls do not wait
// for TCP's next retransmission when the path is back. After the machine was
// suspended a NULL goes out on the connection itself. And a connection that no
// call needs for Options.Idle is ended, before somebody in between forgets it.
//
// Connections always end with RST, which frees the port here, at the server and
// in a NAT: the next one can have it.
//
// Over datagrams there is no connection to lose. A call is sent again after the
// time that the server has been taking for its like (rtt.go), twice that, and so
// on up to a minute, while a window holds back what would overrun the server
// (window.go); where datagrams come back ("port unreachable"), after 100 ms to
// 2 s (refused.go).
//
// # A server
//
// [Server] answers calls on any transport.Conn or packet socket, for the
// callbacks that NLM and NSM servers make, and for tests.
package rpc
