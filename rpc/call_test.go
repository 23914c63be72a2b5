package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gonfs/gonfs/xdr"
)

func TestCallGetsItsReply(t *testing.T) {
	c := newHouse().client(t)
	ctx := context.Background()
	if err := c.Call(ctx, &Call{Proc: procNull}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		sink  []byte
		place func([]byte) (int, int, bool)
		size  int
		ok    bool
	}{
		{"placed in the sink by the reader", make([]byte, 100), placeOpaque, 100, true},
		{"copied to the sink", make([]byte, 100), nil, 99, true},
		{"copied to fresh memory", nil, nil, 99, true},
		{"empty", make([]byte, 100), placeOpaque, 0, true},
		{"longer than the sink", make([]byte, 10), placeOpaque, 11, false},
		{"longer than the sink, not placed", make([]byte, 10), nil, 11, false},
		{"a Place that names a payload before the results", make([]byte, 10), func([]byte) (int, int, bool) { return -4, 4, true }, 5, true},
		{"a Place that names a payload after the message", make([]byte, 10), func([]byte) (int, int, bool) { return 4, 9, true }, 5, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, out := opaque{bytes.Repeat([]byte{7}, tt.size)}, opaque{}
			k := &Call{Proc: procEcho, Args: &in, Reply: &out, Sink: tt.sink, Place: tt.place}
			err := c.Call(ctx, k)
			var pe *ProtocolError
			switch {
			case !tt.ok:
				if !errors.As(err, &pe) || k.Transmissions != 1+maxGarbage {
					t.Fatalf("got %v after %d transmissions, want a ProtocolError after %d", err, k.Transmissions, 1+maxGarbage)
				}
			case err != nil || !bytes.Equal(in.b, out.b) || k.Transmissions != 1:
				t.Fatalf("got %q, %v, %d transmissions", out.b, err, k.Transmissions)
			case tt.sink != nil && tt.size > 0 && &out.b[0] != &tt.sink[0]:
				t.Error("the payload is not in the sink")
			}
		})
	}
}

func TestCredentialsAreTheCallsOrElseTheClients(t *testing.T) {
	h := newHouse()
	c := h.client(t)
	var n number
	for _, tt := range []struct {
		name string
		auth Auth
		cred *Cred
		want number
	}{
		{"AUTH_NONE", AuthNone(), NewCred(5, 5, nil), ^number(0)},
		{"AUTH_SYS, the client's", AuthSys("m"), nil, 7},
		{"AUTH_SYS, the call's", AuthSys("m"), NewCred(9, 9, make([]uint32, 100)), 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cc := NewClient(Options{Program: testProg, Version: testVers, Dial: h.dial, Auth: tt.auth, Cred: *NewCred(7, 7, nil)})
			defer cc.Close()
			if err := cc.Call(context.Background(), &Call{Proc: procWho, Reply: &n, Cred: tt.cred}); err != nil || n != tt.want {
				t.Errorf("served as %d, %v; want %d", n, err, tt.want)
			}
		})
	}
	_ = c
}

func TestBoundClientSharesTheConnection(t *testing.T) {
	h := newHouse()
	h.Register(testProg+1, 2, ProgramFunc(echo))
	c := h.client(t)
	b := c.Bind(testProg+1, 2)
	for range 3 {
		if err := errors.Join(c.Call(context.Background(), &Call{}), b.Call(context.Background(), &Call{})); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.Stats(); s.Connects != 1 || len(s.Procs) != 1 || s.Procs[0].Calls != 3 {
		t.Errorf("got %+v", s)
	}
	b.Close()
	if err := c.Call(context.Background(), &Call{}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v after Close of the bound client", err)
	}
}

// Hundreds of calls at once on one connection, some of them cancelled: each
// reply goes to its own call, and the connection survives.
func TestConcurrentCalls(t *testing.T) {
	c := newHouse().client(t)
	var wg sync.WaitGroup
	for g := range 300 {
		wg.Go(func() {
			sink := make([]byte, 64)
			for i := range 20 {
				ctx, cancel := context.WithCancel(context.Background())
				if (g+i)%7 == 0 {
					go cancel()
				}
				in, out := opaque{fmt.Appendf(nil, "%d/%d", g, i)}, opaque{}
				k := &Call{Proc: procEcho, Args: &in, Reply: &out, Sink: sink, Background: i%2 == 0}
				if i%3 == 0 {
					k.Place = placeOpaque
				}
				err := c.Call(ctx, k)
				cancel()
				if err == nil && !bytes.Equal(in.b, out.b) {
					t.Errorf("got %q, want %q", out.b, in.b)
				}
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if s := c.Stats(); s.Connects != 1 || s.CallsInFlight != 0 || s.BadReplies != 0 {
		t.Errorf("got %+v", s)
	}
}

// broken is a reply whose decoder panics.
type broken struct{}

func (broken) XDR(*xdr.Codec) { panic("broken") }

func TestADecoderThatPanicsEndsItsCallOnly(t *testing.T) {
	c := newHouse().client(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the caller is not told")
			}
		}()
		c.Call(context.Background(), &Call{Proc: procEcho, Args: &opaque{}, Reply: broken{}})
	}()
	if s := c.Stats(); s.CallsInFlight != 0 {
		t.Errorf("%d calls in flight", s.CallsInFlight)
	}
	if err := c.Call(context.Background(), &Call{Proc: procEcho, Args: &opaque{}, Reply: &opaque{}}); err != nil {
		t.Error(err)
	}
}

func TestCallsGoToTheLeastLoadedEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{}, func(o *Options) { o.Connections = 4 })
		var done []<-chan error
		for range 40 {
			done = append(done, goCall(context.Background(), c, &Call{}))
			synctest.Wait()
		}
		for _, e := range c.Stats().Endpoints {
			if e.InFlight != 10 || !e.Connected {
				t.Errorf("got %+v", e)
			}
		}
		c.Close()
		for _, d := range done {
			if err := <-d; !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		}
	})
}
