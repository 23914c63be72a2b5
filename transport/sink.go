package transport

import "sync"

// maxScatter is how many slices of a Sink one read fills.
const maxScatter = 8

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
	dst  [][]byte   // filled one after another; nil: discard
	one  [1][]byte  // dst, if it is one slice
	room int        // bytes of dst
	want int        // bytes that belong to the sink
	got  int        // bytes that have come
	use  uint32     // counts Begin, so that a reader left behind by a Cancel and a Reset writes nothing
}

// Reset makes s ready for a payload of up to len(dst) bytes.
func (s *Sink) Reset(dst []byte) {
	s.mu.Lock()
	s.one[0] = dst
	s.resetLocked(s.one[:], len(dst))
	s.mu.Unlock()
}

// ResetScatter is Reset for a payload that is spread over several slices, which
// it fills one after another, as readv(2) does. dst must not change until Cancel
// or the next Reset.
func (s *Sink) ResetScatter(dst [][]byte) {
	room := 0
	for _, d := range dst {
		room += len(d)
	}
	s.mu.Lock()
	s.resetLocked(dst, room)
	s.mu.Unlock()
}

func (s *Sink) resetLocked(dst [][]byte, room int) {
	s.dst, s.room, s.want, s.got = dst, room, 0, 0
	s.use++
}

// Begin says that n payload bytes are about to come, from the start. It
// reports whether they fit.
func (s *Sink) Begin(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n > s.room {
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
	s.dst, s.one[0], s.room = nil, nil, 0
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

// restLocked appends the memory that the next payload bytes belong to, n bytes,
// to segments, as far as these have room: nothing if they are to be thrown away.
func (s *Sink) restLocked(ticket uint32, segments [][]byte) (_ [][]byte, n int) {
	if s.dst == nil || s.use != ticket {
		return segments, 0
	}
	skip, left := s.got, s.want-s.got
	for _, d := range s.dst {
		if skip >= len(d) {
			skip -= len(d)
			continue
		}
		if left == 0 || len(segments) == cap(segments) {
			break
		}
		d = d[skip:]
		d = d[:min(len(d), left)]
		segments = append(segments, d)
		n += len(d)
		skip, left = 0, left-len(d)
	}
	return segments, n
}

// put takes payload bytes that came by way of a buffer. A canceled sink
// ignores them.
func (s *Sink) put(ticket uint32, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var room [maxScatter][]byte
	for {
		segments, n := s.restLocked(ticket, room[:0])
		if n == 0 || len(b) == 0 {
			return
		}
		for _, d := range segments {
			n := copy(d, b)
			b = b[n:]
			s.got += n
		}
	}
}
