package rpc

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A call that its caller gave up goes on under the same XID and from memory of
// its own, whether it was sent, waits for a slot or for a connection.
func TestACallGoesOnWithoutItsCaller(t *testing.T) {
	for _, tt := range []struct {
		name string
		fill int  // calls before it, so that it waits for a slot
		fail bool // no connection
	}{
		{"when it was sent", 0, false},
		{"when it waits for a slot", 248, false},
		{"when there is no connection", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				c := w.client(Policy{})
				if tt.fail {
					w.setFail(context.DeadlineExceeded)
				}
				var fill []<-chan error
				for range tt.fill {
					fill = append(fill, goCall(context.Background(), c, &Call{}))
				}
				synctest.Wait()

				args, copied := opaque{[]byte("lent")}, opaque{[]byte("lent")}
				var reply, late opaque
				done := make(chan error, 1)
				ctx, cancel := context.WithCancel(context.Background())
				call := Call{Proc: procEcho, Args: &args, Reply: &reply, Detach: func() *Detached {
					return &Detached{Ctx: context.Background(), Args: &copied, Reply: &late, Done: func(err error) { done <- err }}
				}}
				time.AfterFunc(time.Second, cancel)
				if err := c.Call(ctx, &call); !errors.Is(err, context.Canceled) || time.Since(w.began) != time.Second {
					t.Errorf("%v after %v", err, time.Since(w.began))
				}
				copy(args.b, "mine") // again
				w.setFail(nil)

				p := <-w.peers
				for range fill {
					p.ok(p.next().xid)
				}
				for _, d := range fill {
					if err := <-d; err != nil {
						t.Error(err)
					}
				}
				first := p.next()
				p.conn.Abort() // the next connection gets it again
				p = <-w.peers
				k := p.next()
				if k.xid != first.xid || k.msg != first.msg || !bytes.HasSuffix([]byte(k.msg), []byte("lent")) {
					t.Errorf("%q, then %q", first.msg, k.msg)
				}
				p.ok(k.xid, &opaque{[]byte("answer")})
				if err := <-done; err != nil || string(late.b) != "answer" || reply.b != nil {
					t.Errorf("%v; %q, and the caller's %q", err, late.b, reply.b)
				}
			})
		})
	}
}

// Whoever waits for it then has a context of his own, which ends the call.
func TestACallWithoutItsCallerCanBeEnded(t *testing.T) {
	for _, before := range []int{0, vigilAfter + 1} { // with it, a vigil watches the caller's
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t)
			c := w.client(Policy{})
			ctx, cancel := context.WithCancel(context.Background())
			manyCalls(t, ctx, c, w, before)
			own, end := context.WithCancel(context.Background())
			done := make(chan error, 1)
			over := goCall(ctx, c, &Call{Detach: func() *Detached {
				return &Detached{Ctx: own, Done: func(err error) { done <- err }}
			}})
			synctest.Wait()
			cancel()
			if err := <-over; !errors.Is(err, context.Canceled) {
				t.Errorf("the caller got %v", err)
			}
			synctest.Wait()
			if n := c.Stats().CallsInFlight; n != 1 {
				t.Errorf("%d calls in flight", n)
			}
			end()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("the call ended with %v", err)
			}
		})
	}
}

// What nobody took over, and what was answered, does not go on.
func TestACallThatDoesNotGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{})
		asked := 0
		nobody := func() *Detached { asked++; return nil }
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := c.Call(ended, &Call{Detach: nobody}); !errors.Is(err, context.Canceled) || asked != 0 {
			t.Errorf("a call that was never begun: %v, asked %d times", err, asked)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := c.Call(ctx, &Call{Detach: nobody}); !errors.Is(err, context.DeadlineExceeded) || asked != 1 {
			t.Errorf("a call that nobody took over: %v, asked %d times", err, asked)
		}
		if n := c.Stats().CallsInFlight; n != 0 {
			t.Errorf("%d calls in flight", n)
		}
		done := make(chan error, 1)
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = c.Call(ctx, &Call{Detach: func() *Detached {
			return &Detached{Ctx: context.Background(), Done: func(err error) { done <- err }}
		}})
		c.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("a call without caller, at the end of the client: %v", err)
		}
	})
}
