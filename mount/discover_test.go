package mount

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

func TestTransportsAreDiscovered(t *testing.T) {
	type rules = map[string]string
	for _, tt := range []struct {
		name, host, opts string
		rules            rules
		want             string // mountproto:mountport proto:port
		atLeast, atMost  time.Duration
	}{
		{name: "nothing given", want: "udp:20048 tcp:2049"},
		{name: "nothing given, over IPv6", host: "::1", want: "udp6:20048 tcp6:2049"},
		{name: "rpcbind answers over UDP alone", rules: rules{"tcp 111": "refuse"}, want: "udp:20048 tcp:2049"},
		{name: "rpcbind answers over TCP alone", rules: rules{"udp 111": "silent"}, want: "udp:20048 tcp:2049", atLeast: besideAfter, atMost: besideAfter},
		{name: "rpcbind answers over UDP alone, IPv6: the rest is in its list", host: "::1", rules: rules{"tcp 111": "refuse"}, want: "udp6:20048 tcp6:2049"},
		{name: "rpcbind answers over TCP alone, IPv6", host: "::1", rules: rules{"udp 111": "silent"}, want: "udp6:20048 tcp6:2049", atLeast: besideAfter, atMost: besideAfter},
		{name: "mountd refuses datagrams", rules: rules{"udp 20048": "refuse"}, want: "tcp:20048 tcp:2049"},
		{name: "mountd is silent over UDP: TCP is tried beside it", rules: rules{"udp 20048": "silent"}, want: "tcp:20048 tcp:2049", atLeast: 3 * time.Second, atMost: 3 * time.Second},
		{name: "NFS refuses TCP", rules: rules{"tcp 2049": "refuse"}, want: "udp:20048 udp:2049"},
		{name: "NFS is silent over TCP", rules: rules{"tcp 2049": "silent"}, want: "udp:20048 udp:2049", atLeast: 10 * time.Second, atMost: 10 * time.Second},
		{name: "NFS takes the connection, and is silent", rules: rules{"tcp 2049": "mute"}, want: "udp:20048 udp:2049", atLeast: 30 * time.Second, atMost: 30 * time.Second},
		{name: "no rpcbind: the usual ports", rules: rules{"tcp 111": "refuse", "udp 111": "refuse"}, want: "tcp:20048 tcp:2049"},
		{name: "a silent rpcbind: the usual ports", rules: rules{"tcp 111": "silent", "udp 111": "silent"}, want: "tcp:20048 tcp:2049", atLeast: 10*time.Second + besideAfter, atMost: 10*time.Second + besideAfter},
		{name: "a silent rpcbind, UDP", opts: "udp", rules: rules{"udp 111": "silent"}, want: "udp:20048 udp:2049", atLeast: 3 * time.Second, atMost: 3 * time.Second},
		{name: "a transport that was given is not changed", opts: "proto=udp", rules: rules{"tcp 111": "refuse"}, want: "udp:20048 udp:2049"},
		{name: "ports that are given need no rpcbind", opts: "port=2049,mountport=20048", rules: rules{"tcp 111": "silent", "udp 111": "silent"}, want: "udp:20048 tcp:2049"},
		{name: "proto and mountproto", opts: "proto=tcp,mountproto=udp", want: "udp:20048 tcp:2049"},
		{name: "mountproto and discovery of NFS", opts: "mountproto=tcp", rules: rules{"tcp 2049": "refuse"}, want: "tcp:20048 udp:2049"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.rules == nil {
					tt.rules = rules{}
				}
				if tt.host == "" {
					tt.host = "127.0.0.1"
				}
				w := newWire(nfstest.NewFor(t, nfstest.Options{}), tt.rules)
				start := time.Now()
				s, err := w.mounter(t, tt.host, tt.opts).mount(soon(t))
				took := time.Since(start)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				got := strings.Join([]string{way(s.granted.by), way(s.link.way)}, " ")
				if got != tt.want {
					t.Errorf("mounted over %s, want %s", got, tt.want)
				}
				if took < tt.atLeast || took > tt.atMost+50*time.Millisecond {
					t.Errorf("it took %v, want %v to %v", took, tt.atLeast, tt.atMost)
				}
			})
		})
	}
}

