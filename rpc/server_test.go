package rpc

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// callOf returns a call of words: XID 7, and then those given.
func callOf(words ...uint32) []byte {
	c := xdr.NewEncoder(nil)
	for _, w := range append([]uint32{7}, words...) {
		c.Uint32(&w)
	}
	return c.Bytes()
}

// Each thing that a client may send, and what it is answered.
func TestServerAnswers(t *testing.T) {
	const p, v = testProg, testVers
	for _, tt := range []struct {
		name string
		call []byte
		want []uint32 // after XID 7; nil: nothing
	}{
		{"NULL", callOf(0, 2, p, v, 0, 0, 0, 0, 0), []uint32{1, 0, 0, 0, 0}},
		{"an argument", callOf(0, 2, p, v, 1, 0, 0, 0, 0, 4, 99), []uint32{1, 0, 0, 0, 0, 4, 99}},
		{"an argument that is cut short", callOf(0, 2, p, v, 1, 0, 0, 0, 0, 8, 99), []uint32{1, 0, 0, 0, 4}},
		{"an argument that is missing", callOf(0, 2, p, v, 1, 0, 0, 0, 0), []uint32{1, 0, 0, 0, 4}},
		{"an unknown procedure", callOf(0, 2, p, v, 9, 0, 0, 0, 0), []uint32{1, 0, 0, 0, 3}},
		{"an unknown program", callOf(0, 2, p+1, v, 0, 0, 0, 0, 0), []uint32{1, 0, 0, 0, 1}},
		{"an unknown version", callOf(0, 2, p, 9, 0, 0, 0, 0, 0), []uint32{1, 0, 0, 0, 2, 3, 5}},
		{"another version of RPC", callOf(0, 3, p, v, 0, 0, 0, 0, 0), []uint32{1, 1, 0, 2, 2}},
		{"another version of RPC and no more", callOf(0, 3), []uint32{1, 1, 0, 2, 2}},
		{"a panic", callOf(0, 2, p, v, procPanic, 0, 0, 0, 0), []uint32{1, 0, 0, 0, 5}},
		{"results that cannot be encoded", callOf(0, 2, p, v, 100, 0, 0, 0, 0), []uint32{1, 0, 0, 0, 5}},
		{"arguments that a program did not see were wrong", callOf(0, 2, p, v, 101, 0, 0, 0, 0), []uint32{1, 0, 0, 0, 4}},
		{"an accept_stat of the program's own", callOf(0, 2, p, v, 102, 0, 0, 0, 0), []uint32{1, 0, 0, 0, 5}},
		{"AUTH_SYS", callOf(0, 2, p, v, procWho, 1, 28, 5, 1, 'm'<<24, 33, 44, 2, 1, 2, 0, 0), nil},
		{"AUTH_SYS of 16 gids", callOf(slices.Concat([]uint32{0, 2, p, v, procWho, 1, 84, 0, 0, 33, 44, 16}, make([]uint32, 16), []uint32{0, 0})...), []uint32{1, 0, 0, 0, 0, 33}},
		{"AUTH_SYS of 17 gids", callOf(slices.Concat([]uint32{0, 2, p, v, procWho, 1, 88, 0, 0, 33, 44, 17}, make([]uint32, 17), []uint32{0, 0})...), []uint32{1, 1, 1, 1}},
		{"AUTH_SYS with a name over its end", callOf(0, 2, p, v, procWho, 1, 8, 5, 255, 0, 0), []uint32{1, 1, 1, 1}},
		{"AUTH_SYS that is empty", callOf(0, 2, p, v, procWho, 1, 0, 0, 0), []uint32{1, 1, 1, 1}},
		{"AUTH_SHORT", callOf(0, 2, p, v, 0, 2, 4, 1, 0, 0), []uint32{1, 1, 1, 2}},
		{"RPCSEC_GSS", callOf(0, 2, p, v, 0, 6, 4, 1, 0, 0), []uint32{1, 1, 1, 1}},
		{"AUTH_TLS", callOf(0, 2, p, v, 0, 7, 0, 0, 0), []uint32{1, 1, 1, 1}},
		{"a credential of 401 bytes", callOf(slices.Concat([]uint32{0, 2, p, v, 0, 0, 401}, make([]uint32, 120))...), []uint32{1, 1, 1, 1}},
		{"a credential over the end", callOf(0, 2, p, v, 0, 0, 400, 0, 0), []uint32{1, 1, 1, 1}},
		{"a verifier of 401 bytes", callOf(slices.Concat([]uint32{0, 2, p, v, 0, 0, 0, 0, 401}, make([]uint32, 120))...), []uint32{1, 1, 1, 3}},
		{"a verifier over the end", callOf(0, 2, p, v, 0, 0, 0, 0, 400), []uint32{1, 1, 1, 3}},
		{"no verifier", callOf(0, 2, p, v, 0, 0, 0), []uint32{1, 1, 1, 3}},
		{"a header that ends too early", callOf(0, 2, p, v, 0), []uint32{}},
		{"a reply", callOf(1, 0, 0, 0, 0), []uint32{}},
		{"an XID", callOf(), []uint32{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse()
				var log lockedBuffer
				h.Logger = slog.New(slog.NewTextHandler(&log, nil))
				h.Register(testProg, 5, ProgramFunc(echo))
				h.Register(testProg, testVers, ProgramFunc(func(ctx context.Context, r *Request, reply *xdr.Codec) AcceptStat {
					var n number
					switch r.Proc {
					case 100:
						reply.Fail(errors.New("too long"))
						return Success
					case 101:
						n.XDR(r.Args)
						return Success
					case 102:
						n.XDR(reply)
						return SystemErr
					}
					return echo(ctx, r, reply)
				}))
				a, b := transport.Pipe()
				defer h.wg.Wait()
				h.wg.Go(func() { h.ServeConn(context.Background(), b) })
				var got collector
				h.wg.Go(func() { a.Serve(&got) })
				defer a.Close()
				if err := a.Send(tt.call, nil, nil); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				want := [][]byte{callOf(tt.want...)}
				if tt.want == nil {
					want = [][]byte{callOf(1, 1, 1, 1)} // its length was wrong
				} else if len(tt.want) == 0 {
					want = nil
				}
				if !slices.EqualFunc(got.take(), want, bytes.Equal) {
					t.Errorf("answered %x, want %x", got.msgs, want)
				}
				if text := log.String(); strings.Contains(tt.name, "panic") != strings.Contains(text, "goroutine") {
					t.Errorf("log: %s", text)
				}
			})
		})
	}
}

