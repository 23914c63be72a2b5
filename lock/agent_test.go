package lock

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// family is the daemons of a host, in one process.
type family struct {
	mu sync.Mutex // guards engines
	es []*Engine
}

func (f *family) others() []*Engine {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*Engine(nil), f.es...)
}

func (f *family) Granted(_ context.Context, peer netip.Addr, a *nlm.TestArgs, async bool) bool {
	for _, e := range f.others() {
		if e.Granted(peer, a, async) {
			return true
		}
	}
	return false
}

func (f *family) Rebooted(_ context.Context, peer netip.Addr, name string, _ int32) {
	for _, e := range f.others() {
		e.Rebooted(peer, name)
	}
}

// hosted is a server on real sockets, and a host with rpcbind.
type hosted struct {
	s    *nfstest.Server
	fh   nfs3.FH
	h    *testHost
	kids family
}

// newHosted serves over TCP and UDP on the loopback interface.
func newHosted(t *testing.T, o nfstest.Options) *hosted {
	h := &hosted{h: newHost(t)}
	// The server finds our callbacks where our rpcbind says.
	o.DialClient = func(ctx context.Context, client net.Addr, netid string, program uint32) (transport.Conn, error) {
		for _, r := range h.h.registered() {
			if r.Prog == program && r.Netid == netid {
				a, err := portmap.ParseUaddr(r.Addr)
				if err != nil {
					return nil, err
				}
				var d transport.Dialer
				return d.Dial(ctx, netid, "127.0.0.1:"+strconv.Itoa(int(a.Port())), netip.AddrPort{})
			}
		}
		return nil, os.ErrNotExist
	}
	h.s = nfstest.NewFor(t, o)
	if err := h.s.Start("tcp", "udp"); err != nil {
		t.Fatal(err)
	}
	if err := h.s.WriteFile("a", []byte("data"), 0o666); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.fh, err = h.s.Handle("a"); err != nil {
		t.Fatal(err)
	}
	return h
}

// daemon starts an engine of this host. Its connections are real ones, but for
// rpcbind, whose port nobody but root could have.
func (h *hosted) daemon(t *testing.T) *Engine {
	e := New(Config{
		Server: &Server{Name: "server", Host: "127.0.0.1", Netid: "tcp", Hard: true, Cred: *rpc.NewCred(1000, 1000, nil),
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if _, port, _ := net.SplitHostPort(addr); port == "111" {
					return h.s.DialContext(ctx, network, addr)
				}
				var d net.Dialer
				return d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(int(h.s.LockPort()))))
			}},
		StateDir: h.h.dir, Siblings: &h.kids, Rpcbind: h.h.sock, Host: "client",
	})
	e.agentEvery = 20 * time.Millisecond
	h.kids.mu.Lock()
	h.kids.es = append(h.kids.es, e)
	h.kids.mu.Unlock()
	t.Cleanup(func() { e.Close(context.Background()) })
	e.Start()
	return e
}

// lockManagers is what rpcbind has of NLM.
func (h *hosted) lockManagers() (l []string) {
	for _, r := range h.h.registered() {
		if r.Prog == nlm.Program {
			l = append(l, r.Netid+" "+r.Addr)
		}
	}
	return l
}

func TestOneDaemonIsCalledBackForAll(t *testing.T) {
	for name, cb := range map[string]nfstest.Callback{"GRANTED": nfstest.CallGranted, "GRANTED_MSG": nfstest.CallGrantedMsg} {
		t.Run(name, func(t *testing.T) {
			h := newHosted(t, nfstest.Options{Callback: cb})
			first := h.daemon(t)
			wait(t, "the first daemon is the agent", func() bool { return first.Status().Agent })
			second := h.daemon(t)
			regs := h.lockManagers()
			if len(regs) < 2 {
				t.Fatalf("registered: %v", regs)
			}
			take(t, first, h.fh, lk(ann, Exclusive, 0, 9))
			got := make(chan error, 1)
			go func() { got <- second.Lock(t.Context(), h.fh, nil, lk(ann, Exclusive, 0, 9), true) }()
			wait(t, "the second daemon's lock waits at the server", func() bool { return len(h.s.Locks()) == 2 })
			if err := first.Release(t.Context(), h.fh, ann); err != nil {
				t.Fatal(err)
			}
			if err := <-got; err != nil {
				t.Error(err)
			}
			// On a machine that is late a poll may have had the lock before.
			// (remote_test.go looks at the time.)
			wait(t, "the second daemon is called back", func() bool { return second.Status().CalledBack })
			if second.Status().Agent {
				t.Error("the second daemon is the agent")
			}
			// The agent ends; the other takes its place.
			if err := first.Close(t.Context()); err != nil {
				t.Error(err)
			}
			wait(t, "the second daemon is the agent", func() bool { return second.Status().Agent })
			if now := h.lockManagers(); len(now) != len(regs) || now[0] == regs[0] {
				t.Errorf("registered: %v, before it was %v", now, regs)
			}
			if err := second.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if left := h.lockManagers(); len(left) != 0 {
				t.Errorf("left at rpcbind: %v", left)
			}
		})
	}
}

