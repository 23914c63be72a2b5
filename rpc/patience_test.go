package rpc

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// When a call ends whose caller does not wait any more.
func TestGivingUp(t *testing.T) {
	why := errors.New("why")
	for _, tt := range []struct {
		name  string
		fill  int // calls before it, so that it waits for a slot
		fail  bool
		after int // how often GiveUp says no; -1: a context without it
		end   time.Duration
	}{
		{"a sent call, at once", 0, false, -1, seconds(1)},
		{"a call without connection, at once", 0, true, -1, seconds(1)},
		{"a call without slot, at once", 248, false, -1, seconds(1)},
		{"a sent call whose caller insists at once", 0, false, 0, seconds(1)},
		{"a sent call whose caller waits a second more", 0, false, 5, seconds(2)},
		{"a call without connection whose caller waits a second more", 0, true, 5, seconds(2)},
		{"a call without slot whose caller waits a second more", 248, false, 5, seconds(2)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				c := w.client(Policy{})
				if tt.fail {
					w.fail = context.DeadlineExceeded
				}
				var fill []<-chan error
				for range tt.fill {
					fill = append(fill, goCall(context.Background(), c, &Call{}))
				}
				synctest.Wait()
				std, cancel := context.WithCancelCause(context.Background())
				ctx := std
				gu := &giveUp{Context: std, after: tt.after}
				if tt.after >= 0 {
					ctx = gu
				}
				time.AfterFunc(seconds(1), func() { cancel(why) })
				err := c.Call(ctx, &Call{})
				if !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
					t.Errorf("got %v", err)
				}
				if got := time.Since(w.began); got != tt.end {
					t.Errorf("ended after %v, want %v", got, tt.end)
				}
				for i, at := range gu.asked {
					if want := seconds(1) + time.Duration(i)*askEvery; at.Sub(w.began) != want {
						t.Errorf("asked at %v, want %v", at.Sub(w.began), want)
					}
				}
				c.Close()
				for _, d := range fill {
					<-d
				}
			})
		})
	}
}

func TestCallerWhoWaitsOnGetsTheReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(TCPPolicy(seconds(1), 5, Hard))
		std, cancel := context.WithCancel(context.Background())
		cancel()
		gu := &giveUp{Context: std, after: 1e9}
		k := &Call{}
		done := goCall(gu, c, k)
		p := <-w.peers
		xid := p.next().xid
		p.next() // the timers run on
		p.ok(xid)
		if err := <-done; err != nil || k.Transmissions != 2 || len(gu.asked) != 6 {
			t.Errorf("got %v, %d transmissions, asked %d times", err, k.Transmissions, len(gu.asked))
		}
	})
}

// A reply that comes while the caller gives up is taken.
func TestReplyInTheMomentOfGivingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{})
		std, cancel := context.WithCancel(context.Background())
		k := &Call{}
		ctx := &lateReply{Context: std}
		done := goCall(ctx, c, k)
		p := <-w.peers
		xid := p.next().xid
		ctx.err = func() {
			p.ok(xid)
			time.Sleep(time.Second) // until the reader has it
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// lateReply is a context that does something when asked why it is done.
type lateReply struct {
	context.Context
	err func()
}

func (c *lateReply) Err() error {
	if f := c.err; f != nil {
		c.err = nil
		f()
	}
	return c.Context.Err()
}

func TestContextsThatWereDoneBefore(t *testing.T) {
	w := newWire(t)
	c := w.client(Policy{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Call(ctx, &Call{}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if err := c.Call(poorContext{ctx}, &Call{}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if n := len(w.dialTimes()); n != 0 {
		t.Errorf("%d connections for calls that nobody waits for", n)
	}
}

// poorContext is done but says no reason.
type poorContext struct{ context.Context }

func (poorContext) Err() error    { return nil }
func (poorContext) Value(any) any { return nil }
