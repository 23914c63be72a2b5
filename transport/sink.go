package transport

import "sync"

// Sink is memory that a message's payload is read into straight from the
// socket. The reader holds its mutex only around each non-blocking read, so
// Cancel never waits for the peer.
//
// Its owner calls Reset for each use and returns it from Receiver.Place after
// Begin; from then until Receiver.Message or the end of Serve the reader fills
// it. A connection that died half-way leaves it half filled: the next one's
// Begin starts again at 0.
type Sink struct {
	mu   sync.Mutex // guards what follows, and the bytes of dst while they are written
	dst  []byte     // nil: discard
	want int        // bytes that belong to the sink
	got  int        // bytes that have come
	use  uint32     // counts Begin, so that a reader left behind by a Cancel and a Reset writes nothing
}

// Reset makes s ready for a payload of up to len(dst) bytes.
func (s *Sink) Reset(dst []byte) {
	s.mu.Lock()
	s.dst, s.want, s.got = dst, 0, 0
	s.use++
	s.mu.Unlock()
}

// Begin says that n payload bytes are about to come, from the start. It
// reports whether they fit.
func (s *Sink) Begin(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n > len(s.dst) {
		return false
	}
	s.want, s.got = n, 0
	s.use++
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

// open tells a reader, which got s from Place, how many bytes belong to it,
// and under which ticket they may be written.
func (s *Sink) open() (n int, ticket uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.want, s.use
}

// restLocked returns the memory that the next payload bytes belong to, or nil
// if they are to be thrown away.
func (s *Sink) restLocked(ticket uint32) []byte {
	if s.dst == nil || s.use != ticket {
		return nil
	}
	return s.dst[s.got:s.want]
}

// put takes payload bytes that came by way of a buffer. A canceled sink
// ignores them.
func (s *Sink) put(ticket uint32, b []byte) {
	s.mu.Lock()
	s.got += copy(s.restLocked(ticket), b)
	s.mu.Unlock()
}
