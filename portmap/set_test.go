package portmap

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// registry is rpcbind as a host's own services see it: SET of what is there is
// refused, UNSET asks nobody who it was.
type registry struct {
	mu sync.Mutex
	Table
	onSet func(n int) // called after each SET that was executed, with the length of the list
}

func (g *registry) DumpRpcb(context.Context, *rpc.Request) []Rpcb {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.Table)
}

func (g *registry) Set(_ context.Context, _ *rpc.Request, b *Rpcb) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.ContainsFunc(g.Table, func(r Rpcb) bool { return r.Prog == b.Prog && r.Vers == b.Vers && r.Netid == b.Netid }) {
		return false
	}
	g.Table = append(g.Table, *b)
	if g.onSet != nil {
		g.onSet(len(g.Table))
	}
	return true
}

func (g *registry) Unset(_ context.Context, _ *rpc.Request, b *Rpcb) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.Table)
	g.Table = slices.DeleteFunc(g.Table, func(r Rpcb) bool {
		return r.Prog == b.Prog && r.Vers == b.Vers && (b.Netid == "" || r.Netid == b.Netid)
	})
	return len(g.Table) < n
}

// host serves g on a unix socket, as rpcbind does, and returns a client of it.
func host(t *testing.T, g *registry) *rpc.Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rpcbind.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var s rpc.Server
	s.Register(Program, Version2, Serve(g))
	s.Register(Program, Version4, ServeRpcbind(g))
	var wg sync.WaitGroup
	wg.Go(func() { // ends when l is closed
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.ServeConn(context.Background(), transport.NewStream(nc, 0)) })
		}
	})
	c, err := DialLocal(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		c.Close()
		wg.Wait()
	})
	return c
}

func TestSetAndUnsetOfBothVersions(t *testing.T) {
	g := new(registry)
	c := host(t, g)
	r := Rpcb{100021, 4, NetidUDP6, "::.8.1", "root"}
	for _, tt := range []struct {
		name  string
		do    func(ctx context.Context) error
		taken bool
		want  Table
	}{
		{"SET of version 2", func(ctx context.Context) error {
			return NewClient(c).Set(ctx, Mapping{100021, 4, ProtUDP, 2049})
		}, false, Table{{100021, 4, NetidUDP, "0.0.0.0.8.1", ""}}},
		{"SET of what is registered is refused", func(ctx context.Context) error {
			return NewClient(c).Set(ctx, Mapping{100021, 4, ProtUDP, 2050})
		}, true, Table{{100021, 4, NetidUDP, "0.0.0.0.8.1", ""}}},
		{"SET of version 4", func(ctx context.Context) error { return NewRpcbind(c, Version4).Set(ctx, r) },
			false, Table{{100021, 4, NetidUDP, "0.0.0.0.8.1", ""}, r}},
		{"UNSET of one netid", func(ctx context.Context) error { return NewRpcbind(c, Version4).Unset(ctx, r) },
			false, Table{{100021, 4, NetidUDP, "0.0.0.0.8.1", ""}}},
		{"UNSET of what is not there is refused", func(ctx context.Context) error { return NewRpcbind(c, Version4).Unset(ctx, r) },
			true, Table{{100021, 4, NetidUDP, "0.0.0.0.8.1", ""}}},
		{"UNSET of version 2 takes every transport", func(ctx context.Context) error {
			return NewClient(c).Unset(ctx, Mapping{Prog: 100021, Vers: 4})
		}, false, Table{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.do(t.Context())
			var e *Error
			if refused := errors.As(err, &e) && errors.Is(err, ErrRefused); refused != tt.taken || err != nil && !refused {
				t.Errorf("got %v, refused is to be %v", err, tt.taken)
			}
			if diff := cmp.Diff(tt.want, g.Table); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARegistrarLeavesOthersAlone(t *testing.T) {
	ctx := t.Context()
	statd := Rpcb{100024, 1, NetidTCP, "0.0.0.0.2.150", "superuser"}
	g := &registry{Table: Table{statd}}
	r := NewRegistrar(host(t, g))
	want := func(what string, l ...Rpcb) {
		t.Helper()
		if diff := cmp.Diff(Table(l), g.Table); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}

	// All or nothing: UDP is free, TCP is not.
	if err := r.Register(ctx, Services(100024, 1, 700, 700, false)...); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want ErrRefused", err)
	}
	want("what was registered in vain is taken off again", statd)

	nlm := Services(100021, 4, 701, 702, true)
	if err := r.Register(ctx, nlm...); err != nil {
		t.Fatal(err)
	}
	want("registered", append([]Rpcb{statd}, nlm...)...)
	if lost, err := r.Lost(ctx); len(lost) != 0 || err != nil {
		t.Errorf("lost %v, %v", lost, err)
	}

	// Somebody takes tcp away and registers another one in its place.
	other := nlm[1]
	other.Addr = "0.0.0.0.9.9"
	g.Table[2] = other
	if lost, err := r.Lost(ctx); !slices.Equal(lost, nlm[1:2]) || err != nil {
		t.Errorf("lost %v, %v; want %v", lost, err, nlm[1:2])
	}
	if err := r.Unregister(ctx); err != nil {
		t.Error(err)
	}
	want("at the end", statd, other)
	if err := r.Unregister(ctx); err != nil {
		t.Errorf("a second time: %v", err)
	}
	r.Adopt(other, nlm[0])
	if err := r.Unregister(ctx); err != nil {
		t.Error(err)
	}
	want("after what an earlier process left was adopted", statd)
}

func TestWithoutRpcbindTheErrorNamesTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	c, err := DialLocal(t.Context(), path)
	if err == nil {
		c.Close() // port 111 answered in its place
		return
	}
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr.String() != path {
		t.Errorf("got %v", err)
	}
}

// Who gives up on the way leaves nothing behind: the address would be that of
// a process that is gone.
func TestARegistrationThatIsGivenUpLeavesNothingBehind(t *testing.T) {
	all := Services(100021, 4, 1000, 1001, true)
	for n := range len(all) {
		ctx, cancel := context.WithCancel(t.Context())
		g := &registry{onSet: func(made int) {
			if made == n+1 {
				cancel() // executed, and perhaps its reply is not waited for any more
			}
		}}
		err := NewRegistrar(host(t, g)).Register(ctx, all...)
		left := g.DumpRpcb(t.Context(), nil)
		if err != nil && len(left) != 0 || err == nil && len(left) != len(all) {
			t.Errorf("given up at service %d: %v, and %d are left", n, err, len(left))
		}
		cancel()
	}
}

// lateCtx is over from the second time on that somebody asks when it is.
type lateCtx struct {
	context.Context
	asked int
}

func (c *lateCtx) Done() <-chan struct{} {
	if c.asked++; c.asked == 1 {
		return nil
	}
	over := make(chan struct{})
	close(over)
	return over
}

func (c *lateCtx) Err() error { return context.Canceled }

// A connection that is made when nobody wants it any more is ended.
func TestDialLocalLeavesNoConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rpcbind.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := DialLocal(&lateCtx{Context: t.Context()}, path); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection was not ended: %v", err)
	}
}
