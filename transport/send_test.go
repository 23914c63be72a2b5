package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// message n of sender i: a head that names both, and for some a payload.
func testMessage(i, n int) (head, payload []byte) {
	r := rand.New(rand.NewPCG(uint64(i), uint64(n)))
	size := 0
	switch r.IntN(6) {
	case 0:
		size = 1 + r.IntN(100)
	case 1:
		size = 1 + r.IntN(70_000)
	case 2:
		size = 1 + r.IntN(1<<20)
	}
	hlen := 4 * r.IntN(40)
	if r.IntN(20) == 0 {
		hlen = 4 * r.IntN(10_000) // as a server's READDIRPLUS
	}
	head = binary.BigEndian.AppendUint32(nil, uint32(i))
	head = binary.BigEndian.AppendUint32(head, uint32(n))
	head = append(head, pattern(hlen, uint32(i+n))...)
	if size > 0 {
		payload = []byte(pattern(size, uint32(i*n)))
	}
	return head, payload
}

// checker verifies the messages of testMessage: each comes once, whole, and
// those of one sender in order.
type checker struct {
	t     *testing.T
	next  map[int]int
	bytes int
	slow  bool
}

func (c *checker) Place([]byte, int) (int, *Sink) { return 0, nil }

func (c *checker) Message(m *Buffer, _ *Sink) {
	defer m.Release()
	b := m.Bytes()
	if len(b) < 8 {
		c.t.Errorf("message of %d bytes", len(b))
		return
	}
	i, n := int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))
	if want := c.next[i]; n != want {
		c.t.Errorf("sender %d: message %d came where %d was due", i, n, want)
	}
	c.next[i] = n + 1
	head, payload := testMessage(i, n)
	want := string(head) + string(payload) + "\x00\x00\x00"[:-len(payload)&3]
	if string(b) != want {
		c.t.Errorf("sender %d, message %d: bytes differ", i, n)
	}
	c.bytes += len(b)
	if c.slow && rand.IntN(8) == 0 {
		time.Sleep(time.Millisecond)
	}
}

// TestManySenders lets many goroutines send through one connection, with a
// send buffer that makes nearly every write a partial one, and a slow peer.
func TestManySenders(t *testing.T) {
	for _, tt := range []struct {
		name string
		open func(t *testing.T) (a, b net.Conn)
		slow bool
		each int
	}{
		{"over TCP", func(t *testing.T) (net.Conn, net.Conn) { x, y := tcpPair(t); return x, y }, false, 8},
		{"over TCP with tiny buffers and a slow peer", func(t *testing.T) (net.Conn, net.Conn) {
			x, y := tcpPair(t)
			x.SetWriteBuffer(4 << 10)
			return x, y
		}, true, 3},
		{"over a net.Conn", func(t *testing.T) (net.Conn, net.Conn) { return net.Pipe() }, false, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeak(t)
			x, y := tt.open(t)
			a, b := NewStream(x, 0), NewStream(y, 2<<20)
			const senders = 16
			var wg sync.WaitGroup
			for i := range senders {
				wg.Go(func() {
					for n := range tt.each {
						head, payload := testMessage(i, n)
						if err := a.Send(head, payload, nil); err != nil {
							t.Errorf("Send: %v", err)
							return
						}
						clear(head) // Send returned: they are ours again
						clear(payload)
					}
				})
			}
			go func() {
				wg.Wait()
				if err := a.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			c := &checker{t: t, next: map[int]int{}, slow: tt.slow}
			if err := b.Serve(c); err != io.EOF {
				t.Errorf("Serve: %v", err)
			}
			for i := range senders {
				if c.next[i] != tt.each {
					t.Errorf("sender %d: %d messages came, want %d", i, c.next[i], tt.each)
				}
			}
			b.Close()
		})
	}
}

// stuckPair returns a stream whose peer reads nothing, and which is full: a
// record with a payload has begun to leave and cannot. widen makes room again,
// so that reading it does not take for ever.
func stuckPair(t *testing.T) (s *stream, peer net.Conn, first <-chan error, cancelFirst chan struct{}) {
	t.Helper()
	x, y := tcpPair(t)
	x.SetWriteBuffer(4 << 10)
	s = NewStream(x, 0).(*stream)
	cancelFirst = make(chan struct{})
	res := make(chan error, 1)
	go func() { res <- s.Send([]byte("head"), []byte(pattern(1<<20, 1)), cancelFirst) }()
	waitFor(t, "the first record to be on its way", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.wire.waits() { // all that can be seen is that a write has begun
			return s.out.taken > 0
		}
		return s.out.part > 0 && s.out.pos == s.out.taken
	})
	return s, y, res, cancelFirst
}

func widen(s *stream) { s.nc.(*net.TCPConn).SetWriteBuffer(1 << 20) }

// waitFor polls until f holds.
func waitFor(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (s *stream) queued() (loans, small int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.out.loans) - s.out.next, s.out.small()
}

