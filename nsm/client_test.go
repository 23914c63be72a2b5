package nsm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// monitor is a Server that writes down what it is asked. It refuses to watch
// "stranger".
type monitor struct{ log []string }

func (m *monitor) add(format string, a ...any) { m.log = append(m.log, fmt.Sprintf(format, a...)) }

func (m *monitor) Stat(_ context.Context, _ *rpc.Request, n string) StatRes {
	m.add("STAT %s", n)
	return m.res(n)
}

func (m *monitor) Mon(_ context.Context, _ *rpc.Request, a *Mon) StatRes {
	m.add("MON %s %v %x", a.ID.Name, a.ID.My, a.Priv[:2])
	return m.res(a.ID.Name)
}

func (m *monitor) res(n string) StatRes {
	if n == "stranger" {
		return StatRes{Fail, 5}
	}
	return StatRes{Succ, 5}
}

func (m *monitor) Unmon(_ context.Context, _ *rpc.Request, a *MonID) int32 {
	m.add("UNMON %s %v", a.Name, a.My)
	return 5
}

func (m *monitor) UnmonAll(_ context.Context, _ *rpc.Request, a *MyID) int32 {
	m.add("UNMON_ALL %v", *a)
	return 5
}

func (m *monitor) SimuCrash(context.Context, *rpc.Request) { m.add("SIMU_CRASH") }

func (m *monitor) Notify(_ context.Context, _ *rpc.Request, a *StatChge) {
	m.add("NOTIFY %s %d", a.Name, a.State)
}

// dial returns a client of a server in memory that serves p.
func dial(t testing.TB, p rpc.Program) *Client {
	var s rpc.Server
	s.Register(Program, Version, p)
	near, far := transport.Pipe()
	done := make(chan struct{})
	go func() { // ends when the client closes its end
		s.ServeConn(context.Background(), far)
		close(done)
	}()
	c := rpc.NewClient(rpc.Options{
		Program: Program, Version: Version,
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
	ctx, m := t.Context(), new(monitor)
	c := dial(t, Serve(m))
	if err := c.Null(ctx); err != nil {
		t.Error(err)
	}
	if s, err := c.Stat(ctx, "server"); s != 5 || err != nil {
		t.Errorf("STAT: %d, %v", s, err)
	}
	if s, err := c.Mon(ctx, &Mon{MonID{"server", me}, cookie}); s != 5 || err != nil {
		t.Errorf("MON: %d, %v", s, err)
	}
	if s, err := c.Unmon(ctx, &MonID{"server", me}); s != 5 || err != nil {
		t.Errorf("UNMON: %d, %v", s, err)
	}
	if s, err := c.UnmonAll(ctx, &me); s != 5 || err != nil {
		t.Errorf("UNMON_ALL: %d, %v", s, err)
	}
	if err := c.SimuCrash(ctx); err != nil {
		t.Error(err)
	}
	if err := c.Notify(ctx, &StatChge{"server", 7}); err != nil {
		t.Error(err)
	}
	want := "STAT server|MON server {client 100021 4 16} 0001|UNMON server {client 100021 4 16}|UNMON_ALL {client 100021 4 16}|SIMU_CRASH|NOTIFY server 7"
	if got := strings.Join(m.log, "|"); got != want {
		t.Errorf("the monitor was asked\n%s, want\n%s", got, want)
	}
}

func TestARefusalIsATypedError(t *testing.T) {
	c := dial(t, Serve(new(monitor)))
	for _, tt := range []struct {
		name string
		ask  func() error
		want Error
	}{
		{"STAT", func() error { _, err := c.Stat(t.Context(), "stranger"); return err }, Error{"STAT", "stranger", Fail}},
		{"MON", func() error { _, err := c.Mon(t.Context(), &Mon{ID: MonID{"stranger", me}}); return err }, Error{"MON", "stranger", Fail}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var e *Error
			if err := tt.ask(); !errors.As(err, &e) || *e != tt.want {
				t.Errorf("got %v, want %v", err, &tt.want)
			}
		})
	}
}

func TestAMonitorThatIsNoneIsAnError(t *testing.T) {
	c := dial(t, rpc.ProgramFunc(func(context.Context, *rpc.Request, *xdr.Codec) rpc.AcceptStat { return rpc.ProcUnavail }))
	var e *rpc.AcceptError
	if _, err := c.Mon(t.Context(), &Mon{}); !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "MON of the status monitor: ") {
		t.Errorf("got %v, want an AcceptError", err)
	}
	if _, err := c.Mon(t.Context(), &Mon{ID: MonID{Name: strings.Repeat("n", MaxName+1)}}); err == nil {
		t.Error("a name over the limit is sent")
	}
}

