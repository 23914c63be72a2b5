package transport

import "net"

// Conn carries whole RPC messages between two peers, over TCP with record
// marking (RFC 5531 section 11), over UDP one message a datagram, or in memory
// (Pipe). Send, Close and Abort may be called from any goroutine.
type Conn interface {
	// Send sends one message: head, then payload and its padding to four
	// bytes. head may be reused as soon as Send returns; payload is referred
	// to, not copied, and is not touched any more once Send returned. A nil
	// payload makes Send return without waiting for the peer. When cancel is
	// closed while a payload is on its way, Send waits at most 200 ms for the
	// rest to leave and then breaks the connection: half a record must never
	// be followed by another. An error means that the connection is broken,
	// except for *SizeError and ErrCanceled, when the message was not sent,
	// and *RefusedError (UDP).
	Send(head, payload []byte, cancel <-chan struct{}) error

	// Serve reads messages and hands them to r, on the caller's goroutine,
	// until the connection ends; it then tells why (io.EOF when the peer
	// closed between records, net.ErrClosed after Close or Abort). When it
	// returned, no sink is written to any more. It is called once.
	Serve(r Receiver) error

	// Close ends the connection in order: what was sent is still delivered.
	Close() error

	// Abort ends the connection at once (TCP: RST), so that no orphan holds
	// its ports.
	Abort() error

	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}

// Receiver gets the messages that a Conn reads. Its methods are called by
// Serve, one at a time, and must not block.
type Receiver interface {
	// Place is shown the first bytes of a message, as many as there are up to
	// HeadMax, and the length of the whole message. It may return a sink and
	// the offset at which the sink's bytes begin: they are then read straight
	// into it. Offset and sink length lie within the message; what follows
	// the sink's bytes is padding. Most messages return a nil sink. Conns that
	// deliver a message in one piece anyway (UDP, Pipe) need not call Place.
	Place(head []byte, length int) (offset int, sink *Sink)

	// Message hands over a message. It is the receiver's to Release. If sink
	// is not nil, the message holds only the bytes before the sink's.
	Message(msg *Buffer, sink *Sink)
}

// HeadMax is how many bytes of a message Place is shown at most: enough for an
// RPC reply header with the longest verifier (400 bytes) and the results of
// READ up to its data.
const HeadMax = 640
