package transport

import "net"

// Conn carries whole RPC messages between two peers, over TCP with record
// marking (RFC 5531 section 11), over UDP one message a datagram, or in memory
// (Pipe). Send, Close and Abort may be called from any goroutine.
type Conn interface {
	// Send sends one message: head, then payload and its padding to four
	// bytes. Both are the caller's again when Send returned. A message of more
	// than a few KiB is not copied, so that Send waits until it has left;
	// others are queued without waiting for the peer, unless it has left 1 MiB
	// of them unread (with a payload: 128 KiB).
	//
	// When cancel is closed, Send stops waiting: with ErrCanceled if nothing of
	// the message has left, so that it never will. If a part has, Send waits at
	// most 200 ms for the rest and then breaks the connection, as half a record
	// must never be followed by another. A nil cancel never is.
	//
	// An error means that the connection is broken, but for *SizeError and
	// ErrCanceled, when the message was not sent, and *RefusedError (UDP).
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
// Serve, one at a time, and nothing more is read until they return: so a server
// that has enough to do keeps its peer waiting. Place must not block.
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

// Pauser may be implemented by a Receiver that puts work off until it has got a
// handful of messages. Pause must be called by Serve when there are no more
// messages for the moment: before it waits for the peer, and before it returns.
// Calls of package rpc get no reply before.
//
// A channel that Pause returns gets a token soon, when those who were told of
// their messages have had their turn, whether the connection ends meanwhile or
// not. Before it waits for the peer, Serve takes the token and looks for messages
// once more: see package rpc's relays for what that is worth. Who does not look
// for more need not take it.
type Pauser interface{ Pause() <-chan struct{} }

// pauseOf returns r's Pause, or a function that does nothing.
func pauseOf(r Receiver) func() <-chan struct{} {
	if p, ok := r.(Pauser); ok {
		return p.Pause
	}
	return func() <-chan struct{} { return nil }
}

// HeadMax is how many bytes of a message Place is shown at most: enough for an
// RPC reply header with the longest verifier (400 bytes) and the results of
// READ up to its data.
const HeadMax = 640
