package portmap

import (
	"context"
	"errors"
	"fmt"
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

// dial returns a client of a server in memory that serves v2 as version 2 and
// v4 as versions 3 and 4; nil is not there.
func dial(t testing.TB, v2, v4 rpc.Program) *rpc.Client {
	var s rpc.Server
	if v2 != nil {
		s.Register(Program, Version2, v2)
	}
	if v4 != nil {
		s.Register(Program, Version3, v4)
		s.Register(Program, Version4, v4)
	}
	near, far := transport.Pipe()
	done := make(chan struct{})
	go func() { // ends when the client closes its end
		s.ServeConn(context.Background(), far)
		close(done)
	}()
	c := rpc.NewClient(rpc.Options{
		Program: Program, Version: Version2,
		Dial:   func(context.Context, netip.AddrPort) (transport.Conn, error) { return near, nil },
		Policy: rpc.Policy{Timeo: time.Minute, SoftConn: true},
	})
	t.Cleanup(func() {
		c.Close()
		near.Close()
		<-done
	})
	return c
}

func TestClientCallsEachProcedure(t *testing.T) {
	ctx := t.Context()
	c := dial(t, Serve(table), ServeRpcbind(table))
	pm := NewClient(c)
	if err := pm.Null(ctx); err != nil {
		t.Error(err)
	}
	if port, err := pm.Getport(ctx, Mapping{Prog: 100003, Vers: 3, Prot: ProtTCP, Port: 7}); port != 2049 || err != nil {
		t.Errorf("GETPORT: %v, %v", port, err)
	}
	if l, err := pm.Dump(ctx); len(l) != 3 || err != nil {
		t.Errorf("DUMP: %v, %v", l, err)
	}
	for _, version := range []uint32{Version3, Version4} {
		b := NewRpcbind(c, version)
		if err := b.Null(ctx); err != nil {
			t.Error(err)
		}
		a, err := b.Getaddr(ctx, Rpcb{Prog: 100003, Vers: 3, Netid: NetidUDP6})
		if a != netip.MustParseAddrPort("[::]:2049") || err != nil {
			t.Errorf("GETADDR: %v, %v", a, err)
		}
		if _, err := b.Gettime(ctx); err == nil {
			t.Error("GETTIME of a table is answered")
		}
		l, err := b.Dump(ctx)
		if diff := cmp.Diff([]Rpcb(table), l); diff != "" || err != nil {
			t.Errorf("DUMP: %v, %s", err, diff)
		}
	}
}

// liar answers what it is told to.
type liar struct {
	port uint32
	addr string
}

func (l liar) Getport(context.Context, *rpc.Request, *Mapping) uint32 { return l.port }
func (l liar) Dump(context.Context, *rpc.Request) []Mapping           { return make([]Mapping, maxEntries+1) }
func (l liar) Getaddr(context.Context, *rpc.Request, *Rpcb) string    { return l.addr }
func (l liar) DumpRpcb(context.Context, *rpc.Request) []Rpcb          { return make([]Rpcb, maxEntries+1) }

func TestAnswersThatAreNoAddress(t *testing.T) {
	for _, tt := range []struct {
		name string
		l    liar
		v2   error  // what GETPORT gives
		v4   error  // what GETADDR gives
		text string // of the latter
	}{
		{"not registered", liar{0, ""}, ErrNotRegistered, ErrNotRegistered, "program 100003 version 3 over tcp is not registered with the server's rpcbind"},
		{"port 0 means not registered", liar{0, "0.0.0.0.0.0"}, ErrNotRegistered, ErrNotRegistered, "program 100003 version 3 over tcp is not registered with the server's rpcbind"},
		{"a port over 65535", liar{65536, "0.0.0.0.256.0"}, ErrBadAnswer, ErrBadAnswer, `rpcbind answered "0.0.0.0.256.0" for program 100003 version 3 over tcp: universal address "0.0.0.0.256.0": the port is not two numbers of 0 to 255`},
		{"garbage", liar{0xffffffff, "garbage"}, ErrBadAnswer, ErrBadAnswer, `rpcbind answered "garbage" for program 100003 version 3 over tcp: universal address "garbage": no port`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, Serve(tt.l), ServeRpcbind(tt.l))
			if port, err := NewClient(c).Getport(t.Context(), Mapping{Prog: 100003, Vers: 3, Prot: ProtTCP}); port != 0 || !errors.Is(err, tt.v2) {
				t.Errorf("GETPORT: %v, %v, want %v", port, err, tt.v2)
			}
			a, err := NewRpcbind(c, Version4).Getaddr(t.Context(), Rpcb{Prog: 100003, Vers: 3, Netid: NetidTCP})
			if a.IsValid() || !errors.Is(err, tt.v4) {
				t.Errorf("GETADDR: %v, %v, want %v", a, err, tt.v4)
			}
			var e *Error
			if !errors.As(err, &e) || e.Error() != tt.text || e.Prog != 100003 {
				t.Errorf("error %q, want %q", err, tt.text)
			}
		})
	}
}

