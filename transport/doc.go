// Package transport moves whole RPC messages between two peers. It knows
// nothing of what is in them, but for one thing: where a long payload belongs.
//
// # Messages on the wire
//
// Over UDP a message is a datagram. Over TCP, which knows no messages, RFC 5531
// section 11 puts a record mark before each: a word whose low 31 bits count
// the bytes that follow, and whose top bit is set.
//
//	80 00 00 0c  xx xx xx xx xx xx xx xx xx xx xx xx
//	mark: 12     message of 12 bytes
//
// A record may also be cut into fragments, each with a mark of its own, where
// only the last has the top bit. Servers do so with long replies; this package
// reads such records, but never writes them.
//
// A [Conn] is one connection of either kind, or one end of a [Pipe], which
// carries messages in memory, for tests. A [Dialer] opens connections; a server
// wraps what net.Listener.Accept returns with [NewStream], and answers datagrams
// with [ServePackets].
//
// # Who owns which bytes
//
// Send is given a head and a payload; both are the caller's again when it
// returned. The payload of a WRITE is up to 1 MiB: it is not copied, but leaves
// in one sendmsg with its head, and Send waits for that. Short messages are
// copied and queued, so that one write carries those of many callers.
//
// What is received comes in a [Buffer] from a pool. Whoever has it owns it, and
// calls Release once; a second time panics, as two owners would share the next
// message. [Outstanding] counts the buffers that are out.
//
// # Sinks
//
// The reply to a READ carries up to 1 MiB that belongs in the caller's memory.
// To read it into a buffer first and to copy it then costs 1.7 times the CPU.
// So the reader shows the first bytes of each message to [Receiver.Place]. That
// finds out which call they answer, and may return a [Sink]: the memory that
// the call brought, and the offset in the message where the payload begins.
// The payload is then read straight there, and Message gets what came before.
//
// The caller may leave at any time: [Sink.Cancel] detaches the memory at once,
// whatever the peer does, and the rest of the payload is thrown away, so that
// the next message is found where it begins.
//
// # Ports, and connections that die in silence
//
// A server knows a client again by its source address: it looks replies to
// calls sent twice up by it, and takes a port below 1024 as a sign of root. So
// a [Dialer] can have a reserved port, and the port that an earlier connection
// had. Ports run out (512–1023 per server; a SNAT may have 32 in all, and keeps
// one for 240 s after a FIN, 15 s after a RST), so [Conn].Abort, which sends
// RST, is how connections end that nothing more is expected of.
//
// TCP by itself waits a quarter of an hour for a peer that a NAT has forgotten.
// [VitalsOf] tells a path that carries nothing any more from a peer that is
// slow; what to do about it is the caller's to decide.
//
// # What a peer may do to us
//
// A record longer than the limit, or of more than 1024 fragments, ends the
// connection with a [*RecordError]; memory is taken as bytes come, not as they
// are announced. A peer that reads nothing holds up senders of payloads, who
// may cancel, but no others. ICMP errors, which anybody can forge, end nothing:
// the next Send reports them as a [*RefusedError].
package transport
