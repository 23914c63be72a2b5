package rpc

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs/transport"
	"golang.org/x/sys/unix"
)

// Filters of BPF on a server's socket drop segments before its TCP sees them,
// as a NAT that has forgotten a connection does: no ACK, no RST.
var (
	dropAll = []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	// dropData lets SYN and RST through: what a NAT makes a new mapping for, so
	// that the server's end of the old connection answers the SYN with an ACK,
	// we that with RST, and the next SYN finds the port free.
	dropData = []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13}, // flags
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: 0x06, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: ^uint32(0)},
	}
)

// filter attaches a filter to a socket; nil detaches it.
func filter(t *testing.T, c syscall.Conn, f []unix.SockFilter) {
	t.Helper()
	if testing.Short() {
		t.Skip("qemu-user, under which the short form is run, passes neither socket filters nor TCP_INFO on")
	}
	rc, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if e := rc.Control(func(fd uintptr) {
		if f == nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
			return
		}
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]})
	}); e != nil || err != nil {
		t.Fatal(e, err)
	}
}

// port is a server on loopback whose connections the test can get at.
type port struct {
	t     testing.TB
	h     *house
	l     net.Listener
	mu    sync.Mutex // guards what follows
	conns []*net.TCPConn
}

func newPort(t testing.TB, address string) *port {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false) // its sockets take no filters
	l, err := lc.Listen(context.Background(), "tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	p := &port{t: t, h: newHouse(), l: l}
	p.h.wg.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, nc.(*net.TCPConn))
			p.mu.Unlock()
			p.h.wg.Go(func() { p.h.ServeConn(context.Background(), transport.NewStream(nc, 0)) })
		}
	})
	t.Cleanup(func() { p.stop() })
	return p
}

// last returns the server's end of the last connection.
func (p *port) last() *net.TCPConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns[len(p.conns)-1]
}

// reset ends all connections with RST.
func (p *port) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, nc := range p.conns {
		nc.SetLinger(0) // fails on those that ended already
		nc.Close()
	}
	p.conns = nil
}

// stop ends the server as its death does.
func (p *port) stop() {
	p.l.Close()
	p.reset()
	p.h.wg.Wait()
}

// How long a call takes on a connection that died in silence, or with RST. The
// limits leave room for a machine that has much else to do.
func TestDeadConnection(t *testing.T) {
	for _, tt := range []struct {
		name string
		kill func(t *testing.T, p *port)
		most time.Duration
		same bool // from the same port
	}{
		{"forgotten by a NAT: 1.4 s here, from the same port", func(t *testing.T, p *port) { filter(t, p.last(), dropData) }, 5 * time.Second, true},
		{"its port blocked by a firewall: 3.9 s here, from another", func(t *testing.T, p *port) { filter(t, p.last(), dropAll) }, 10 * time.Second, false},
		{"reset: at once, from the same port", func(t *testing.T, p *port) { p.reset() }, 4 * time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPort(t, "127.0.0.1:0")
			d := transport.Dialer{}
			c := NewClient(Options{Program: testProg, Version: testVers, Server: "h", Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
				return d.Dial(ctx, "tcp", p.l.Addr().String(), last)
			}})
			defer c.Close()
			call := func() time.Duration {
				start := time.Now()
				if err := c.Call(context.Background(), &Call{Proc: procWho, Reply: new(number), Idempotent: true}); err != nil {
					t.Error(err)
				}
				return time.Since(start)
			}
			call()
			before := c.Stats().Endpoints[0].Local
			time.Sleep(300 * time.Millisecond) // idle
			tt.kill(t, p)
			took := call()
			t.Logf("the next call took %v", took)
			if took > tt.most {
				t.Errorf("the next call took %v, want at most %v", took, tt.most)
			}
			after := c.Stats().Endpoints[0].Local
			if (after == before) == tt.same {
				return
			}
			// For the moment that it was free, anybody on this machine could have the port.
			if l, err := net.Listen("tcp4", before); tt.same && err != nil {
				t.Logf("from %s, since another has taken %s: %v", after, before, err)
				return
			} else if err == nil {
				l.Close()
			}
			t.Errorf("from %s, after %s", after, before)
		})
	}
}

// While the path is down the connection is kept; soon after it is back, calls
// go on, though TCP itself would wait longer and longer.
func TestPathThatIsDown(t *testing.T) {
	t.Parallel()
	p := newPort(t, "127.0.0.1:0")
	c := dialClient(p.l.Addr(), Policy{})
	defer c.Close()
	if err := c.Call(context.Background(), &Call{}); err != nil {
		t.Fatal(err)
	}
	old := p.last()
	filter(t, old, dropAll)
	filter(t, p.l.(*net.TCPListener), dropAll)
	done := goCall(context.Background(), c, &Call{Idempotent: true})
	time.Sleep(3 * time.Second)
	waitFor(t, func() bool { return c.Stats().Probes > 0 })
	if s := c.Stats(); s.Connects != 1 || s.Replaced != 0 || s.ConnectedCount != 1 {
		t.Errorf("while the path is down: %+v", s)
	}
	filter(t, old, nil)
	filter(t, p.l.(*net.TCPListener), nil)
	start := time.Now()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 8*time.Second { // 0.3 s here
		t.Errorf("the call ended %v after the path was back", took)
	}
}

// openFiles counts the file descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	l, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(l)
}

// Five hundred connections that break under calls leave no file, slot or buffer
// behind; TestMain looks for goroutines.
func TestManyReconnectsOnSockets(t *testing.T) {
	files, buffers := openFiles(t), transport.Outstanding()
	p := newPort(t, "127.0.0.1:0")
	c := dialClient(p.l.Addr(), Policy{})
	call := func() {
		t.Helper()
		if err := c.Call(context.Background(), &Call{Proc: procEcho, Args: &opaque{make([]byte, 20000)}, Reply: new(opaque), Idempotent: true}); err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 500
	for range rounds {
		ctx, cancel := context.WithCancel(context.Background())
		given := goCall(ctx, c, &Call{Proc: procBlock, Idempotent: true})
		call()
		p.reset()
		call()
		cancel()
		if err := <-given; err != context.Canceled {
			t.Fatal(err)
		}
	}
	s := c.Stats()
	if s.CallsInFlight != 0 || s.Connects < rounds || s.Disconnects < s.Connects-1 {
		t.Errorf("got %+v", s)
	}
	for cl, used := range c.core.endpoints[0].slots.used {
		if used != 0 {
			t.Errorf("class %d: %d slots are used", cl, used)
		}
	}
	c.Close()
	p.stop()
	for range 1000 {
		if openFiles(t) <= files && transport.Outstanding() <= buffers {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d files and %d buffers at the end, %d and %d at the beginning", openFiles(t), transport.Outstanding(), files, buffers)
}
