//go:build !portable

package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func lowat(t *testing.T, nc *net.TCPConn) (n int) {
	t.Helper()
	rc, err := nc.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	rc.Control(func(fd uintptr) { n, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLowWaterMark follows SO_RCVLOWAT through a payload that comes in parts:
// it is up while much is missing, never above what is missing, and down again
// before anything short is waited for.
func TestLowWaterMark(t *testing.T) {
	noLeak(t)
	near, far := tcpPair(t)
	s := NewStream(near, 2<<20)
	c := &collector{}
	done := make(chan error)
	go func() { done <- s.Serve(c) }()
	in := fragment(true, sinkMessage(pattern(1_500_000, 1)))
	put := func(n int) {
		t.Helper()
		if _, err := io.WriteString(far, in[:n]); err != nil {
			t.Fatal(err)
		}
		in = in[n:]
	}
	is := func(want int) {
		t.Helper()
		waitFor(t, "the low-water mark", func() bool { return lowat(t, near) == want })
	}
	// risen waits for the mark to be what is missing in the payload: what is put at
	// once may come in parts, of which the reader sees some.
	risen := func(payload int) {
		t.Helper()
		waitFor(t, "the low-water mark", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			if payload >= len(c.sinks) {
				return false
			}
			s := c.sinks[payload]
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.got > HeadMax && lowat(t, near) == s.want-s.got
		})
	}
	is(1)
	put(4 + HeadMax)
	is(1 << 20)
	put(600_000)
	time.Sleep(20 * time.Millisecond) // time to be woken wrongly
	sink, _ := c.waitSunk(t, HeadMax-8)
	sink.mu.Lock()
	if sink.got > HeadMax {
		t.Error("the reader was woken below the mark")
	}
	sink.mu.Unlock()
	put(600_000)
	risen(0)
	put(len(in))
	waitFor(t, "the message", func() bool { return len(c.messages()) == 1 })
	is(1)

	// The stream ends while the mark is up.
	in = fragment(true, sinkMessage(pattern(1_000_000, 2)))
	put(500_000)
	risen(1)
	far.Close()
	if err := <-done; err != io.ErrUnexpectedEOF {
		t.Errorf("Serve: %v", err)
	}
	s.Abort()
}

// TestRoomForManyMarks: under a mark as high as the receive window, Linux 6.18
// never widens it. SO_RCVBUF counts the kernel's bookkeeping, too.
func TestRoomForManyMarks(t *testing.T) {
	noLeak(t)
	near, far := tcpPair(t)
	s := NewStream(near, 0)
	done := make(chan error)
	go func() { done <- s.Serve(&collector{}) }()
	io.WriteString(far, fragment(true, sinkMessage(pattern(1_000_000, 1)))[:10_000])
	waitFor(t, "the low-water mark", func() bool { return lowat(t, near) == 1_000_000-(10_000-(4+8)) })
	text, err := os.ReadFile("/proc/sys/net/ipv4/tcp_rmem")
	if err != nil {
		t.Fatal(err)
	}
	var least, usual, most int
	if _, err := fmt.Sscan(string(text), &least, &usual, &most); err != nil {
		t.Fatal(err)
	}
	rc, _ := near.SyscallConn()
	room := 0
	rc.Control(func(fd uintptr) { room, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) })
	if want := min(roomMin, most/2); room < want {
		t.Errorf("the socket has room for %d bytes, not %d", room, want)
	}
	s.Abort()
	<-done
}

func TestPeerAbortsWhileTheMarkIsUp(t *testing.T) {
	noLeak(t)
	near, far := tcpPair(t)
	s, peer := NewStream(near, 0), NewStream(far, 0)
	done := make(chan error)
	go func() { done <- s.Serve(&collector{}) }()
	io.WriteString(far, fragment(true, sinkMessage(pattern(1_000_000, 1)))[:100_000])
	waitFor(t, "the low-water mark", func() bool { return lowat(t, near) > 1 })
	peer.Abort()
	if err := <-done; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Serve: %v", err)
	}
	s.Abort()
}

// TestSmallReceiveBuffer has a mark that is above what the buffer holds: the
// kernel must wake the reader all the same.
func TestSmallReceiveBuffer(t *testing.T) {
	noLeak(t)
	near, far := tcpPair(t)
	if err := near.SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	s := NewStream(near, 0)
	payload := pattern(1<<20, 1)
	go func() {
		for range 4 {
			io.WriteString(far, fragment(true, sinkMessage(payload)))
		}
		far.Close()
	}()
	var c collector
	within(t, "Serve", func() {
		if err := s.Serve(&c); err != io.EOF {
			t.Errorf("Serve: %v", err)
		}
	})
	for _, m := range c.messages() {
		if m.sunk != payload {
			t.Error("the payload is not as it was sent")
		}
	}
	if len(c.messages()) != 4 {
		t.Errorf("%d messages", len(c.messages()))
	}
	s.Abort()
}

// TestPayloadsAreNotCopied counts what comes by way of the scratch buffer.
func TestPayloadsAreNotCopied(t *testing.T) {
	noLeak(t)
	near, far := tcpPair(t)
	w := newWire(near).(*sockWire)
	var s Sink
	dst := make([]byte, 1000)
	s.Reset(dst)
	s.Begin(1000)
	_, ticket := s.open()
	io.WriteString(far, strings.Repeat("x", 1000)+"the next")
	waitFor(t, "the bytes", func() bool {
		rc, _ := near.SyscallConn()
		n := 0
		rc.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
		return n == 1008
	})
	buf := make([]byte, 100)
	inSink, inBuf, err := w.read(&s, ticket, 1000, buf)
	if inSink != 1000 || inBuf != 8 || err != nil || string(buf[:8]) != "the next" || dst[999] != 'x' {
		t.Errorf("%d and %d bytes, %v", inSink, inBuf, err)
	}
}
