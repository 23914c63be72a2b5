package nfstest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func memPair(packets bool) (near, far *memConn) {
	return newMemPipe(packets, memAddr("tcp", 1), memAddr("tcp", 2))
}

func TestMemConnCarriesBytesInOrder(t *testing.T) {
	near, far := memPair(false)
	want := make([]byte, 3*memBytes) // more than fits: Write must wait
	for i := range want {
		want[i] = byte(i * 7)
	}
	go func() {
		near.Write(want)
		near.Close()
	}()
	got, err := io.ReadAll(far)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %d bytes, %v; want %d", len(got), err, len(want))
	}
}

func TestMemConnEndsAsSocketsDo(t *testing.T) {
	tests := map[string]struct {
		do        func(near, far *memConn)
		read      string // what far reads before
		readErr   error
		writeErr  error // what far gets for writing
		ownErr    error // what near gets for reading
		ownWriErr error
	}{
		"closed":      {func(n, _ *memConn) { n.Close() }, "sent", io.EOF, syscall.ECONNRESET, net.ErrClosed, net.ErrClosed},
		"reset":       {func(n, _ *memConn) { n.reset() }, "sent", syscall.ECONNRESET, syscall.ECONNRESET, net.ErrClosed, net.ErrClosed},
		"half closed": {func(n, _ *memConn) { n.CloseWrite() }, "sent", io.EOF, nil, nil, net.ErrClosed},
		"both closed": {func(n, f *memConn) { n.Close(); f.Close() }, "", net.ErrClosed, net.ErrClosed, net.ErrClosed, net.ErrClosed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			near, far := memPair(false)
			if _, err := near.Write([]byte("sent")); err != nil {
				t.Fatal(err)
			}
			tt.do(near, far)
			got, err := io.ReadAll(far)
			if err == nil {
				err = io.EOF
			}
			if string(got) != tt.read || !errors.Is(err, tt.readErr) {
				t.Errorf("the other end read %q, %v; want %q, %v", got, err, tt.read, tt.readErr)
			}
			if _, err := far.Write([]byte("x")); !errors.Is(err, tt.writeErr) {
				t.Errorf("the other end wrote: %v; want %v", err, tt.writeErr)
			}
			if _, err := near.Read(make([]byte, 1)); !errors.Is(err, tt.ownErr) {
				t.Errorf("this end read: %v; want %v", err, tt.ownErr)
			}
			if _, err := near.Write([]byte("x")); !errors.Is(err, tt.ownWriErr) {
				t.Errorf("this end wrote: %v; want %v", err, tt.ownWriErr)
			}
		})
	}
}

func TestMemConnDatagramsKeepTheirBounds(t *testing.T) {
	near, far := memPair(true)
	near.Write([]byte("first"))
	near.Write([]byte("second"))
	p := make([]byte, 3)
	n, err := far.Read(p)
	if string(p[:n]) != "fir" || err != nil {
		t.Errorf("read %q, %v", p[:n], err)
	}
	p = make([]byte, 100)
	if n, err = far.Read(p); string(p[:n]) != "second" || err != nil {
		t.Errorf("read %q, %v", p[:n], err)
	}
	for range 2 * memPackets { // nobody reads: the rest is lost, and Write does not wait
		if _, err := near.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMemConnObeysDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _ := memPair(false)
		start := time.Now()
		read := func() error { _, err := near.Read(make([]byte, 1)); return err }
		near.SetReadDeadline(start.Add(time.Minute))
		if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("once more: %v", err)
		}
		var timeout net.Error
		if err := read(); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v is no timeout", err)
		}
		near.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Hour)
			near.SetReadDeadline(time.Now()) // wakes the reader
		}()
		if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour+time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		near.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := near.Write(make([]byte, 2*memBytes)); n != memBytes || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d: %v", n, err)
		}
	})
}
