package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestCloseSendsWhatIsQueued(t *testing.T) {
	noLeak(t)
	s, peer, first, _ := stuckPair(t)
	for i := range 100 {
		if err := s.Send(fmt.Appendf(nil, "small%03d", i), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	waitFor(t, "Close to begin", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.closing
	})
	if err := s.Send([]byte("late"), nil, nil); err != net.ErrClosed {
		t.Errorf("Send while closing: %v", err)
	}
	widen(s)
	b, err := io.ReadAll(peer)
	if err != nil || <-closed != nil || <-first != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(b), fragment(true, "small098")+fragment(true, "small099")) || len(b) != 4+4+1<<20+100*12 {
		t.Errorf("%d bytes came, ending in %q", len(b), b[len(b)-30:])
	}
}

func TestCloseGivesAStuckPeerUp(t *testing.T) {
	noLeak(t)
	s, peer, first, _ := stuckPair(t)
	if err := s.Close(); err != ErrStuck {
		t.Errorf("Close: %v", err)
	}
	if err := <-first; err != ErrStuck {
		t.Errorf("Send: %v", err)
	}
	if _, err := io.Copy(io.Discard, peer); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the peer sees %v, want a reset", err)
	}
}

func TestEndsOfStreams(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(local, peer Conn)
		want error // of the local end's Serve
		is   error
	}{
		{"Close", func(l, p Conn) { l.Close() }, net.ErrClosed, nil},
		{"Close twice", func(l, p Conn) { l.Close(); l.Close() }, net.ErrClosed, nil},
		{"Abort", func(l, p Conn) { l.Abort() }, net.ErrClosed, nil},
		{"Abort after Close", func(l, p Conn) { l.Close(); l.Abort() }, net.ErrClosed, nil},
		{"Close by the peer", func(l, p Conn) { p.Close() }, io.EOF, nil},
		{"Abort by the peer", func(l, p Conn) { p.Abort() }, nil, syscall.ECONNRESET},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeak(t)
			x, y := tcpPair(t)
			a, b := NewStream(x, 0), NewStream(y, 0)
			done := make(chan error, 1)
			go func() { done <- a.Serve(&collector{}) }()
			tt.end(a, b)
			err := <-done
			if tt.want != nil && err != tt.want || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("Serve: %v", err)
			}
			a.Abort()
			b.Abort()
			if err := a.Send([]byte("abcd"), nil, nil); err != net.ErrClosed {
				t.Errorf("Send afterwards: %v", err)
			}
			if err := a.Serve(&collector{}); err != net.ErrClosed {
				t.Errorf("Serve afterwards: %v", err)
			}
		})
	}
}

// wrapped is a connection around another, as TLS is.
type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }
func (w wrapped) Close() error      { return nil } // waits to send a farewell

func TestAbortReachesThroughAWrapper(t *testing.T) {
	noLeak(t)
	x, y := tcpPair(t)
	s := NewStream(wrapped{x}, 0)
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
	if _, err := y.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the peer sees %v, want a reset", err)
	}
}

// TestPeerResetsWhileAllSend makes writes fail, inline and in the writer
// goroutine.
func TestPeerResetsWhileAllSend(t *testing.T) {
	for round := range 12 {
		noLeak(t)
		x, y := tcpPair(t)
		a, b := NewStream(x, 0), NewStream(y, 2<<20)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for n := 0; ; n++ {
					head, payload := testMessage(i, n)
					if err := a.Send(head, payload, nil); err != nil {
						if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
							t.Errorf("Send: %v", err)
						}
						return
					}
				}
			})
		}
		time.Sleep(time.Duration(round%10) * time.Millisecond)
		b.Abort()
		within(t, "sending", wg.Wait)
		within(t, "Serve", func() {
			if err := a.Serve(&collector{}); err == nil || err == io.EOF {
				t.Errorf("Serve: %v", err)
			}
		})
		a.Abort()
	}
}

// TestCloseWhileAllSend closes and aborts under load: every Send returns, and
// nothing is left behind.
func TestCloseWhileAllSend(t *testing.T) {
	for round := range 10 {
		noLeak(t)
		x, y := tcpPair(t)
		x.SetWriteBuffer(4 << 10)
		a, b := NewStream(x, 0), NewStream(y, 2<<20)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for n := 0; ; n++ {
					head, payload := testMessage(i, n)
					if err := a.Send(head, payload, nil); err != nil {
						if err != net.ErrClosed && err != ErrStuck {
							t.Errorf("Send: %v", err)
						}
						return
					}
				}
			})
		}
		wg.Go(func() { b.Serve(&checker{t: t, next: map[int]int{}}) })
		wg.Go(func() { a.Serve(&collector{}) })
		time.Sleep(time.Duration(round) * time.Millisecond)
		if round%2 == 0 {
			a.Abort()
		} else if err := a.Close(); err != nil && err != ErrStuck { // a slow machine
			t.Errorf("Close: %v", err)
		}
		wg.Wait()
		b.Abort()
	}
}
