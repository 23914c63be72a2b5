package lock

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// testHost is a host with rpcbind on a unix socket, as one user's daemons see
// it.
type testHost struct {
	dir  string
	sock string

	mu    sync.Mutex // guards what follows
	list  portmap.Table
	heard []string // by the monitors' Notify
}

// Getaddr tells nobody who asks over the socket, as rpcbind does.
func (h *testHost) Getaddr(context.Context, *rpc.Request, *portmap.Rpcb) string { return "" }

func (h *testHost) DumpRpcb(context.Context, *rpc.Request) []portmap.Rpcb { return h.registered() }

func (h *testHost) Set(_ context.Context, _ *rpc.Request, b *portmap.Rpcb) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.list {
		if r.Prog == b.Prog && r.Vers == b.Vers && r.Netid == b.Netid {
			return false
		}
	}
	h.list = append(h.list, *b)
	return true
}

func (h *testHost) Unset(_ context.Context, _ *rpc.Request, b *portmap.Rpcb) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.list)
	h.list = slices.DeleteFunc(h.list, func(r portmap.Rpcb) bool {
		return r.Prog == b.Prog && r.Vers == b.Vers && (b.Netid == "" || r.Netid == b.Netid)
	})
	return len(h.list) < n
}

// registered is what rpcbind lists.
func (h *testHost) registered() portmap.Table {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.list)
}

// newHost starts rpcbind.
func newHost(t *testing.T) *testHost {
	t.Helper()
	h := &testHost{dir: filepath.Join(t.TempDir(), "gonfs"), sock: filepath.Join(t.TempDir(), "sock")}
	l, err := net.Listen("unix", h.sock)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l, portmap.Program, portmap.Version4, portmap.ServeRpcbind(h))
	return h
}

// serve serves a program until the test ends.
func serve(t *testing.T, l net.Listener, prog, vers uint32, p rpc.Program) {
	var s rpc.Server
	s.Register(prog, vers, p)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { // ends when l is closed
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.ServeConn(ctx, transport.NewStream(nc, 0)) })
		}
	})
	t.Cleanup(func() {
		cancel()
		l.Close()
		wg.Wait()
	})
}

// env is what a monitor finds on h in the boot called boot, where nobody else
// holds locks.
func (h *testHost) env(boot string) env {
	e := thisHost(h.sock)
	e.bootID, e.rivals, e.check = boot, func(netip.Addr, int) string { return "" }, 20*time.Millisecond
	return e
}