// A mount makes as few calls as it can: Linux's makes 8 to 14, over 2 to 7
// connections.
func TestAMountMakesFewCalls(t *testing.T) {
	const nfs = "FSINFO:1 GETATTR:1 MOUNT.MNT:1 PATHCONF:1"
	for _, tt := range []struct {
		name, host, opts string
		rules            map[string]string
		calls, dials     string
	}{
		{"nothing given", "127.0.0.1", "", nil, nfs + " RPCBIND.GETPORT:2", "udp:111 udp:20048 tcp:2049"},
		{"IPv6, where the other transport is looked up in the list", "::1", "", nil, nfs + " RPCBIND.DUMP:1 RPCBIND.GETADDR:1", "udp:111 udp:20048 tcp:2049"},
		{"tcp", "127.0.0.1", "tcp", nil, nfs + " RPCBIND.GETPORT:2", "tcp:111 tcp:20048 tcp:2049"},
		{"ports that are given", "127.0.0.1", "port=2049,mountport=20048", nil, nfs, "udp:20048 tcp:2049"},
		{"rpcbind is silent over UDP", "127.0.0.1", "", map[string]string{"udp 111": "silent"}, nfs + " RPCBIND.GETPORT:2", "udp:111 tcp:111 udp:20048 tcp:2049"},
		{"mountd refuses datagrams", "127.0.0.1", "", map[string]string{"udp 20048": "refuse"}, nfs + " RPCBIND.GETPORT:3", "udp:111 udp:20048 udp:111 tcp:20048 tcp:2049"},
		{"NFS refuses TCP", "127.0.0.1", "", map[string]string{"tcp 2049": "refuse"}, nfs + " RPCBIND.GETPORT:3", "udp:111 udp:20048 tcp:2049 udp:111 udp:2049"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := nfstest.NewFor(t, nfstest.Options{})
				if tt.rules == nil {
					tt.rules = map[string]string{}
				}
				w := newWire(srv, tt.rules)
				s, err := w.mounter(t, tt.host, strings.TrimPrefix(tt.opts+",noacl", ",")).mount(soon(t))
				if err != nil {
					t.Fatal(err)
				}
				s.Close()
				calls := strings.Trim(strings.TrimPrefix(fmt.Sprint(srv.Counts()), "map"), "[]") // fmt sorts them
				if calls != tt.calls {
					t.Errorf("calls %s, want %s", calls, tt.calls)
				}
				var dials []string
				for _, d := range w.dialed() {
					dials = append(dials, d[:3]+d[strings.LastIndexByte(d, ':'):])
				}
				if got := strings.Join(dials, " "); got != tt.dials {
					t.Errorf("connections %s, want %s", got, tt.dials)
				}
			})
		})
	}
}

func way(e endpoint) string {
	return fmt.Sprintf("%s:%d", e.netid, e.port)
}

func TestRpcbindIsAskedInTheOldWayToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := nfstest.NewFor(t, nfstest.Options{})
		srv.Fault(nfstest.Fault{Program: portmap.Program, Times: nfstest.Forever, If: func(c *nfstest.Call) bool { return c.Version == 4 },
			Do: []nfstest.Action{nfstest.Accept(2)}}) // a PROG_MISMATCH without versions
		w := newWire(srv, map[string]string{"tcp 111": "refuse"})
		s, err := w.mounter(t, "::1", "").mount(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	})
}

// lie makes rpcbind of version 2 answer port to all questions.
func lie(srv *nfstest.Server, port uint32) {
	srv.Fault(nfstest.Fault{Program: portmap.Program, Times: nfstest.Forever, Procs: []uint32{portmap.ProcGetport},
		Do: []nfstest.Action{nfstest.Message(func(msg []byte) []byte {
			binary.BigEndian.PutUint32(msg[24:], port)
			return msg
		})}})
}

func TestALyingRpcbindIsAnError(t *testing.T) {
	for _, tt := range []struct {
		name string
		port uint32
		is   error
		msg  string
	}{
		{"port 0 means not registered", 0, portmap.ErrNotRegistered,
			"requested NFS version or transport protocol is not supported: the server has NFS version 3 (tcp, udp) and MOUNT version 3 (tcp, udp)"},
		{"port 65536 is none", 65536, portmap.ErrBadAnswer, ""},
		{"port 2^32-1 is none", 0xffffffff, portmap.ErrBadAnswer, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := nfstest.NewFor(t, nfstest.Options{})
				lie(srv, tt.port)
				_, err := newWire(srv, map[string]string{}).mounter(t, "127.0.0.1", "").mount(soon(t))
				var e *Error
				if !errors.As(err, &e) || !errors.Is(err, tt.is) {
					t.Fatalf("got %v, want %v", err, tt.is)
				}
				if tt.msg != "" && e.Message() != tt.msg {
					t.Errorf("message %q, want %q", e.Message(), tt.msg)
				}
				if n := srv.Counts()["MOUNT.MNT"]; n != 0 {
					t.Errorf("MNT was called %d times", n)
				}
			})
		})
	}
}

