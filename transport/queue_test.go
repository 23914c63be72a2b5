package transport

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
)

func lendTo(q *outQueue, n int) chan error {
	done := make(chan error, 1)
	q.lend([4]byte{'m', 'a', 'r', 'k'}, []byte("head"), []byte(strings.Repeat("p", n)), done)
	return done
}

func total(segments [][]byte) (n int) {
	for _, s := range segments {
		n += len(s)
	}
	return n
}

// Each step builds on the last.
func TestQueueRemovesOnlyWhatHasNotBegun(t *testing.T) {
	var q outQueue
	a, b, c := lendTo(&q, 10), lendTo(&q, 10), lendTo(&q, 10)
	q.take(nil, 2)
	if q.remove(a) || q.remove(b) {
		t.Fatal("a record that is being written was removed")
	}
	if !q.remove(c) || q.remove(c) {
		t.Fatal("the third record was not removed, or twice")
	}
	q.wrote(1) // one byte of the first record left
	if q.remove(a) {
		t.Fatal("a half-written record was removed")
	}
	if !q.remove(b) {
		t.Fatal("a record that was not written after all was not removed")
	}
	if n := total(q.take(nil, 8)); n != 4+4+12-1 {
		t.Fatalf("%d bytes are left", n)
	}
	q.wrote(4 + 4 + 10 - 1)
	if len(a) != 1 || len(b) != 0 || len(c) != 0 {
		t.Fatal("the payload that left was not given back")
	}
	if q.empty() {
		t.Fatal("the padding was forgotten")
	}
	q.take(nil, 8)
	if q.wrote(2); !q.empty() {
		t.Fatal("not empty at the end")
	}
}

func TestQueueTakesNoMoreThanItMay(t *testing.T) {
	for _, tt := range []struct {
		name         string
		loans, size  int
		most         int
		segments     int
		least, bytes int
	}{
		{"three loans with what is between", 9, 10, 8, 7, 3 * 20, 3*20 + 8},
		{"as many loans as the caller wants", 9, 10, 1, 3, 20, 28},
		{"one long loan alone", 9, flushBytes, 8, 3, 8 + flushBytes, 8 + flushBytes + 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var q outQueue
			q.add([4]byte{}, nil, nil)
			for range tt.loans {
				lendTo(&q, tt.size)
				q.add([4]byte{}, nil, nil)
			}
			s := q.take(nil, tt.most)
			if n := total(s); len(s) > tt.segments || len(s) > maxSegments || n < tt.least || n > tt.bytes+12 {
				t.Errorf("%d segments with %d bytes", len(s), n)
			}
		})
	}
}

// TestQueueThatIsNeverEmptyStaysSmall writes half of what is added, again and
// again, and checks every byte.
func TestQueueThatIsNeverEmptyStaysSmall(t *testing.T) {
	var q outQueue
	var want, got strings.Builder
	var done []chan error
	for i := range 400 {
		for range 2 {
			body := pattern(1000+i, uint32(i))
			q.add([4]byte{'s', byte(i)}, []byte(body), nil)
			want.WriteString("s" + string([]byte{byte(i), 0, 0}) + body)
			c := make(chan error, 1)
			done = append(done, c)
			q.lend([4]byte{'l', byte(i)}, []byte(body), []byte(body[:801]), c)
			want.WriteString("l" + string([]byte{byte(i), 0, 0}) + body + body[:801] + "\x00\x00\x00")
		}
		if i > 100 { // from now on as much leaves as comes
			n := 0
			segments := q.take(nil, 8)
			for _, s := range segments {
				k := min(len(s), max(0, 6000+4*i-n))
				got.Write(s[:k])
				n += k
			}
			q.wrote(n)
		}
		if i%7 == 0 && i > 0 { // the last one is given up
			l := q.loans[len(q.loans)-1]
			body := pattern(1000+i, uint32(i))
			if !q.remove(l.done) {
				t.Fatal("cannot remove the last record")
			}
			w := want.String()
			want.Reset()
			want.WriteString(w[:len(w)-4-len(body)-804])
			done = done[:len(done)-1]
		}
		if cap(q.b) > 2<<20 {
			t.Fatalf("%d bytes after %d rounds", cap(q.b), i)
		}
	}
	for !q.empty() {
		segments := q.take(nil, 8)
		for _, s := range segments {
			got.Write(s)
		}
		q.wrote(total(segments))
	}
	if got.String() != want.String() {
		t.Error("what left is not what was added")
	}
	for i, c := range done {
		if len(c) != 1 {
			t.Fatalf("loan %d did not come back", i)
		}
	}
	if cap(q.b) > keepBytes {
		t.Errorf("an empty queue keeps %d bytes", cap(q.b))
	}
}

// busyWire takes all that is written, and has the stream send more meanwhile.
type busyWire struct {
	connWire
	s      *stream
	writes atomic.Int32
	limit  int32
	fail   error
}

func (w *busyWire) waits() bool { return false }

func (w *busyWire) write(segments [][]byte) (int, error) {
	if w.writes.Add(1) < w.limit {
		if err := w.s.Send([]byte("more"), nil, nil); err != nil {
			return 0, err
		}
	}
	if w.fail != nil {
		return 0, w.fail
	}
	return total(segments), nil
}

func TestCallerWritesForOthersWithinLimits(t *testing.T) {
	noLeak(t)
	s := NewStream(&script{}, 0).(*stream)
	w := &busyWire{s: s, limit: 1000}
	s.wire = w
	// Each write brings another record: somebody else must take over.
	drain, drained := s.drain, make(chan int32, 10)
	s.drain = func() {
		drained <- w.writes.Load()
		drain()
	}
	if err := s.Send([]byte("abcd"), nil, nil); err != nil {
		t.Error(err)
	}
	waitFor(t, "the rest to be written", func() bool { return w.writes.Load() == 1000 })
	s.Close()
	if n := <-drained; n != flushRounds || len(drained) > 0 {
		t.Errorf("the caller wrote %d times; %d more writers", n, len(drained))
	}
}

func TestWriteErrorEndsTheConnection(t *testing.T) {
	noLeak(t)
	nc := &script{}
	s := NewStream(nc, 0).(*stream)
	lost := errors.New("lost")
	s.wire = &busyWire{s: s, fail: lost}
	if err := s.Send([]byte("abcd"), []byte(pattern(20_000, 1)), nil); err != lost {
		t.Errorf("Send: %v", err)
	}
	if err := s.Send([]byte("abcd"), nil, nil); err != lost {
		t.Errorf("Send afterwards: %v", err)
	}
	if !nc.closed {
		t.Error("the connection was not closed")
	}
}