// start starts a monitor in the boot called boot.
func (h *testHost) start(t *testing.T, boot string, change ...func(*env)) *Monitor {
	t.Helper()
	e := h.env(boot)
	for _, c := range change {
		c(&e)
	}
	m, err := newMonitor(t.Context(), MonitorConfig{Dir: h.dir, Name: "client", Notify: h.notify}, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func (h *testHost) notify(peer netip.Addr, name string, state int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, name+" "+peer.String()+" "+string('0'+rune(state)))
}

// wait waits for what other goroutines bring about.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// monitors returns the ports that rpcbind has of the status monitor.
func (h *testHost) monitors() (l []string) {
	for _, r := range h.registered() {
		if r.Prog == nsm.Program {
			l = append(l, r.Netid+" "+r.Addr)
		}
	}
	return l
}

var (
	server = Peer{Name: "server", Addr: netip.MustParseAddr("127.0.0.1")}
	filer  = Peer{Name: "filer", Addr: netip.MustParseAddr("192.0.2.9")}
)

func TestOneDaemonOfAHostListensForNotices(t *testing.T) {
	h := newHost(t)
	a, b := h.start(t, "boot"), h.start(t, "boot")
	if err := b.Watch(t.Context(), server); err != nil {
		t.Fatal(err)
	}
	regs := h.monitors()
	if len(regs) < 2 {
		t.Fatalf("registered: %v", regs)
	}
	for _, netid := range []string{portmap.NetidUDP, portmap.NetidTCP} {
		at, err := portmap.ParseUaddr(h.registered().Getaddr(t.Context(), nil, &portmap.Rpcb{Prog: nsm.Program, Vers: nsm.Version, Netid: netid}))
		if err != nil {
			t.Fatal(err)
		}
		state := map[string]int32{portmap.NetidUDP: 5, portmap.NetidTCP: 5}[netid]
		err = a.call(t.Context(), netid, netip.AddrPortFrom(server.Addr, at.Port()), func(c *rpc.Client) error {
			n := nsm.NewClient(c)
			for range 3 {
				if err := n.Notify(t.Context(), &nsm.StatChge{Name: "whoever", State: state}); err != nil {
					return err
				}
			}
			// What only its own host may ask is refused, without an error.
			if _, err := n.Mon(t.Context(), &nsm.Mon{}); err == nil {
				t.Error("MON is taken")
			}
			if _, err := n.Stat(t.Context(), "x"); err == nil {
				t.Error("STAT is taken")
			}
			return n.SimuCrash(t.Context())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"server 127.0.0.1 5"}; !slices.Equal(h.heard, want) {
		t.Errorf("heard %q, want %q", h.heard, want)
	}

	// The one that listens ends; the other takes its place, at other ports.
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	wait(t, "the other daemon is registered", func() bool {
		now := h.monitors()
		return len(now) == len(regs) && now[0] != regs[0]
	})
	b.Close()
	if left := h.registered(); len(left) != 0 {
		t.Errorf("left at rpcbind: %v", left)
	}
}

func TestARestartOfRpcbindIsNoticed(t *testing.T) {
	h := newHost(t)
	h.start(t, "boot")
	before := h.monitors()
	h.mu.Lock()
	h.list = nil
	h.mu.Unlock()
	wait(t, "registered again", func() bool { return len(h.monitors()) == len(before) })
}

func TestRegistrationsOfADeadDaemonAreUndone(t *testing.T) {
	h := newHost(t)
	old := portmap.Services(nsm.Program, nsm.Version, 1, 2, false)
	h.list = slices.Clone(old)
	dead, err := openHost(h.dir, "boot")
	if err != nil {
		t.Fatal(err)
	}
	if err := dead.registered(old); err != nil {
		t.Fatal(err)
	}
	dead.own.Close() // it is killed: the lock goes, the file stays
	h.start(t, "boot")
	for _, r := range h.registered() {
		if slices.ContainsFunc(old, r.Same) {
			t.Errorf("still registered: %v", r)
		}
	}
	if len(h.monitors()) < 2 {
		t.Errorf("registered: %v", h.monitors())
	}
	if _, err := os.Stat(dead.own.Name()); err == nil {
		t.Error("its file is still there")
	}
}

func TestRecordOfPeersIsTheHosts(t *testing.T) {
	h := newHost(t)
	a, b := h.start(t, "boot"), h.start(t, "boot")
	want := func(what string, l ...string) {
		t.Helper()
		r, err := loadBoot(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range r.Peers {
			got = append(got, p.Name)
		}
		if strings.Join(got, ",") != strings.Join(l, ",") {
			t.Errorf("%s: on the record are %q, want %q", what, got, l)
		}
	}
	do := func(f func(context.Context, Peer) error, p Peer) {
		t.Helper()
		if err := f(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	do(a.Watch, server)
	do(a.Watch, server)
	do(b.Watch, server)
	do(b.Watch, filer)
	want("watched", "server", "filer")
	if got := b.Peers(); len(got) != 2 || got[0].Name != "server" {
		t.Errorf("Peers: %v", got)
	}
	do(a.Unwatch, server)
	do(a.Unwatch, server)
	want("another daemon watches it still", "server", "filer")
	do(b.Unwatch, server)
	want("nobody watches it any more", "filer")
	do(b.Unwatch, server)
	b.Close()
	want("the daemon ended without unwatching", "filer")
	if err := b.Watch(t.Context(), server); err == nil {
		t.Error("Watch after Close is taken")
	}
}

// statd is rpc.statd of the host.
type statd struct {
	listener // what it does not do
	mu       sync.Mutex
	mons     []nsm.Mon
	unmons   []nsm.MonID
}

func (s *statd) Stat(context.Context, *rpc.Request, string) nsm.StatRes { return nsm.StatRes{State: 9} }

func (s *statd) Mon(_ context.Context, _ *rpc.Request, m *nsm.Mon) nsm.StatRes {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mons = append(s.mons, *m)
	if m.ID.Name == filer.Addr.String() {
		return nsm.StatRes{Res: nsm.Fail}
	}
	return nsm.StatRes{State: 11}
}

func (s *statd) Unmon(_ context.Context, _ *rpc.Request, m *nsm.MonID) int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unmons = append(s.unmons, *m)
	return 11
}

func TestBesideStatdItWatches(t *testing.T) {
	h := newHost(t)
	s := new(statd)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l, nsm.Program, nsm.Version, nsm.Serve(s))
	h.list = portmap.Services(nsm.Program, nsm.Version, 1, portOf(l.Addr()), false)
	m := h.start(t, "boot", func(e *env) {
		dial := e.dial
		e.dial = func(ctx context.Context, netid string, to netip.AddrPort) (transport.Conn, error) {
			return dial(ctx, netid, to)
		}
	})
	if got := m.State(); got != 9 {
		t.Errorf("state %d, want statd's, 9", got)
	}
	for range 2 {
		if err := m.Watch(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Watch(t.Context(), filer); err != nil {
		t.Errorf("statd's refusal is an error: %v", err)
	}
	want := nsm.MonID{Name: "127.0.0.1", My: nsm.MyID{Name: "localhost", Prog: 100021, Vers: 4, Proc: 24}}
	if len(s.mons) != 2 || s.mons[0].ID != want || s.mons[0].Priv != m.host.cookie() || m.State() != 11 {
		t.Errorf("MON %v, state %d", s.mons, m.State())
	}
	for range 2 {
		if err := m.Unwatch(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.unmons) != 1 || s.unmons[0] != want {
		t.Errorf("UNMON %v", s.unmons)
	}
	// statd ends: we listen ourselves, and take our own number.
	h.mu.Lock()
	h.list = nil
	h.mu.Unlock()
	wait(t, "we are the status monitor", func() bool { return len(h.monitors()) > 0 })
	wait(t, "with our own state number", func() bool { return m.State() == 1 })
	// statd starts again, and takes the registration: it is asked to watch.
	h.mu.Lock()
	h.list = portmap.Services(nsm.Program, nsm.Version, 1, portOf(l.Addr()), false)
	h.mu.Unlock()
	wait(t, "statd watches again", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.mons) == 3
	})
}

func TestStatdIsKnownByItsCookie(t *testing.T) {
	h := newHost(t)
	m := h.start(t, "boot")
	if err := m.Watch(t.Context(), server); err != nil {
		t.Fatal(err)
	}
	cookie, other := m.host.cookie(), [nsm.PrivSize]byte{1}
	for i, tt := range []struct {
		name, from, peer string
		priv             [nsm.PrivSize]byte
		heeded           bool
	}{
		{"our cookie from this host", "127.0.0.1:4000", "127.0.0.1", cookie, true},
		{"our cookie from another host", "192.0.2.1:700", "127.0.0.1", cookie, false},
		{"another cookie from anybody here", "127.0.0.1:4000", "127.0.0.1", other, false},
		{"another cookie from a reserved port", "[::ffff:127.0.0.1]:700", "server", other, true},
		{"a server that nobody watches", "127.0.0.1:700", "192.0.2.77", cookie, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m.heard.mu.Lock()
			m.heard.last = nil
			m.heard.mu.Unlock()
			h.heard = nil
			e := xdr.NewEncoder(nil)
			(&nsm.Status{Name: tt.peer, State: int32(2*i + 1), Priv: tt.priv}).XDR(e)
			r := &rpc.Request{Remote: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(tt.from)), Args: xdr.NewDecoder(e.Bytes())}
			if stat := m.ServeStatus(t.Context(), r, nil); stat != rpc.Success {
				t.Errorf("answered %v", stat)
			}
			if heeded := len(h.heard) == 1; heeded != tt.heeded {
				t.Errorf("heard %q", h.heard)
			}
		})
	}
	r := &rpc.Request{Args: xdr.NewDecoder([]byte{0, 0})}
	if stat := m.ServeStatus(t.Context(), r, nil); stat != rpc.GarbageArgs {
		t.Errorf("garbage is answered %v", stat)
	}
}