// TestASilenceIsNotAnAnswer: CI once lost all three datagrams of one of two
// questions, and the mount failed with "not registered".
func TestASilenceIsNotAnAnswer(t *testing.T) {
	for _, tt := range []struct {
		name string
		lost time.Duration // how long all questions but the first are
		took time.Duration
		want string // what the error says; "" if it is mounted
	}{
		{"what was not answered is asked again", 3 * time.Second, 3 * time.Second, ""},
		{"and once only", time.Hour, 6 * time.Second, "Connection timed out: rpcbind answered other questions: the network may lose packets"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := nfstest.NewFor(t, nfstest.Options{})
				start, first := time.Now(), uint32(0)
				srv.Fault(nfstest.Fault{Program: portmap.Program, Times: nfstest.Forever, Procs: []uint32{portmap.ProcGetport},
					If: func(c *nfstest.Call) bool {
						if first == 0 {
							first = c.XID
						}
						return c.XID != first && time.Since(start) < tt.lost
					}, Do: []nfstest.Action{nfstest.DropCall()}})
				s, err := newWire(srv, map[string]string{}).mounter(t, "127.0.0.1", "udp").mount(soon(t))
				if took := time.Since(start).Round(100 * time.Millisecond); took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				var e *Error
				switch {
				case err == nil:
					s.Close()
					if tt.want != "" {
						t.Error("it is mounted")
					}
				case !errors.As(err, &e) || e.Message() != tt.want || !e.Temporary || errors.Is(err, portmap.ErrNotRegistered):
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// inferring is a rpcbind as they are: it takes the netid of the question from
// the connection that the question came by.
type inferring struct {
	portmap.Table
	netid string
}

func (i inferring) Getaddr(ctx context.Context, r *rpc.Request, b *portmap.Rpcb) string {
	b.Netid = i.netid
	return i.Table.Getaddr(ctx, r, b)
}

func TestTheOtherTransportIsLookedUpInTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var srv rpc.Server
		srv.Register(portmap.Program, portmap.Version4, portmap.ServeRpcbind(inferring{portmap.Table{
			{Prog: 100005, Vers: 3, Netid: "tcp6", Addr: "::.3.231"}, {Prog: 100005, Vers: 3, Netid: "udp6", Addr: "::.3.232"},
		}, "tcp6"}))
		var wg sync.WaitGroup
		m := newMounter(Config{Spec: mountopt.Spec{Host: "::1", Path: "/e"}})
		m.cfg.DialContext = func(_ context.Context, network, _ string) (net.Conn, error) {
			if network != "tcp" {
				return nil, syscall.ECONNREFUSED
			}
			near, far := net.Pipe()
			wg.Go(func() { srv.ServeConn(context.Background(), transport.NewStream(far, 1<<20)) }) // ends with near
			return near, nil
		}
		tcp, udp := query{100005, 3, "tcp6"}, query{100005, 3, "udp6"}
		o := m.ask(t.Context(), target{host: "::1", addr: netip.IPv6Loopback()}, []query{tcp, udp})
		wg.Wait()
		if o.answers[tcp].port != 999 || o.answers[udp].port != 1000 {
			t.Errorf("got %+v", o)
		}
	})
}

// What is not there over the transport that is tried first is asked for over the
// other.
func TestTheOtherTransportIsAskedForWhatIsNotRegistered(t *testing.T) {
	const mnt, nfs = 100005, 100003
	for _, tt := range []struct {
		name  string
		table portmap.Table
		want  string // "" for none
	}{
		{"mountd over TCP alone", portmap.Table{{Prog: mnt, Netid: "tcp", Addr: "::.78.80"}, {Prog: nfs, Netid: "tcp", Addr: "::.8.1"}}, "tcp:20048 tcp:2049"},
		{"all over UDP alone", portmap.Table{{Prog: mnt, Netid: "udp", Addr: "::.78.80"}, {Prog: nfs, Netid: "udp", Addr: "::.8.1"}}, "udp:20048 udp:2049"},
		{"no mountd", portmap.Table{{Prog: nfs, Netid: "tcp", Addr: "::.8.1"}}, ""},
		{"no NFS", portmap.Table{{Prog: mnt, Netid: "udp", Addr: "::.78.80"}, {Prog: mnt, Netid: "tcp", Addr: "::.78.80"}}, ""},
		// An answer that there is none is worth less than why the one that is there did not do.
		{"mountd over UDP alone, which refuses", portmap.Table{{Prog: mnt, Netid: "udp", Addr: "::.0.9"}, {Prog: nfs, Netid: "tcp", Addr: "::.8.1"}}, "refused"},
		{"NFS over TCP alone, which refuses", portmap.Table{{Prog: mnt, Netid: "udp", Addr: "::.78.80"}, {Prog: nfs, Netid: "tcp", Addr: "::.0.9"}}, "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for i := range tt.table {
					tt.table[i].Vers = 3
				}
				var rpcbind rpc.Server
				rpcbind.Register(portmap.Program, portmap.Version2, portmap.Serve(tt.table))
				var wg sync.WaitGroup
				w := newWire(nfstest.NewFor(t, nfstest.Options{}), map[string]string{"udp 111": "refuse", "udp 9": "refuse", "tcp 9": "refuse"})
				m := w.mounter(t, "127.0.0.1", "")
				m.cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					if network != "tcp" || !strings.HasSuffix(addr, ":111") {
						return w.dial(ctx, network, addr)
					}
					near, far := net.Pipe()
					wg.Go(func() { rpcbind.ServeConn(context.Background(), transport.NewStream(far, 1<<20)) }) // ends with near
					return near, nil
				}
				s, err := m.mount(soon(t))
				switch {
				case err == nil:
					s.Close()
					if got := strings.Join([]string{way(s.granted.by), way(s.link.way)}, " "); got != tt.want {
						t.Errorf("mounted over %s, want %q", got, tt.want)
					}
				case tt.want == "refused" && !errors.Is(err, syscall.ECONNREFUSED), tt.want == "" && !errors.Is(err, portmap.ErrNotRegistered):
					t.Errorf("got %v", err)
				}
				wg.Wait()
			})
		})
	}
}