// collector keeps what comes.
type collector struct {
	mu   sync.Mutex
	msgs [][]byte
}

func (c *collector) Place([]byte, int) (int, *transport.Sink) { return 0, nil }

func (c *collector) Message(msg *transport.Buffer, _ *transport.Sink) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.msgs = append(c.msgs, bytes.Clone(msg.Bytes()))
	msg.Release()
}

func (c *collector) take() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.msgs
}

// No more than 64 calls of a connection are served at once, and the end of the
// context ends them.
func TestServerBoundsItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Server
		var now, most atomic.Int32
		s.Register(testProg, testVers, ProgramFunc(func(ctx context.Context, r *Request, reply *xdr.Codec) AcceptStat {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			<-ctx.Done()
			now.Add(-1)
			return Success
		}))
		ctx, cancel := context.WithCancel(context.Background())
		a, b := transport.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- s.ServeConn(ctx, b) }()
		for range 300 {
			a.Send(callOf(0, 2, testProg, testVers, 0, 0, 0, 0, 0), nil, nil)
		}
		synctest.Wait()
		if got := most.Load(); got != 64 {
			t.Errorf("%d calls served at once, want 64", got)
		}
		cancel()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
		if got := now.Load(); got != 0 {
			t.Errorf("%d calls are still served", got)
		}
		a.Abort()
	})
}

func TestServerObserves(t *testing.T) {
	h := newHouse()
	seen := make(chan Request, 9)
	h.Observe = func(r *Request) { seen <- *r }
	c := h.client(t)
	if err := c.Call(context.Background(), &Call{Proc: procEcho, Args: &opaque{[]byte("x")}}); err != nil {
		t.Fatal(err)
	}
	r := <-seen
	if r.Prog != testProg || r.Vers != testVers || r.Proc != procEcho || r.Flavor != FlavorNone || r.Cred != nil || r.Remote == nil {
		t.Errorf("got %+v", r)
	}
	h.Register(testProg, testVers, nil)
	var ae *AcceptError
	if err := c.Call(context.Background(), &Call{}); !errors.As(err, &ae) || ae.Stat != ProgUnavail {
		t.Errorf("got %v for a program that was taken away", err)
	}
}

// The same over real datagrams, many at a time.
func TestServePacketConn(t *testing.T) {
	h := newHouse()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.ServePacketConn(ctx, pc) }()
	c := dialClient(pc.LocalAddr(), UDPPolicy(0, -1, Hard))
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			in, out := opaque{bytes.Repeat([]byte{1}, 5000)}, opaque{}
			k := &Call{Proc: procEcho, Args: &in, Reply: &out, Sink: make([]byte, 5000), Place: placeOpaque}
			if err := c.Call(context.Background(), k); err != nil || !bytes.Equal(in.b, out.b) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	c.Close()
	cancel()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