func TestServerAnswersEachProcedure(t *testing.T) {
	for _, tt := range []struct {
		name string
		proc uint32
		args []byte
		stat rpc.AcceptStat
		want []byte
	}{
		{"NULL is void", ProcNull, nil, rpc.Success, nil},
		{"STAT", ProcStat, str("server"), rpc.Success, words(0, 5)},
		{"STAT of whom nobody would watch", ProcStat, str("stranger"), rpc.Success, words(1, 5)},
		{"STAT without a name is garbage", ProcStat, nil, rpc.GarbageArgs, nil},
		{"MON", ProcMon, cat(str("server"), meWire, cookie[:]), rpc.Success, words(0, 5)},
		{"MON without the cookie is garbage", ProcMon, cat(str("server"), meWire), rpc.GarbageArgs, nil},
		{"UNMON", ProcUnmon, cat(str("server"), meWire), rpc.Success, words(5)},
		{"UNMON cut short is garbage", ProcUnmon, str("server"), rpc.GarbageArgs, nil},
		{"UNMON_ALL", ProcUnmonAll, meWire, rpc.Success, words(5)},
		{"UNMON_ALL cut short is garbage", ProcUnmonAll, meWire[:8], rpc.GarbageArgs, nil},
		{"SIMU_CRASH is void", ProcSimuCrash, nil, rpc.Success, nil},
		{"NOTIFY is void", ProcNotify, cat(str("server"), words(7)), rpc.Success, nil},
		{"NOTIFY of an endless name is garbage", ProcNotify, cat(str(strings.Repeat("n", 1025)), words(7)), rpc.GarbageArgs, nil},
		{"procedure 7 there is none", 7, nil, rpc.ProcUnavail, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reply := xdr.NewEncoder(nil)
			stat := Serve(new(monitor)).ServeRPC(context.Background(), &rpc.Request{Proc: tt.proc, Args: xdr.NewDecoder(tt.args)}, reply)
			if stat != tt.stat || stat == rpc.Success && !bytes.Equal(reply.Bytes(), tt.want) {
				t.Errorf("%v %x, want %v %x", stat, reply.Bytes(), tt.stat, tt.want)
			}
		})
	}
}

func ExampleClient_Mon() {
	// A monitor in memory takes the place of rpc.statd.
	var s rpc.Server
	s.Register(Program, Version, Serve(new(monitor)))
	near, far := transport.Pipe()
	go s.ServeConn(context.Background(), far)

	c := rpc.NewClient(rpc.Options{
		Program: Program, Version: Version,
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) { return near, nil },
	})
	defer c.Close()

	// When server.example.com is restarted, version 4 of NLM of this host is to
	// be called, procedure 16, with these 16 bytes.
	state, err := NewClient(c).Mon(context.Background(), &Mon{
		ID:   MonID{Name: "server.example.com", My: MyID{Name: "localhost", Prog: 100021, Vers: 4, Proc: 16}},
		Priv: [PrivSize]byte{1, 2, 3},
	})
	fmt.Println(state, err)
	_, err = NewClient(c).Mon(context.Background(), &Mon{ID: MonID{Name: "stranger"}})
	fmt.Println(err)
	// Output:
	// 5 <nil>
	// the status monitor refused MON of "stranger" (result 1): see the log of rpc.statd
}
