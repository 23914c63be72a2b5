package mountd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dial returns a client of a server in memory that serves p.
func dial(t testing.TB, p rpc.Program) *Client {
	var s rpc.Server
	s.Register(Program, Version, p)
	s.Register(Program, Version1, p)
	near, far := transport.Pipe()
	done := make(chan struct{})
	go func() { // ends when the client closes its end
		s.ServeConn(context.Background(), far)
		close(done)
	}()
	c := rpc.NewClient(rpc.Options{
		Dial:   func(context.Context, netip.AddrPort) (transport.Conn, error) { return near, nil },
		Policy: rpc.Policy{Timeo: time.Minute, SoftConn: true},
	})
	t.Cleanup(func() {
		c.Close()
		near.Close()
		<-done
	})
	return NewClient(c)
}

func TestClientCallsEachProcedure(t *testing.T) {
	ctx := t.Context()
	h := &house{handle: "h"}
	c := dial(t, Serve(h))
	if err := c.Null(ctx); err != nil {
		t.Error(err)
	}
	r, err := c.Mnt(ctx, "/e")
	if diff := cmp.Diff(&MntReply{FH: []byte("h"), Flavors: []uint32{1}}, r); err != nil || diff != "" {
		t.Errorf("MNT: %v, %s", err, diff)
	}
	l, err := c.Dump(ctx)
	if diff := cmp.Diff([]Mount{{"me", "/e"}}, l); err != nil || diff != "" {
		t.Errorf("DUMP: %v, %s", err, diff)
	}
	x, err := c.Export(ctx)
	if diff := cmp.Diff([]Export{{"/e", []string{"*"}}}, x); err != nil || diff != "" {
		t.Errorf("EXPORT: %v, %s", err, diff)
	}
	if err := c.Umnt(ctx, "/e"); err != nil {
		t.Error(err)
	}
	if err := c.Umntall(ctx); err != nil {
		t.Error(err)
	}
	if got := strings.Join(h.log, ","); got != "MNT /e,UMNT /e,UMNTALL" {
		t.Errorf("the server was asked %s", got)
	}
}

func TestRefusalsOfMnt(t *testing.T) {
	h := &house{handle: "h"}
	c := dial(t, Serve(h))
	_, err := c.Mnt(t.Context(), "/x")
	var e *Error
	if !errors.As(err, &e) || e.Status != ErrNoent || e.Transmissions != 1 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	_, err = c.Mnt(t.Context(), "/"+strings.Repeat("p", PathLen))
	if !errors.As(err, &e) || e.Status != ErrNametoolong || e.Transmissions != 0 {
		t.Errorf("got %v", err)
	}
	if len(h.log) != 1 {
		t.Errorf("the server was asked %v: a path that is too long must not be sent", h.log)
	}
	if err := c.Umnt(t.Context(), strings.Repeat("p", PathLen+1)); err == nil {
		t.Error("UMNT of a path that is too long was sent")
	}
}

func TestNonsenseIsAProtocolError(t *testing.T) {
	for _, tt := range []struct {
		name string
		body []byte
	}{
		{"nothing", nil},
		{"a handle of 65 bytes", cat(words(0), str(strings.Repeat("h", 65)), words(0))},
		{"a handle of 0 bytes", words(0, 0, 0)},
		{"an endless list of flavours", words(0, 4, 1, 0xffffffff)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, rpc.ProgramFunc(func(_ context.Context, _ *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
				for i := 0; i+4 <= len(tt.body); i += 4 {
					reply.Fixed(tt.body[i : i+4])
				}
				return rpc.Success
			}))
			_, err := c.Mnt(t.Context(), "/e")
			var e *rpc.ProtocolError
			if !errors.As(err, &e) {
				t.Errorf("got %v, want a ProtocolError", err)
			}
		})
	}
}

func ExampleClient_Mnt() {
	// A server in memory takes the place of the one that rpcbind would name.
	var s rpc.Server
	s.Register(Program, Version, Serve(&house{handle: "\x01\x02\x03\x04"}))
	near, far := transport.Pipe()
	go s.ServeConn(context.Background(), far)

	c := rpc.NewClient(rpc.Options{
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) { return near, nil },
		Auth: rpc.AuthSys("me"),
	})
	defer c.Close()

	m := NewClient(c)
	r, err := m.Mnt(context.Background(), "/e")
	fmt.Printf("%x %v %v\n", r.FH, r.Flavors, err)
	_, err = m.Mnt(context.Background(), "/missing")
	fmt.Println(err, errors.Is(err, fs.ErrNotExist))
	// Output:
	// 01020304 [1] <nil>
	// MNT of "/missing": MNT3ERR_NOENT: No such file or directory true
}
