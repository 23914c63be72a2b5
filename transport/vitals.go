package transport

import "time"

// Vitals is what the system's TCP knows of how a connection fares: enough to
// tell a peer that is slow to answer, whose system acknowledges what comes all
// the same, from a path that carries nothing any more.
type Vitals struct {
	// Unacked says that something is on its way and not acknowledged: data, or
	// a probe (keepalive, closed window).
	Unacked bool
	// Acked counts the bytes that were acknowledged, Received those that came,
	// in order and once each.
	Acked, Received uint64
	// SinceAck is how long ago the last acknowledgement came, of whatever.
	SinceAck time.Duration
	// RTO is the retransmission timeout that follows from the round-trip times,
	// without the doubling of retransmissions.
	RTO time.Duration
}

// VitalsOf returns the vitals of a connection; ok is false where there are
// none: UDP, Pipe, a connection of DialContext that is no *net.TCPConn, and
// systems other than Linux. The last two know Received nevertheless: what was
// read. A Conn that wraps another may have them by a method Vitals of its own.
func VitalsOf(c Conn) (v Vitals, ok bool) {
	if t, has := c.(interface{ Vitals() (Vitals, bool) }); has {
		return t.Vitals()
	}
	return Vitals{}, false
}

// unaided is what a stream knows of itself where nobody else does.
func (s *stream) unaided() (v Vitals) {
	if w, ok := s.wire.(*connWire); ok {
		v.Received = w.received.Load()
	}
	return v
}
