package rpc

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// What the peer does not take holds up its own call alone, and no longer than its
// caller waits.
func TestSendThatBlocks(t *testing.T) {
	big := &opaque{bytes.Repeat([]byte{1}, 1<<20)}
	for _, tt := range []struct {
		name   string
		args   xdr.Value
		policy Policy
		ctx    func(context.Context) context.Context
		err    error
		min    time.Duration
		max    time.Duration
	}{
		{"cancelled", big, Policy{}, func(c context.Context) context.Context { return c }, context.Canceled, seconds(3), seconds(4)},
		{"a long call without a payload", &long{20 << 10}, Policy{}, func(c context.Context) context.Context { return c }, context.Canceled, seconds(3), seconds(4)},
		{"cancelled, but the caller waits on for a while", big, Policy{},
			func(c context.Context) context.Context { return &giveUp{Context: c, after: 3} }, context.Canceled, 3600e6, 4600e6},
		{"soft: the major timeout", big, TCPPolicy(500*time.Millisecond, 2, Soft),
			func(context.Context) context.Context { return context.Background() }, syscall.EIO, 1500e6, 2000e6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				stuck := make(chan struct{})
				w.wrap = func(c transport.Conn) transport.Conn { return &stuckConn{Conn: c, stuck: stuck} }
				c := w.client(tt.policy)
				defer close(stuck)
				ctx, cancel := context.WithCancel(context.Background())
				defer time.AfterFunc(seconds(3), cancel).Stop()
				k := &Call{Proc: procEcho, Args: tt.args}
				err := c.Call(tt.ctx(ctx), k)
				took := time.Since(w.began)
				if !errors.Is(err, tt.err) || took < tt.min || took > tt.max || k.Transmissions != 0 {
					t.Errorf("got %v after %v, %d transmissions", err, took, k.Transmissions)
				}
				synctest.Wait()
				small := goCall(context.Background(), c, &Call{})
				synctest.Wait()
				p := <-w.peers
				for len(w.peers) > 0 {
					p = <-w.peers
				}
				p.ok(p.next().xid)
				if err := <-small; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// long is an argument of so many bytes that is not borrowed.
type long struct{ n int }

func (l *long) XDR(c *xdr.Codec) { c.Fixed(make([]byte, l.n)) }

// A call may find much that waits for the peer: a short one if others were given up,
// or if it is sent again.
func TestAShortSendThatBlocks(t *testing.T) {
	for _, tt := range []struct {
		name string
		from int // the transmission that blocks
		ctx  func(context.Context) context.Context
	}{
		{"the first transmission", 1, func(c context.Context) context.Context { return c }},
		{"the first, and the caller waits on for a while", 1, func(c context.Context) context.Context { return &giveUp{Context: c, after: 3} }},
		{"the second", 2, func(c context.Context) context.Context { return c }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				stuck := make(chan struct{})
				defer close(stuck)
				sends := 0
				w.wrap = func(c transport.Conn) transport.Conn {
					return &stuckConn{c, stuck, func([]byte, []byte) bool { sends++; return sends >= tt.from }}
				}
				c := w.client(TCPPolicy(seconds(1), 5, Hard))
				ctx, cancel := context.WithCancel(context.Background())
				defer time.AfterFunc(seconds(3), cancel).Stop()
				err := c.Call(tt.ctx(ctx), &Call{})
				if took := time.Since(w.began); !errors.Is(err, context.Canceled) || took < seconds(3) || took > seconds(5) {
					t.Errorf("got %v after %v", err, took)
				}
			})
		})
	}
}

// The server has had no time to answer what has not left.
func TestTheTimeoutOfALongCallBeginsWhenItHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.wrap = func(c transport.Conn) transport.Conn { return &slowConn{c, 1500 * time.Millisecond} }
		c := w.client(TCPPolicy(seconds(2), 5, Hard))
		first := goCall(context.Background(), c, &Call{})
		p := <-w.peers
		p.ok(p.next().xid)
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		done := goCall(context.Background(), c, &Call{Args: &long{20 << 10}})
		p.next()
		h := p.next()
		if again := time.Since(began) - 1500*time.Millisecond; again != 3500*time.Millisecond {
			t.Errorf("it was sent again after %v", again)
		}
		p.ok(h.xid)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// stuckConn never begins to send what stalls says, or else what a stream does not
// copy.
type stuckConn struct {
	transport.Conn
	stuck  chan struct{}
	stalls func(head, payload []byte) bool
}

func (c *stuckConn) Send(head, payload []byte, cancel <-chan struct{}) error {
	stalls := len(payload) > 0 || len(head) > 9<<10
	if c.stalls != nil {
		stalls = c.stalls(head, payload)
	}
	if !stalls {
		return c.Conn.Send(head, payload, cancel)
	}
	select {
	case <-cancel:
	case <-c.stuck:
	}
	return transport.ErrCanceled
}

func TestErrorsOfSend(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name   string
		err    error
		policy Policy
		want   error // of the call; nil: it succeeds
		sends  int
		dials  int
	}{
		{"a broken connection is replaced", broken, Policy{}, nil, 2, 2},
		{"a message too long fails its call alone", &transport.SizeError{Size: 9, Max: 8}, Policy{}, &transport.SizeError{Size: 9, Max: 8}, 0, 1},
		{"a refused datagram is asked again", &transport.RefusedError{Err: syscall.ECONNREFUSED}, TCPPolicy(seconds(1), 1, Hard), nil, 2, 1},
		{"a refused datagram ends a ping", &transport.RefusedError{Err: syscall.ECONNREFUSED}, Policy{SoftConn: true}, syscall.ECONNREFUSED, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				var once sync.Once
				w.wrap = func(c transport.Conn) transport.Conn {
					return &failConn{Conn: c, fail: func() (err error) { once.Do(func() { err = tt.err }); return err }}
				}
				c := w.client(tt.policy)
				k := &Call{}
				done := goCall(context.Background(), c, k)
				synctest.Wait()
				if tt.want == nil {
					for range tt.dials - 1 {
						<-w.peers
					}
					p := <-w.peers
					p.ok(p.next().xid)
				}
				if err := <-done; !errors.Is(err, tt.want) && !reflect.DeepEqual(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if k.Transmissions != tt.sends || len(w.dialTimes()) != tt.dials {
					t.Errorf("%d transmissions on %d connections, want %d on %d", k.Transmissions, len(w.dialTimes()), tt.sends, tt.dials)
				}
			})
		})
	}
}

// failConn fails to send when fail says so.
type failConn struct {
	transport.Conn
	fail func() error
}

func (c *failConn) Send(head, payload []byte, cancel <-chan struct{}) error {
	if err := c.fail(); err != nil {
		return err
	}
	return c.Conn.Send(head, payload, cancel)
}
