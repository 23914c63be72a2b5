package transport

import (
	"io"
	"sync"
)

// MaxScatter is how many slices of a Sink one system call fills. A Sink may have
// more, which takes more calls.
const MaxScatter = 8

// Sink is memory that a message's payload is read into straight from the
// socket. The reader holds its mutex only around each non-blocking read, so
// Cancel never waits for the peer.
//
// Its owner calls Reset for each use and returns it from Receiver.Place after
// Begin; from then until Receiver.Message or the end of Serve the reader fills
// it. A connection that died half-way leaves it half filled: the next one's
// Begin starts again at 0.
type Sink struct {
	mu    sync.Mutex         // guards what follows, and the bytes of dst while they are written
	dst   [][]byte           // filled one after another; none: discard
	space [MaxScatter][]byte // dst, mostly
	room  int                // bytes of dst
	want  int                // bytes that belong to the sink
	got   int                // bytes that have come
	use   uint32             // counts uses, so that a reader left behind by a Cancel and a Reset writes nothing
}

// Reset makes s ready for a payload of up to len(dst) bytes.
func (s *Sink) Reset(dst []byte) {
	s.mu.Lock()
	s.dst, s.room, s.want, s.got = append(s.space[:0], dst), len(dst), 0, 0
	s.use++
	s.mu.Unlock()
}

// Add gives s more memory, which a payload goes to when what came before is full,
// as readv(2) does. It must not be called after Begin.
func (s *Sink) Add(dst []byte) {
	s.mu.Lock()
	s.dst = append(s.dst, dst)
	s.room += len(dst)
	s.mu.Unlock()
}

// Room returns how many bytes there is memory for.
func (s *Sink) Room() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.room
}

// Drop detaches one slice, the first having the number 0: once it returned,
// nothing is written there. What belongs there is thrown away.
func (s *Sink) Drop(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i < len(s.dst) {
		s.dst[i] = make([]byte, len(s.dst[i]))
	}
}

// Write implements io.Writer for a whole payload that came by another way. If it
// does not fit, nothing of it is written, and the error is io.ErrShortBuffer.
func (s *Sink) Write(payload []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(payload) > s.room {
		return 0, io.ErrShortBuffer
	}
	s.want, s.got = len(payload), 0
	s.use++
	s.putLocked(payload)
	return len(payload), nil
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
	clear(s.dst)
	s.dst, s.room = nil, 0
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
	if s.use != ticket {
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
	if s.use == ticket {
		s.putLocked(b)
	}
}

// putLocked is put, for whoever has the ticket.
func (s *Sink) putLocked(b []byte) {
	skip := s.got
	b = b[:min(len(b), s.want-s.got)]
	for _, d := range s.dst {
		if skip >= len(d) {
			skip -= len(d)
			continue
		}
		n := copy(d[skip:], b)
		b = b[n:]
		s.got += n
		skip = 0
	}
}
