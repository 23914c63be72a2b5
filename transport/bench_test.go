package transport

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
)

// server answers: a message of n bytes, its first word a serial number, its
// second a reply size, is answered with the serial number and so many bytes.
type server struct {
	c    Conn
	data []byte
}

func (s *server) Place([]byte, int) (int, *Sink) { return 0, nil }

func (s *server) Message(m *Buffer, _ *Sink) {
	b := m.Bytes()
	n := binary.BigEndian.Uint32(b[4:])
	if n > 1000 { // as the data of a READ, borrowed
		s.c.Send(b[:128], s.data[:n], nil)
	} else {
		s.c.Send(b[:128], nil, nil)
	}
	m.Release()
}

// caller is the receiving side: 256 slots.
type caller struct {
	slots [256]struct {
		sink *Sink
		n    int
		done chan struct{}
	}
}

func (c *caller) Place(head []byte, length int) (int, *Sink) {
	s := &c.slots[binary.BigEndian.Uint32(head)&255]
	if s.sink == nil || !s.sink.Begin(s.n) {
		return 0, nil
	}
	return 128, s.sink
}

func (c *caller) Message(m *Buffer, _ *Sink) {
	slot := binary.BigEndian.Uint32(m.Bytes()) & 255
	m.Release()
	c.slots[slot].done <- struct{}{}
}

// bench runs b.N calls from depth goroutines: requests of request bytes beside
// payload, replies of reply bytes, into a sink if that is many.
func bench(b *testing.B, depth, payload, reply int, open func() (Conn, Conn)) {
	a, z := open()
	srv := &server{c: z, data: make([]byte, reply)}
	cl := new(caller)
	var served sync.WaitGroup
	served.Go(func() { a.Serve(cl) })
	served.Go(func() { z.Serve(srv) })
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.SetBytes(int64(max(payload, reply)))
	next := make(chan struct{}, depth)
	b.ResetTimer()
	for i := range depth {
		s := &cl.slots[i]
		s.done = make(chan struct{}, 1)
		if reply > 1000 {
			s.sink, s.n = new(Sink), reply
		}
		wg.Go(func() {
			head := make([]byte, 136)
			binary.BigEndian.PutUint32(head, uint32(i))
			binary.BigEndian.PutUint32(head[4:], uint32(reply))
			dst := make([]byte, reply)
			var src []byte
			if payload > 0 {
				src = make([]byte, payload)
			}
			for range next {
				if s.sink != nil {
					s.sink.Reset(dst)
				}
				if err := a.Send(head, src, nil); err != nil {
					b.Error(err)
				}
				<-s.done
			}
		})
	}
	for range b.N {
		next <- struct{}{}
	}
	close(next)
	wg.Wait()
	b.StopTimer()
	a.Close()
	z.Close()
	served.Wait()
}

func BenchmarkStream(b *testing.B) {
	for _, tt := range []struct {
		name                  string
		depth, payload, reply int
	}{
		{"small", 1, 0, 0}, {"small", 32, 0, 0},
		{"read4K", 1, 0, 4 << 10}, {"read4K", 32, 0, 4 << 10},
		{"read64K", 16, 0, 64 << 10},
		{"read1M", 1, 0, 1 << 20}, {"read1M", 8, 0, 1 << 20},
		{"write4K", 32, 4 << 10, 0}, {"write64K", 16, 64 << 10, 0},
		{"write1M", 2, 1 << 20, 0}, {"write1M", 8, 1 << 20, 0},
	} {
		b.Run(fmt.Sprintf("%s/depth=%d", tt.name, tt.depth), func(b *testing.B) {
			bench(b, tt.depth, tt.payload, tt.reply, func() (Conn, Conn) {
				x, y := tcpPair(b)
				return NewStream(x, 0), NewStream(y, 0)
			})
		})
	}
}
