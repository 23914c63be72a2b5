package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// tinyPair returns the two ends of a connection whose buffers are as small as
// the kernel lets them be, 4608 bytes to send, and to receive 8192, bookkeeping
// included. (2304 are possible, but then TCP at times sends 432 bytes each
// 200 ms.) They must be so before the connection is: a window that was open once
// is waited for.
func tinyPair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	tiny := func(_, _ string, c syscall.RawConn) (err error) {
		e := c.Control(func(fd uintptr) {
			err = errors.Join(unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<10),
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 1))
		})
		return errors.Join(e, err)
	}
	ln, err := (&net.ListenConfig{Control: tiny}).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err = (&net.Dialer{Control: tiny}).Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if b, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// taker verifies the messages of testMessage, of which some may not come.
type taker struct {
	t   *testing.T
	got map[[2]int]int
}

func (k *taker) Place([]byte, int) (int, *Sink) { return 0, nil }

func (k *taker) Message(m *Buffer, _ *Sink) {
	defer m.Release()
	b := m.Bytes()
	if len(b) < 8 {
		k.t.Errorf("message of %d bytes", len(b))
		return
	}
	i, n := int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))
	head, payload := testMessage(i, n)
	if string(b) != string(head)+string(payload)+"\x00\x00\x00"[:-len(payload)&3] {
		k.t.Errorf("sender %d, message %d: bytes differ", i, n)
	}
	k.got[[2]int{i, n}]++
}

// TestTinyBuffers sends both ways at once through sockets that take a part of
// each record only: long payloads into sinks one way, many senders of whom some
// give up the other. What was sent comes once and whole; what was canceled does
// not come.
func TestTinyBuffers(t *testing.T) {
	for range 5 {
		if tinyBuffers(t) {
			return
		}
	}
	t.Error("five times the machine stood still for 200 ms, so that half-sent records were given up")
}

// tinyBuffers reports whether all went as fast as it should.
func tinyBuffers(t *testing.T) (inTime bool) {
	noLeak(t)
	inTime = true
	x, y := tinyPair(t)
	a, b := NewStream(x, 0), NewStream(y, 2<<20)
	var wg sync.WaitGroup
	var mu sync.Mutex // guards what follows
	want, canceled := map[[2]int]int{}, 0
	for i := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for n := range 12 {
				head, payload := testMessage(i, n)
				cancel := make(chan struct{})
				if n%2 == 1 {
					time.AfterFunc(time.Duration(r.IntN(5000))*time.Microsecond, func() { close(cancel) })
				}
				err := a.Send(head, payload, cancel)
				clear(head) // Send returned: they are ours again
				clear(payload)
				mu.Lock()
				switch err {
				case nil:
					want[[2]int{i, n}] = 1
				case ErrCanceled:
					canceled++
				case ErrStuck:
					inTime = false
				default:
					t.Errorf("sender %d, message %d: %v", i, n, err)
				}
				mu.Unlock()
			}
		})
	}
	const replies = 6
	payload := pattern(200_001, 1)
	head := []byte("SINK" + string(binary.BigEndian.AppendUint32(nil, uint32(len(payload)))))
	wg.Go(func() {
		for range replies {
			if err := b.Send(head, []byte(payload), nil); err != nil {
				return // then they do not come
			}
		}
	})
	k, c := &taker{t: t, got: map[[2]int]int{}}, new(collector)
	var serving sync.WaitGroup
	for _, s := range []struct {
		conn Conn
		r    Receiver
	}{{a, c}, {b, k}} {
		serving.Go(func() {
			s.conn.Serve(s.r)
		})
	}
	within(t, "sending", wg.Wait)
	if inTime {
		waitFor(t, "the last message", func() bool { return len(c.messages()) == replies })
	}
	if err := a.Close(); err != nil && inTime {
		t.Errorf("Close: %v", err)
	}
	within(t, "Serve", serving.Wait)
	b.Close()
	if !inTime {
		return false
	}
	if d := cmp.Diff(want, k.got); d != "" {
		t.Errorf("messages (-sent +received):\n%s", d)
	}
	for i, m := range c.messages() {
		if m.sunk != payload {
			t.Errorf("the other way: payload %d is not as it was sent", i)
		}
	}
	if len(want) == 0 || canceled == 0 {
		t.Errorf("%d were sent and %d canceled: nothing was tried", len(want), canceled)
	}
	return true
}
