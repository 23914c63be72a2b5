package transport

import "sync"

// Sink is memory that a message's payload is read into straight from the
// socket. The reader holds its mutex only around each non-blocking read, so
// Cancel never waits for the peer.
type Sink struct {
	mu   sync.Mutex
	dst  []byte // nil: discard
	want int    // bytes that belong to the sink
	got  int    // bytes that have come
}

// Reset makes s ready for a payload of up to len(dst) bytes.
func (s *Sink) Reset(dst []byte) {
	s.mu.Lock()
	s.dst, s.want, s.got = dst, 0, 0
	s.mu.Unlock()
}

// Begin says that n payload bytes are about to come, from the start. It
// reports whether they fit.
func (s *Sink) Begin(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > len(s.dst) {
		return false
	}
	s.want, s.got = n, 0
	return true
}

// Cancel detaches the memory: once it returned, nothing is written there. The
// rest of the payload is read and thrown away.
func (s *Sink) Cancel() {
	s.mu.Lock()
	s.dst = nil
	s.mu.Unlock()
}

// Len returns how many payload bytes belong to the sink since Begin.
func (s *Sink) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.want
}
