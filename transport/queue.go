package transport

import "slices"

// A loan is a payload that a sender lends until it has left, and waits for.
type loan struct {
	start   int // where the record begins in outQueue.b, with its mark
	at      int // where the payload belongs in outQueue.b: after the head
	end     int // where the record ends: after the padding
	payload []byte
	done    chan error // gets one value when the payload is not referred to any more
}

// outQueue is what a stream has still to send: the bytes of b, with the loans
// in between. One buffer for all small records lets one write carry dozens of
// them (4 KiB reads at depth 32: +27 %), and makes forgetting about one free.
//
// take and wrote come in pairs; between them the bytes that were taken stay as
// they are, whatever else is called. The zero value is an empty queue.
type outQueue struct {
	b     []byte // marks, heads, padding
	pos   int    // bytes of b that left
	taken int    // bytes of b that left or are being written
	loans []loan // those from next on have not left
	next  int
	part  int // bytes of loans[next] that left
}

const (
	// flushBytes is about how much goes into one write, but for payloads that
	// are longer.
	flushBytes = 256 << 10
	// maxSegments is how many slices send takes, and unix.Writev without
	// allocating.
	maxSegments = 8
	// keepBytes is the capacity that an empty queue keeps.
	keepBytes = 256 << 10
)

func (q *outQueue) empty() bool { return q.pos == len(q.b) && q.next == len(q.loans) }

// small returns how many bytes are queued, not counting loans.
func (q *outQueue) small() int { return len(q.b) - q.pos }

// padding is what follows a payload whose length is no multiple of four.
var padding [3]byte

// add queues a record: its mark, its head, its payload and the padding.
func (q *outQueue) add(mark [4]byte, head, payload []byte) {
	q.b = append(append(append(q.b, mark[:]...), head...), payload...)
	q.b = append(q.b, padding[:-len(payload)&3]...)
}

// lend queues a record whose payload is borrowed until done gets a value.
func (q *outQueue) lend(mark [4]byte, head, payload []byte, done chan error) {
	start := len(q.b)
	q.b = append(append(q.b, mark[:]...), head...)
	at := len(q.b)
	q.b = append(q.b, padding[:-len(payload)&3]...)
	q.loans = append(q.loans, loan{start: start, at: at, end: len(q.b), payload: payload, done: done})
}

// take appends to segments what is to be written next, at most maxSegments
// slices with at most most loans.
func (q *outQueue) take(segments [][]byte, most int) [][]byte {
	pos, i, part, n := q.pos, q.next, q.part, 0
	for ; i < len(q.loans) && most > 0 && n < flushBytes && len(segments)+3 <= maxSegments; most-- {
		l := &q.loans[i]
		if pos < l.at {
			segments = append(segments, q.b[pos:l.at])
		}
		segments = append(segments, l.payload[part:])
		n += l.at - pos + len(l.payload) - part
		pos, part = l.at, 0
		i++
	}
	end := len(q.b)
	if i < len(q.loans) {
		end = q.loans[i].start
	}
	if pos < end {
		segments = append(segments, q.b[pos:end])
	}
	q.taken = end
	return segments
}

// wrote says that n bytes of what was taken left, and that the rest is not
// referred to any more.
func (q *outQueue) wrote(n int) {
	for n > 0 {
		if q.next < len(q.loans) && q.pos == q.loans[q.next].at {
			l := &q.loans[q.next]
			k := min(n, len(l.payload)-q.part)
			q.part += k
			n -= k
			if q.part == len(l.payload) {
				l.done <- nil
				*l = loan{}
				q.next++
				q.part = 0
			}
			continue
		}
		end := len(q.b)
		if q.next < len(q.loans) {
			end = q.loans[q.next].at
		}
		k := min(n, end-q.pos)
		q.pos += k
		n -= k
	}
	q.taken = q.pos
	switch {
	case q.empty():
		q.b, q.loans = q.b[:0], q.loans[:0]
		if cap(q.b) > keepBytes {
			q.b = nil
		}
		q.pos, q.taken, q.next = 0, 0, 0
	case q.pos >= 64<<10 && q.pos >= len(q.b)/2:
		q.compact()
	}
}

// compact drops what left from the front of a queue that is never empty.
func (q *outQueue) compact() {
	k := q.pos
	q.b = q.b[:copy(q.b, q.b[k:])]
	q.loans = slices.Delete(q.loans, 0, q.next)
	for i := range q.loans {
		l := &q.loans[i]
		l.start, l.at, l.end = l.start-k, l.at-k, l.end-k
	}
	q.pos, q.taken, q.next = 0, 0, 0
}

// remove forgets the record whose loan has this done, and reports whether it
// could: once its first byte is being written, it cannot.
func (q *outQueue) remove(done chan error) bool {
	i := slices.IndexFunc(q.loans, func(l loan) bool { return l.done == done })
	if i < q.next || q.loans[i].start < q.taken {
		return false
	}
	l := q.loans[i]
	q.b = slices.Delete(q.b, l.start, l.end)
	q.loans = slices.Delete(q.loans, i, i+1)
	for j := i; j < len(q.loans); j++ {
		m := &q.loans[j]
		k := l.end - l.start
		m.start, m.at, m.end = m.start-k, m.at-k, m.end-k
	}
	return true
}

// abandon empties the queue; the lenders get err.
func (q *outQueue) abandon(err error) {
	for _, l := range q.loans[q.next:] {
		l.done <- err
	}
	*q = outQueue{}
}