// deaf is a rpcbind that does not answer about mountd over TCP.
type deaf struct{ portmap.Table }

func (d deaf) Getport(ctx context.Context, r *rpc.Request, m *portmap.Mapping) uint32 {
	if m.Prog == 100005 && m.Prot == portmap.ProtTCP {
		<-ctx.Done()
	}
	return d.Table.Getport(ctx, r, m)
}

// That the second question was not answered is no answer either.
func TestASilenceAboutTheOtherTransportIsNotAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rpcbind rpc.Server
		rpcbind.Register(portmap.Program, portmap.Version2, portmap.Serve(deaf{portmap.Table{{Prog: 100003, Vers: 3, Netid: "tcp", Addr: "::.8.1"}}}))
		var wg sync.WaitGroup
		m := newMounter(Config{Spec: mountopt.Spec{Host: "127.0.0.1", Path: "/e"}})
		m.cfg.DialContext = func(_ context.Context, network, _ string) (net.Conn, error) {
			near, far := net.Pipe()
			if network != "tcp" {
				wg.Go(func() { io.Copy(io.Discard, far) }) // likewise
				return near, nil
			}
			wg.Go(func() { rpcbind.ServeConn(context.Background(), transport.NewStream(far, 1<<20)) }) // ends with near
			return near, nil
		}
		_, err := m.mount(soon(t))
		wg.Wait()
		var e *Error
		if !errors.As(err, &e) || !isTimeout(err) || !e.Temporary || errors.Is(err, portmap.ErrNotRegistered) {
			t.Errorf("got %v", err)
		}
	})
}

func TestOnlyThePortOfAnAnswerIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := nfstest.NewFor(t, nfstest.Options{}) // its rpcbind says ::1 to whoever asks
		w := newWire(srv, map[string]string{})
		s, err := w.mounter(t, "2001:db8::7", "").mount(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		for _, d := range w.dialed() {
			if !strings.Contains(d, "[2001:db8::7]:") {
				t.Errorf("dialed %s", d)
			}
		}
	})
}
