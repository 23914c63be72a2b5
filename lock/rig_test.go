package lock

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// rig is a server in memory with two files, a and b, in a bubble.
type rig struct {
	t    *testing.T
	s    *nfstest.Server
	a, b nfs3.FH
	// engines by the address of their callbacks' connections; nil: they cannot
	// be called.
	called []*Engine
}

// inBubble runs f with a rig in a bubble of its own.
func inBubble(t *testing.T, o nfstest.Options, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t}
		o.DialClient = r.dialClient
		r.s = nfstest.NewFor(t, o)
		for name, fh := range map[string]*nfs3.FH{"a": &r.a, "b": &r.b} {
			if err := r.s.WriteFile(name, []byte("data"), 0o666); err != nil {
				t.Fatal(err)
			}
			var err error
			if *fh, err = r.s.Handle(name); err != nil {
				t.Fatal(err)
			}
		}
		f(t, r)
	})
}

// engine makes an engine that is closed at the end.
func (r *rig) engine(change ...func(*Config)) *Engine {
	r.t.Helper()
	e := r.crashable(change...)
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			r.t.Errorf("Close: %v", err)
		}
		if len(e.files)+len(e.identities)+len(e.bySvid)+e.held != 0 {
			r.t.Errorf("left: %d files, %d identities, %d svids, %d ranges", len(e.files), len(e.identities), len(e.bySvid), e.held)
		}
	})
	return e
}

// crashable makes one that the test ends itself.
func (r *rig) crashable(change ...func(*Config)) *Engine {
	c := Config{Host: "client", Server: &Server{
		Name: "server", Host: "127.0.0.1", Netid: "tcp", Hard: true, Cred: *rpc.NewCred(1000, 1000, nil), DialContext: r.s.DialContext,
	}}
	for _, f := range change {
		f(&c)
	}
	e := New(c)
	e.callable.Store(true) // as where there is an agent
	return e
}

// crash ends an engine as kill -9 does: nothing is given back.
func (e *Engine) crash() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.end()
	e.caller.close()
	e.jobs.Wait()
	e.stop(false)
	if e.journal != nil && e.journal.file != nil {
		e.journal.file.Close()
	}
}

// dialClient connects the server to the engines' callbacks.
func (r *rig) dialClient(_ context.Context, _ net.Addr, _ string, _ uint32) (transport.Conn, error) {
	if len(r.called) == 0 {
		return nil, fmt.Errorf("no callbacks")
	}
	near, far := transport.Pipe()
	s := new(rpc.Server)
	s.Register(100021, 4, newCallbacks(r.called[0]).program())
	go s.ServeConn(context.Background(), fromServer{far}) // ends with the server's connection
	return near, nil
}

// fromServer is a connection that comes from the server's address.
type fromServer struct{ transport.Conn }

func (fromServer) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 800} }

// locks is what the server holds, as text: "a: x0-9 w5-".
func (r *rig) locks() string {
	files := map[string]string{string(r.a.Bytes()): "a", string(r.b.Bytes()): "b"}
	var out []string
	locks := r.s.Locks()
	slices.SortStableFunc(locks, func(a, b nfstest.HeldLock) int {
		return cmp.Or(cmp.Compare(files[a.FH], files[b.FH]), cmp.Compare(a.First, b.First))
	})
	for _, l := range locks {
		kind := "s"
		if l.Exclusive {
			kind = "x"
		}
		if l.Waiting {
			kind = "waits " + kind
		}
		out = append(out, fmt.Sprintf("%s:%s%v", files[l.FH], kind, Range{l.First, l.Last}))
	}
	return strings.Join(out, " ")
}

func (r *rig) wantLocks(when, want string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.locks(); got != want {
		r.t.Errorf("%s the server has %q, want %q", when, got, want)
	}
}

// start locks in the background, and returns where the error will come.
func (r *rig) start(ctx context.Context, e *Engine, fh nfs3.FH, l Lock) <-chan error {
	c := make(chan error, 1)
	go func() { c <- e.Lock(ctx, fh, nil, l, true) }()
	synctest.Wait()
	return c
}

// soon waits for an error, and reports if it comes later than within.
func (r *rig) soon(what string, c <-chan error, within time.Duration) error {
	r.t.Helper()
	begin := time.Now()
	err := <-c
	if took := time.Since(begin); took > within {
		r.t.Errorf("%s took %v, more than %v", what, took, within)
	}
	return err
}
