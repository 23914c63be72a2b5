package transport

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// ErrCanceled is what Send returns when its cancel channel was closed before
// the first byte of the message left. The message was not sent and never will
// be; the connection is as good as before.
var ErrCanceled = errors.New("transport: send canceled before its first byte left")

// ErrStuck ends a connection whose peer takes nothing any more: a message was
// half sent when its sender gave up, or Close had messages left to send.
var ErrStuck = errors.New("transport: peer takes no more data: connection given up with a message half sent")

// A SizeError is returned by Send for a message that the transport cannot
// carry. The connection stays usable.
type SizeError struct {
	Size, Max int // bytes, with padding
}

// Error implements error.
func (e *SizeError) Error() string {
	return fmt.Sprintf("transport: message of %d bytes is over the limit of %d; ask for less in one call", e.Size, e.Max)
}

// A RecordError ends a connection whose peer sent records that are longer than
// this end accepts, or cut into too many fragments (RFC 5531 section 11).
type RecordError struct {
	Remote    net.Addr
	Size      int // bytes of the record so far, its last fragment included
	Fragments int // fragments so far
	Max       int // the limit that was passed: of Size, or of Fragments
}

// Error implements error.
func (e *RecordError) Error() string {
	if e.Fragments > maxFragments {
		return fmt.Sprintf("transport: %v sent a record of more than %d fragments", e.Remote, e.Max)
	}
	return fmt.Sprintf("transport: %v sent a record of %d bytes or more, over the limit of %d", e.Remote, e.Size, e.Max)
}

// A RefusedError is returned by Send on UDP when the network turned datagrams
// back: ICMP "port unreachable" came for an earlier one (Err is ECONNREFUSED:
// nobody listens there, or did not a moment ago), or this one found no route.
// It is a hint, which anybody on the network may forge. The connection stays
// usable.
type RefusedError struct {
	Remote net.Addr
	Count  int   // datagrams turned back since the last report
	Err    error // why the last one was: a syscall.Errno
}

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("transport: datagram to %v turned back: %v", e.Remote, e.Err)
}

// Unwrap makes errors.Is(err, syscall.ECONNREFUSED) hold.
func (e *RefusedError) Unwrap() error { return e.Err }

// Temporary reports that the next message may well arrive.
func (e *RefusedError) Temporary() bool { return true }

// A SilentError is returned by Dial over TCP when the SYN was not answered in
// time, nor refused: a firewall drops it, a NAT has no port left for it, or the
// host is down. Another source port may get through.
type SilentError struct {
	Remote string
	After  time.Duration
	Err    error
}

// Error implements error.
func (e *SilentError) Error() string {
	return fmt.Sprintf("transport: no connection to %s within %v: %s", e.Remote, e.After.Round(time.Millisecond), e.Cause())
}

// Cause says what happened and why that may be, in a few words.
func (e *SilentError) Cause() string { return "SYN unanswered: firewall, or SNAT ports used up" }

// Unwrap returns the system's error.
func (e *SilentError) Unwrap() error { return e.Err }

// Timeout reports true, as net.Error's does.
func (e *SilentError) Timeout() bool { return true }

// Temporary reports true, as net.Error's does.
func (e *SilentError) Temporary() bool { return true }

// unanswered reports whether a connection failed because the time was up.
func unanswered(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