func TestCancelOfAQueuedPayloadLeavesTheConnectionInStep(t *testing.T) {
	noLeak(t)
	s, peer, first, _ := stuckPair(t)
	const n = 12
	cancel := make(chan struct{})
	res := make(chan error, n)
	for i := range n {
		go func() { // each second one is canceled
			var c chan struct{}
			if i%2 == 0 {
				c = cancel
			}
			err := s.Send(fmt.Appendf(nil, "head%04d", i), []byte(pattern(10001+i, uint32(i))), c)
			if i%2 == 0 && err != ErrCanceled || i%2 == 1 && err != nil {
				err = fmt.Errorf("sender %d: %v", i, err)
			} else {
				err = nil
			}
			res <- err
		}()
	}
	waitFor(t, "all to be queued", func() bool { l, _ := s.queued(); return l == n+1 })
	if err := s.Send([]byte("small001"), nil, nil); err != nil {
		t.Fatal(err)
	}
	close(cancel)
	for range n / 2 {
		if err := <-res; err != nil {
			t.Error(err)
		}
	}
	widen(s)
	b := NewStream(peer, 2<<20)
	go func() {
		for range n / 2 {
			if err := <-res; err != nil {
				t.Error(err)
			}
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
		s.Close()
	}()
	var c collector
	if err := b.Serve(&c); err != io.EOF {
		t.Errorf("Serve: %v", err)
	}
	got := c.messages()
	if len(got) != 2+n/2 {
		t.Fatalf("%d messages, want %d", len(got), 2+n/2)
	}
	if want := "head" + pattern(1<<20, 1); got[0].msg != want {
		t.Error("the first message is not as it was sent")
	}
	for _, m := range got[1:] {
		if m.msg == "small001" {
			continue
		}
		var i int
		fmt.Sscanf(m.msg[4:8], "%d", &i)
		want := fmt.Sprintf("head%04d", i) + pattern(10001+i, uint32(i)) + "\x00\x00\x00"[:-(10001+i)&3]
		if i%2 == 0 || m.msg != want {
			t.Errorf("message %d: %q", i, m.msg)
		}
	}
	b.Close()
}

func TestCancelOfAStuckPayloadBreaksTheConnection(t *testing.T) {
	noLeak(t)
	s, peer, first, cancelFirst := stuckPair(t)
	served := make(chan error, 1)
	go func() { served <- s.Serve(&collector{}) }()
	second := make(chan error, 1)
	go func() { second <- s.Send([]byte("head"), []byte(pattern(10000, 2)), nil) }()
	waitFor(t, "the second to be queued", func() bool { l, _ := s.queued(); return l == 2 })
	begin := time.Now()
	close(cancelFirst)
	for i, c := range []<-chan error{first, second, served} {
		if err := <-c; err != ErrStuck {
			t.Errorf("result %d: %v, want %v", i, err, ErrStuck)
		}
	}
	if d := time.Since(begin); d < patience {
		t.Errorf("broken after %v, before %v", d, patience)
	}
	if err := s.Send([]byte("more"), nil, nil); err != ErrStuck {
		t.Errorf("Send afterwards: %v", err)
	}
	// The peer sees an RST after at most a part of the first record.
	n, err := io.Copy(io.Discard, peer)
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the peer reads %d bytes and then %v, want a reset", n, err)
	}
	if n >= 1<<20 {
		t.Errorf("the peer got %d bytes", n)
	}
}

func TestCanceledPayloadThatLeavesInTimeIsSent(t *testing.T) {
	noLeak(t)
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		s := NewStream(near, 0)
		cancel, sent := make(chan struct{}), make(chan error, 1)
		go func() { sent <- s.Send([]byte("head"), []byte(pattern(1<<20, 1)), cancel) }()
		synctest.Wait() // nobody reads
		close(cancel)
		time.Sleep(patience * 9 / 10)
		go io.Copy(io.Discard, far) // ends with s
		if err := <-sent; err != nil {
			t.Errorf("Send: %v", err)
		}
		if err := s.Send([]byte("more"), nil, nil); err != nil {
			t.Errorf("the connection is broken: %v", err)
		}
		s.Close()
	})
	// And over TCP, where a machine that has much to do may be late.
	s, peer, first, cancelFirst := stuckPair(t)
	widen(s)
	begin := time.Now()
	close(cancelFirst)
	go io.Copy(io.Discard, peer)
	if err := <-first; err == ErrStuck && time.Since(begin) > patience {
		t.Logf("it took more than %v", patience)
	} else if err != nil {
		t.Errorf("Send: %v", err)
	} else if err := s.Send([]byte("more"), nil, nil); err != nil {
		t.Errorf("the connection is broken: %v", err)
	}
	s.Close()
}

func TestSmallSendsDoNotWaitForAStuckPeerUntilTheQueueIsFull(t *testing.T) {
	noLeak(t)
	s, _, first, _ := stuckPair(t)
	head := make([]byte, 1000)
	within(t, "small sends", func() {
		for _, small := s.queued(); small <= queueLimit; _, small = s.queued() {
			if err := s.Send(head, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	})
	cancel, res := make(chan struct{}), make(chan error, 1)
	go func() { res <- s.Send(head, nil, cancel) }()
	waitFor(t, "the next one to wait", func() bool { l, _ := s.queued(); return l == 2 })
	close(cancel)
	if err := <-res; err != ErrCanceled {
		t.Errorf("Send on a full queue: %v", err)
	}
	s.Abort()
	if err := <-first; err != net.ErrClosed {
		t.Errorf("Send of the aborted: %v", err)
	}
}
