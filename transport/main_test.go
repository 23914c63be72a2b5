package transport

import (
	"bytes"
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noLeak fails the test if buffers are out at its end that were not before.
func noLeak(t testing.TB) {
	before := Outstanding()
	t.Cleanup(func() {
		if n := Outstanding() - before; n != 0 {
			t.Errorf("%d buffers were not released", n)
		}
	})
}

// tcpPair returns the two ends of a connection over loopback.
func tcpPair(t testing.TB) (a, b *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	x, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	y, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close(); y.Close() })
	return x.(*net.TCPConn), y.(*net.TCPConn)
}

// received is a message as a collector saw it.
type received struct {
	msg  string // the message, or what came before the sink's bytes
	sunk string // the sink's bytes
}

// collector is a Receiver that keeps what it gets. Messages that begin with
// the word 'SINK' have, from byte 8 on, as many bytes for the sink as the word
// at byte 4 says.
type collector struct {
	mu    sync.Mutex
	got   []received
	sinks []*Sink // handed out
	dst   [][]byte
}

func (c *collector) Place(head []byte, length int) (int, *Sink) {
	if len(head) < 8 || string(head[:4]) != "SINK" {
		return 0, nil
	}
	n := int(binary.BigEndian.Uint32(head[4:]))
	off := 8
	if n > length { // far: the payload begins at byte 1000
		n, off = n&0xffff, 1000
	}
	s, dst := new(Sink), make([]byte, n+3)
	switch parts := n % 12; parts {
	case 0:
		s.Reset(dst)
	default: // scattered, with the last slice longer than needed
		s.Reset(nil)
		for i := range parts - 1 {
			s.Add(dst[i*n/parts : (i+1)*n/parts])
		}
		s.Add(dst[(parts-1)*n/parts:])
	}
	if !s.Begin(n) {
		panic("does not fit")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sinks, c.dst = append(c.sinks, s), append(c.dst, dst)
	return off, s
}

func (c *collector) Message(m *Buffer, sink *Sink) {
	r := received{msg: string(m.Bytes())}
	m.Release()
	c.mu.Lock()
	defer c.mu.Unlock()
	if sink != nil {
		dst := c.dst[len(c.dst)-1]
		n := min(sink.Len(), len(dst)-3)
		r.sunk = string(dst[:n])
		if !bytes.Equal(dst[n:], make([]byte, 3)) {
			panic("bytes behind the sink were written")
		}
	}
	c.got = append(c.got, r)
}

func (c *collector) messages() []received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]received(nil), c.got...)
}

// fragment returns one fragment on the wire.
func fragment(last bool, body string) string {
	w := uint32(len(body))
	if last {
		w |= lastFragment
	}
	return string(binary.BigEndian.AppendUint32(nil, w)) + body
}

// sinkMessage returns a message of which payload goes to a sink.
func sinkMessage(payload string) string {
	return "SINK" + string(binary.BigEndian.AppendUint32(nil, uint32(len(payload)))) + payload + "\x00\x00\x00"[:-len(payload)&3]
}

// pattern returns n bytes that differ by place.
func pattern(n int, seed uint32) string {
	b := make([]byte, 0, n+4)
	x := seed*2654435761 + 1
	for len(b) < n {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return string(b[:n])
}

// within fails the test if f takes absurdly long.
func within(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { f(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: not done after 30 s", what)
	}
}