func TestServersWithoutAVersionSaySo(t *testing.T) {
	c := dial(t, Serve(table), nil)
	_, err := NewRpcbind(c, Version4).Getaddr(t.Context(), Rpcb{Prog: 100003, Vers: 3, Netid: NetidTCP})
	var e *rpc.AcceptError
	if !errors.As(err, &e) || e.Stat != rpc.ProgMismatch {
		t.Errorf("got %v, want PROG_MISMATCH", err)
	}
	if _, err := NewRpcbind(c, Version3).Dump(t.Context()); !errors.As(err, &e) {
		t.Errorf("got %v, want an AcceptError", err)
	}
	c = dial(t, nil, nil)
	if err := NewClient(c).Null(t.Context()); !errors.As(err, &e) || e.Stat != rpc.ProgUnavail {
		t.Errorf("got %v, want PROG_UNAVAIL", err)
	}
	if _, err := NewClient(c).Getport(t.Context(), Mapping{}); !errors.As(err, &e) {
		t.Errorf("got %v, want an AcceptError", err)
	}
	if _, err := NewClient(c).Dump(t.Context()); !errors.As(err, &e) {
		t.Errorf("got %v, want an AcceptError", err)
	}
}

func TestAnEndlessListIsAnError(t *testing.T) {
	endless := rpc.ProgramFunc(func(_ context.Context, _ *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
		more, m := true, Mapping{}
		for range maxEntries + 1 {
			reply.Bool(&more)
			for _, w := range []*uint32{&m.Prog, &m.Vers, &m.Prot, &m.Port} {
				reply.Uint32(w)
			}
		}
		return rpc.Success
	})
	c := dial(t, endless, endless)
	_, err := NewClient(c).Dump(t.Context())
	var e *xdr.Error
	if !errors.As(err, &e) || e.Kind != xdr.TooLong {
		t.Errorf("got %v, want TooLong", err)
	}
}

func TestNetids(t *testing.T) {
	for _, n := range Netids() {
		prot, ok := NetidProt(n)
		if !ok || !strings.HasPrefix(n, ProtNetid(prot)) {
			t.Errorf("%s is protocol %d, which is %q", n, prot, ProtNetid(prot))
		}
	}
	if _, ok := NetidProt("local"); ok || ProtNetid(132) != "" {
		t.Error("local and SCTP are none of ours")
	}
}

func ExampleClient_Getport() {
	// A server in memory takes the place of the one at port 111.
	var s rpc.Server
	s.Register(Program, Version2, Serve(Table{{Prog: 100003, Vers: 3, Netid: NetidTCP, Addr: "0.0.0.0.8.1"}}))
	near, far := transport.Pipe()
	go s.ServeConn(context.Background(), far)

	c := rpc.NewClient(rpc.Options{
		Program: Program, Version: Version2,
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) { return near, nil },
	})
	defer c.Close()

	pm := NewClient(c)
	port, err := pm.Getport(context.Background(), Mapping{Prog: 100003, Vers: 3, Prot: ProtTCP})
	fmt.Println(port, err)
	_, err = pm.Getport(context.Background(), Mapping{Prog: 100003, Vers: 3, Prot: ProtUDP})
	fmt.Println(err)
	// Output:
	// 2049 <nil>
	// program 100003 version 3 over udp is not registered with the server's rpcbind
}

func ExampleFormatUaddr() {
	fmt.Println(FormatUaddr(netip.MustParseAddrPort("192.0.2.7:2049")))
	a, err := ParseUaddr("::1.0.111")
	fmt.Println(a, err)
	// Output:
	// 192.0.2.7.8.1
	// [::1]:111 <nil>
}
