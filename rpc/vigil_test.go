package rpc

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// manyCalls makes n calls with ctx that are answered, so that it gets a vigil.
func manyCalls(t *testing.T, ctx context.Context, c *Client, w *wire, n int) {
	t.Helper()
	for range n {
		done := goCall(ctx, c, &Call{Proc: 1})
		synctest.Wait()
		p := <-w.peers
		w.peers <- p
		p.ok(p.next().xid)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

func TestContextThatManyCallsShareEndsThemAll(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before int  // calls with the context that are over when it ends
		others int  // calls with another context after them
		mixed  bool // with a call of the first one before each
		loses  bool // the first context has no vigil in the end
	}{
		{"the first calls watch it themselves", 0, 0, false, false},
		{"a vigil watches it", vigilAfter + 1, 0, false, false},
		{"a vigil watches it that was replaced meanwhile", vigilAfter + 1, vigilAfter, false, true},
		{"a vigil watches it that others do not replace, as they come between", vigilAfter + 1, vigilAfter + 1, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				c := w.client(TCPPolicy(seconds(60), -1, Hard))
				ctx, cancel := context.WithCancelCause(context.Background())
				other, cancelOther := context.WithCancel(context.Background())
				defer cancelOther()
				manyCalls(t, ctx, c, w, tt.before)
				var ends []<-chan error
				const calls = slotCount + 10 // some wait for a slot
				for range calls {
					ends = append(ends, goCall(ctx, c, &Call{Proc: 2}))
				}
				synctest.Wait()
				var rest []<-chan error
				for range tt.others {
					if tt.mixed {
						ends = append(ends, goCall(ctx, c, &Call{Proc: 2}))
						synctest.Wait()
					}
					rest = append(rest, goCall(other, c, &Call{Proc: 3}))
					synctest.Wait()
				}
				rest = append(rest, goCall(other, c, &Call{Proc: 3}))
				synctest.Wait()
				ep := c.core.endpoints[0]
				ep.mu.Lock()
				v := ep.vigil
				ep.mu.Unlock()
				if has := v != nil && v.done == ctx.Done(); has == tt.loses {
					t.Errorf("the context has a vigil: %v", has)
				}
				began := time.Now()
				why := errors.New("enough")
				cancel(why)
				for _, end := range ends {
					if err := <-end; !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
						t.Fatalf("a call ended with %v", err)
					}
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("the calls ended after %v", took)
				}
				synctest.Wait()
				for _, end := range rest {
					select {
					case err := <-end:
						t.Fatalf("a call with another context ended with %v", err)
					default:
					}
				}
				cancelOther()
				for _, end := range rest {
					if err := <-end; !errors.Is(err, context.Canceled) {
						t.Fatalf("a call with another context ended with %v", err)
					}
				}
			})
		})
	}
}

// stubborn is a context whose caller goes on waiting for a while after its end.
type stubborn struct {
	context.Context
	until time.Time
}

func (s stubborn) GiveUp() bool { return !time.Now().Before(s.until) }

func TestVigilAsksWhetherTheCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(TCPPolicy(seconds(60), -1, Hard))
		parent, cancel := context.WithCancel(context.Background())
		ctx := stubborn{parent, time.Now().Add(seconds(3))}
		manyCalls(t, ctx, c, w, vigilAfter+1)
		began := time.Now()
		end := goCall(ctx, c, &Call{Proc: 2})
		time.Sleep(seconds(1))
		cancel()
		if err := <-end; !errors.Is(err, context.Canceled) || time.Since(began) != seconds(3) {
			t.Errorf("the call ended with %v after %v", err, time.Since(began))
		}
	})
}

// The context of a call ends while its Send waits for the peer: whoever notices
// first asks the caller, and 200 ms later it is asked again.
func TestCallerIsAskedOnceThatTheContextHasEnded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before int // calls with the context that are over
	}{
		{"the call watches it itself", 0},
		{"a vigil watches it, too", vigilAfter + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const ms = time.Millisecond
				w := newWire(t)
				w.wrap = func(c transport.Conn) transport.Conn { return &slowConn{c, 210 * ms} }
				c := w.client(TCPPolicy(seconds(60), -1, Hard))
				std, cancel := context.WithCancel(context.Background())
				ctx := &giveUp{Context: std, after: 2}
				manyCalls(t, ctx, c, w, tt.before)
				began := time.Now()
				time.AfterFunc(100*ms, cancel)
				k := &Call{Proc: procEcho, Args: &opaque{bytes.Repeat([]byte{1}, 1<<20)}}
				if err := c.Call(ctx, k); !errors.Is(err, context.Canceled) || k.Transmissions != 1 {
					t.Errorf("got %v, %d transmissions", err, k.Transmissions)
				}
				var asked []time.Duration
				for _, at := range ctx.asked {
					asked = append(asked, at.Sub(began))
				}
				if want := []time.Duration{200 * ms, 400 * ms, 600 * ms}; !slices.Equal(asked, want) {
					t.Errorf("asked at %v, want %v", asked, want)
				}
			})
		})
	}
}

// slowConn takes a while to send what a stream does not copy.
type slowConn struct {
	transport.Conn
	takes time.Duration
}

func (c *slowConn) Send(head, payload []byte, cancel <-chan struct{}) error {
	if len(payload) > 0 || len(head) > 9<<10 {
		time.Sleep(c.takes)
	}
	return c.Conn.Send(head, payload, cancel)
}

// The context may end after a call has looked at it, and before it would rely on
// the vigil.
func TestNobodyReliesOnAVigilThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(TCPPolicy(seconds(60), -1, Hard))
		ctx, cancel := context.WithCancel(context.Background())
		manyCalls(t, ctx, c, w, vigilAfter+1)
		ep := c.core.endpoints[0]
		p := ep.pool.Get().(*pending)
		p.begin(c, ep, &Call{}, ctx)
		cancel()
		synctest.Wait()
		l, err := p.enter() // as in run
		p.entered, p.now = true, p.began
		err = p.goOn(l, err)
		p.end(err)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
