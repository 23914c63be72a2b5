package transport

import (
	"encoding/binary"
	"math"
	"runtime"
	"time"
)

const (
	// smallRecord is the longest record that is copied into the queue: WRITE of
	// 8 KiB. Of a longer one the payload (or the head, if there is no payload)
	// is lent. A copy frees its caller at once and takes no segment of its own:
	// 4 and 8 KiB writes at depth 32 +30 %, CPU -30 %; 16 KiB ones gain nothing.
	smallRecord = 9 << 10
	// copyLimit is how many bytes may be queued before payloads are not copied
	// any more: the queue shall not grow for them.
	copyLimit = 128 << 10
	// queueLimit is how many bytes of small records may wait for the peer
	// before Send waits too: calls of 256 slots never come near, but a client
	// that sends calls and reads no replies must not fill our memory.
	queueLimit = 1 << 20
	// flushRounds is how often a caller writes what others queued meanwhile.
	flushRounds = 8
	// patience is how long a sender that gave up waits for its payload to
	// leave.
	patience = 200 * time.Millisecond
)

// Send implements Conn.
//
// Sending is flat-combining: each caller queues its record, and whoever finds
// nobody writing writes for all, without ever waiting for the peer.
func (s *stream) Send(head, payload []byte, cancel <-chan struct{}) error {
	size := len(head) + len(payload) + -len(payload)&3
	if size > math.MaxInt32 {
		return &SizeError{Size: size, Max: math.MaxInt32}
	}
	s.mu.Lock()
	if err := s.sendErrLocked(); err != nil {
		s.mu.Unlock()
		return err
	}
	done := s.queueLocked(head, payload, size)
	switch {
	case s.flushing:
		s.joined = true
		s.mu.Unlock()
	case done == nil && s.keepLocked():
		s.mu.Unlock()
	default:
		s.beginFlushLocked()
		yield := done == nil && s.hold == 0 && s.crowd.expected()
		s.mu.Unlock()
		s.flush(yield)
	}
	if done == nil {
		return nil
	}
	return s.await(done, cancel)
}

// queueLocked queues a record of size bytes. If it was not copied, it returns
// the channel that tells when it has left.
func (s *stream) queueLocked(head, payload []byte, size int) (done chan error) {
	var mark [markSize]byte
	binary.BigEndian.PutUint32(mark[:], lastFragment|uint32(size))
	limit := queueLimit
	if len(payload) > 0 {
		limit = copyLimit
	}
	if size == 0 || size <= smallRecord && s.out.small() <= limit { // a loan is never empty
		s.out.add(mark, head, payload)
		return nil
	}
	done = s.doneLocked()
	if len(payload) > 0 {
		s.out.lend(mark, head, payload, done)
	} else {
		s.out.lend(mark, nil, head, done)
	}
	return done
}

// doneLocked returns a channel for a loan. They are used again, by this
// connection only: channels must not wander between synctest bubbles.
func (s *stream) doneLocked() chan error {
	if n := len(s.idleDone); n > 0 {
		c := s.idleDone[n-1]
		s.idleDone = s.idleDone[:n-1]
		return c
	}
	return make(chan error, 1)
}

// await waits until a loan has come back.
func (s *stream) await(done chan error, cancel <-chan struct{}) error {
	var err error
	select {
	case err = <-done:
	case <-cancel:
		err = s.giveUp(done)
	}
	s.mu.Lock()
	s.idleDone = append(s.idleDone, done)
	s.mu.Unlock()
	return err
}

// giveUp gets a loan back whose lender was canceled: at once if its record has
// not begun to leave; otherwise it has a short while for the rest, and then
// the connection ends.
func (s *stream) giveUp(done chan error) error {
	s.mu.Lock()
	removed := s.out.remove(done)
	s.mu.Unlock()
	if removed {
		return ErrCanceled
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-t.C:
		s.fail(ErrStuck)
		return <-done
	}
}

// flush writes what is queued as far as that needs no waiting; the rest goes
// to a goroutine. The caller has set s.flushing. If yield is set, others may
// queue their records first.
func (s *stream) flush(yield bool) {
	if s.wire.waits() {
		s.startDrain()
		return
	}
	if yield {
		begin := time.Now()
		runtime.Gosched()
		took := time.Since(begin)
		s.mu.Lock()
		s.crowd.met(s.joined, took)
		s.mu.Unlock()
	}
	s.written(s.wire.writing(s.flushStep))
}

// flushOnce is the step of flush.
func (s *stream) flushOnce() bool {
	if !s.write(true) {
		s.startDrain()
	}
	return true
}

// startDrain starts the connection's writer, which alone waits for the peer.
// It ends when the queue is empty or the connection broken; there is never
// more than one, as it owns s.flushing.
func (s *stream) startDrain() { go s.drain() }

func (s *stream) drainQueue() {
	s.written(s.wire.writing(s.drainStep))
}

// drainOnce is the step of drainQueue.
func (s *stream) drainOnce() bool { return s.write(false) }

// write writes what is queued, until the queue is empty or the connection
// broken (true: nobody is flushing any more) or the wire is full (false). A
// caller that writes for others does so within limits.
//
// A record of which a part has left owns the wire: it stays first in the queue
// until it is whole, and nothing is written after a broken one.
func (s *stream) write(limited bool) (done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := maxSegments
	if s.wire.waits() {
		most = 1 // what was taken cannot be canceled
	}
	for round, total := 0, 0; ; round++ {
		if s.err != nil {
			s.out.abandon(s.err)
		}
		if s.out.empty() {
			s.flushedLocked()
			return true
		}
		if limited && (round == flushRounds || total >= flushBytes) {
			return false
		}
		segments := s.out.take(s.segments[:0], most)
		s.mu.Unlock()
		n, err := s.wire.write(segments)
		clear(segments)
		s.mu.Lock()
		s.out.wrote(n)
		total += n
		if err == errAgain {
			return false
		}
		if err != nil {
			s.broken.Store(true)
			if s.err == nil {
				s.err = err
			}
		}
	}
}

// flushedLocked ends a flush.
func (s *stream) flushedLocked() {
	s.flushing = false
	if s.flushed != nil {
		close(s.flushed)
		s.flushed = nil
	}
}

// written looks at how a flush ended, with the error of wire.writing. A write
// that failed closes the connection only now: Close waits for the end of
// RawConn.Write, inside of which it was made.
func (s *stream) written(err error) {
	if err == nil {
		if s.broken.Load() {
			s.kill(true)
		}
		return
	}
	s.fail(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.abandon(s.err)
	s.flushedLocked()
}
