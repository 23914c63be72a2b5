package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// places calls f with the numbers of bytes after which something may happen to a
// record: 0 to last. But for make soak, it takes only each seventh of those in
// the middle of the payload, which are all alike.
func places(last int, f func(k int)) {
	step := 7
	if os.Getenv("GONFS_SOAK") != "" {
		step = 1
	}
	for k := 0; k <= last; k++ {
		f(k)
		if k > 100 && k < last-100 {
			k += step - 1
		}
	}
}

// cutRecord is a record whose payload is lent, as the queue does not copy it,
// until lent bytes of it have left: all but the padding.
func cutRecord() (head, payload []byte, wire string, lent int) {
	head, payload = []byte("headhead"), []byte(pattern(smallRecord+1, 1))
	wire = fragment(true, string(head)+string(payload)+"\x00\x00\x00")
	return head, payload, wire, len(wire) - 3
}

// TestSendCanceledAtEachByte stops the wire after k bytes of a record, for each
// k, and cancels it. If nothing has left nothing does; if a part has, the record
// owns the connection until it is whole, or the connection is broken, and then
// nothing follows it. What waits behind it comes to no harm, or is told.
func TestSendCanceledAtEachByte(t *testing.T) {
	head, payload, wire, lent := cutRecord()
	second := fragment(true, "second")
	for _, waits := range []bool{false, true} {
		for _, late := range []bool{false, true} { // the peer reads on, but just not in time
			synctest.Test(t, func(t *testing.T) {
				places(lent-1, func(k int) {
					what := fmt.Sprintf("waits %v, too late %v, %d bytes have left", waits, late, k)
					s, p := newTapped(waits, k)
					cancel := make(chan struct{})
					first, next := make(chan error, 1), make(chan error, 1)
					go func() { first <- s.Send(head, payload, cancel) }()
					synctest.Wait()
					go func() { next <- s.Send([]byte("second"), nil, nil) }()
					synctest.Wait()
					began := time.Now()
					close(cancel)
					synctest.Wait()
					free := k == 0 && !waits // a write that waits cannot be taken back
					if time.Sleep(patience - 1); !late {
						p.open(1<<20, nil)
					}
					err := <-first
					took := time.Since(began)
					synctest.Wait()
					p.open(1<<20, nil)
					synctest.Wait()
					want, wantErr, after := wire+second, error(nil), error(nil)
					switch {
					case free:
						want, wantErr = second, ErrCanceled
					case late:
						want, wantErr, after = wire[:k], ErrStuck, ErrStuck
					}
					if err != wantErr || took > patience || wantErr == ErrStuck && took != patience {
						t.Errorf("%s: Send: %v after %v, want %v", what, err, took, wantErr)
					}
					if err := <-next; err != nil { // it was queued
						t.Errorf("%s: the next Send: %v", what, err)
					}
					if err := s.Send([]byte("third"), nil, nil); err != after {
						t.Errorf("%s: a later Send: %v, want %v", what, err, after)
					}
					synctest.Wait()
					if after == nil {
						want += fragment(true, "third")
					}
					if got := p.got(); got != want {
						t.Errorf("%s: %d bytes came, want %d", what, len(got), len(want))
					}
					s.Abort()
					synctest.Wait()
				})
			})
		}
	}
}

// TestPeerDiesAtEachByteOfASend breaks the connection when k bytes of a record
// have left, for each k: its sender and those who wait behind it are told, and
// nothing more is written.
func TestPeerDiesAtEachByteOfASend(t *testing.T) {
	head, payload, wire, lent := cutRecord()
	for _, waits := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			places(lent-1, func(k int) {
				s, p := newTapped(waits, k)
				res := make(chan error, 2)
				go func() { res <- s.Send(head, payload, nil) }()
				synctest.Wait()
				go func() { res <- s.Send(head, payload, nil) }()
				synctest.Wait()
				p.open(0, syscall.ECONNRESET)
				for range 2 {
					if err := <-res; !errors.Is(err, syscall.ECONNRESET) {
						t.Errorf("waits %v, %d bytes have left: Send: %v", waits, k, err)
					}
				}
				p.open(1<<20, nil)
				if err := s.Send(head, nil, nil); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("waits %v, %d bytes have left: a later Send: %v", waits, k, err)
				}
				synctest.Wait()
				if got := p.got(); got != wire[:k] {
					t.Errorf("waits %v: %d bytes came, want %d", waits, len(got), k)
				}
				s.Abort()
			})
		})
	}
}

// TestDribble has a peer that sends a byte a second: each message is there with
// its last byte, and what a reader gave up in between is no one's.
func TestDribble(t *testing.T) {
	payload := pattern(HeadMax, 1)
	in := fragment(true, "small") + fragment(true, sinkMessage(payload)) + cut(50, sinkMessage(payload)) + fragment(true, "last")
	whole := []int{9, 9 + 12 + len(payload), len(in) - 8, len(in)} // after so many bytes a message more is there
	synctest.Test(t, func(t *testing.T) {
		noLeak(t)
		near, far := net.Pipe()
		s, c, done := NewStream(near, 0), new(collector), make(chan error)
		go func() { done <- s.Serve(c) }()
		began := time.Now()
		for i := range len(in) {
			time.Sleep(time.Second)
			io.WriteString(far, in[i:i+1])
			synctest.Wait()
			want := 0
			for want < len(whole) && whole[want] <= i+1 {
				want++
			}
			if got := len(c.messages()); got != want {
				t.Fatalf("%d messages after %d bytes, want %d", got, i+1, want)
			}
		}
		if took := time.Since(began); took != time.Duration(len(in))*time.Second {
			t.Errorf("took %v", took)
		}
		for i, m := range c.messages()[1:3] {
			if m.sunk != payload {
				t.Errorf("payload %d is not as it was sent", i)
			}
		}
		far.Close()
		if err := <-done; err != io.EOF {
			t.Error(err)
		}
		s.Close()
	})
}

// TestPeerThatTakesAByteASecond is TestDribble the other way: who sends waits
// for the own record alone, and Close for a second.
func TestPeerThatTakesAByteASecond(t *testing.T) {
	head, payload, wire, lent := cutRecord()
	for _, waits := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, p := newTapped(waits, 0)
			first := make(chan error, 1)
			go func() { first <- s.Send(head, payload, nil) }()
			synctest.Wait()
			for i := range 100 { // small ones do not wait
				began := time.Now()
				if err := s.Send([]byte("small"), nil, nil); err != nil || time.Since(began) > 0 {
					t.Fatalf("small Send %d: %v after %v", i, err, time.Since(began))
				}
			}
			for i := range len(wire) {
				time.Sleep(time.Second)
				p.open(1, nil)
				synctest.Wait()
				if got := p.got(); got != wire[:i+1] || len(first) > 0 && i+1 < lent {
					t.Fatalf("after %d s: %d bytes came, %d Sends have returned", i+1, len(got), len(first))
				}
			}
			if err := <-first; err != nil {
				t.Error(err)
			}
			began := time.Now()
			if err := s.Close(); err != ErrStuck || time.Since(began) != closeTime {
				t.Errorf("Close: %v after %v", err, time.Since(began))
			}
		})
	}
}