func TestNothingOfOthersIsEverUnset(t *testing.T) {
	h := newHosted(t, nfstest.Options{Callback: nfstest.CallGranted})
	lockd := portmap.Rpcb{Prog: nlm.Program, Vers: nlm.Version, Netid: "udp", Addr: "0.0.0.0.9.9", Owner: "superuser"}
	h.h.mu.Lock()
	h.h.list = append(h.h.list, lockd)
	h.h.mu.Unlock()
	e := h.daemon(t)
	other := h.daemon(t)
	take(t, e, h.fh, lk(ann, Exclusive, 0, 9))
	got := make(chan error, 1)
	go func() { got <- other.Lock(t.Context(), h.fh, nil, lk(ann, Exclusive, 0, 9), true) }()
	wait(t, "the lock is waited for", func() bool { return len(other.Status().Waiting) == 1 })
	time.Sleep(300 * time.Millisecond)
	if n := len(h.s.Locks()); n != 1 {
		t.Errorf("the server has %d locks and requests: nobody can be called back", n)
	}
	if err := e.Release(t.Context(), h.fh, ann); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-got:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the lock is not polled for")
	}
	if e.Status().Agent || other.Status().Agent {
		t.Error("there is an agent")
	}
	for _, d := range h.kids.others() {
		if err := d.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if l := strings.Join(h.lockManagers(), ","); l != "udp 0.0.0.0.9.9" {
		t.Errorf("registered at the end: %s", l)
	}
}

// An agent that was killed leaves a registration at a port where nobody
// listens. The next one knows it, and takes it off.
func TestAnAgentFollowsOneThatWasKilled(t *testing.T) {
	h := newHosted(t, nfstest.Options{})
	dead := portmap.Services(nlm.Program, nlm.Version, 1, 2, false)
	if err := os.MkdirAll(h.h.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(h.h.dir, agentFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := writeAgent(f, dead); err != nil {
		t.Fatal(err)
	}
	f.Close()
	h.h.mu.Lock()
	h.h.list = append(h.h.list, dead...)
	h.h.mu.Unlock()
	e := h.daemon(t)
	wait(t, "there is an agent", func() bool { return e.Status().Agent })
	for _, l := range h.lockManagers() {
		if strings.HasSuffix(l, ".0.1") || strings.HasSuffix(l, ".0.2") {
			t.Errorf("still registered: %s", l)
		}
	}
}

func TestStrangersAreAnsweredAndLoggedOnce(t *testing.T) {
	h := newHosted(t, nfstest.Options{})
	e := h.daemon(t)
	wait(t, "there is an agent", func() bool { return e.Status().Agent })
	var port int
	for _, r := range h.h.registered() {
		if r.Prog == nlm.Program && r.Netid == "udp" {
			a, err := portmap.ParseUaddr(r.Addr)
			if err != nil {
				t.Fatal(err)
			}
			port = int(a.Port())
		}
	}
	c := rpc.NewClient(rpc.Options{Program: nlm.Program, Version: nlm.Version, Policy: rpc.Policy{Timeo: time.Second},
		Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
			var d transport.Dialer
			return d.Dial(ctx, "udp", "127.0.0.1:"+strconv.Itoa(port), last)
		}})
	defer c.Close()
	n := nlm.NewClient(c)
	for _, oh := range []string{"a stranger", ohPrefix + "another", strings.Repeat("x", 1024)} {
		args := &nlm.TestArgs{Cookie: make([]byte, 1024), Lock: nlm.Lock{FH: h.fh.Bytes(), OH: []byte(oh), Svid: 1}}
		if stat, err := n.Granted(t.Context(), nil, args); stat != nlm.Denied || err != nil {
			t.Errorf("GRANTED of %.20s: %v, %v", oh, stat, err)
		}
	}
	if err := n.Message(t.Context(), nil, nlm.ProcGrantedMsg, &nlm.TestArgs{}); err != nil {
		t.Errorf("GRANTED_MSG: %v", err)
	}
	if _, err := n.Lock(t.Context(), nil, &nlm.LockArgs{}); err == nil {
		t.Error("LOCK is taken")
	}
	if err := n.Null(t.Context()); err != nil {
		t.Error(err)
	}
}
