package lock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// Server is where the lock manager of a mount is, and how it is called.
type Server struct {
	// Name is the server as the user wrote it, for messages and for NSM.
	Name string
	// Host is its address, or a name that DialContext understands.
	Host string
	// Netid is the transport of NFS, udp, tcp, udp6 or tcp6: the lock manager
	// is called over the same, as servers call back over the same.
	Netid string
	// Reserved asks for source ports below 1024, as servers want them.
	Reserved bool
	// Hard says that a server that is away is waited for; otherwise a lock
	// fails with EIO.
	Hard bool
	// Cred is the credential of calls that bring none.
	Cred rpc.Cred
	// DialContext opens connections in place of the net package; nil is that.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// addr is the address that callbacks of the server come from; invalid if Host
// is a name.
func (s *Server) addr() netip.Addr {
	a, err := netip.ParseAddr(s.Host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func (s *Server) hostport(port uint16) string {
	return net.JoinHostPort(s.Host, strconv.Itoa(int(port)))
}

func (s *Server) udp() bool { return strings.HasPrefix(s.Netid, portmap.NetidUDP) }

// How long one attempt of a call may take.
const (
	dialTime    = 10 * time.Second
	rpcbindTime = 5 * time.Second
	timeoTCP    = 10 * time.Second
	timeoUDP    = time.Second
)

// policy sends a call again, with its XID, until it is answered (on a mount that
// is not hard: for a while), each time over a fresh connection after the major
// timeout, for which rpcbind is asked again. A server that refuses connections
// is an answer: it has no lock manager, or is just starting.
func (s *Server) policy() rpc.Policy {
	p := rpc.Policy{Timeo: timeoTCP, Retrans: 1, MaxTimeo: 2 * timeoTCP, Reconnect: true, SoftConn: true}
	if s.udp() {
		p.Timeo, p.Retrans, p.Backoff, p.MaxTimeo = timeoUDP, 2, rpc.Exponential, timeoTCP
	}
	if !s.Hard {
		p.Recovery = rpc.SoftErr
	}
	return p
}

// caller calls the lock manager of a server. It is safe for concurrent use.
type caller struct {
	server  Server
	machine string // of AUTH_SYS
	// ended is called when a connection is lost, and when the server answers
	// again after a failure. It must not block.
	ended func()
	// reached says that there was a connection to the lock manager once: as long
	// as there was none, it cannot have heard of any lock.
	reached atomic.Bool

	mu     sync.Mutex // guards all below
	client *rpc.Client
	made   int  // clients so far
	spoken bool // the lock manager has answered once
	// failing says that the last call failed, so that the next answer may be
	// that of a server which has restarted meanwhile.
	failing bool
	closed  bool

	signs       signs     // of absence; see absent
	absentUntil time.Time // until when calls fail with absentErr; see absent
	absentErr   error
}

// call has f make one call. An error is that of the network or of rpc.
func (c *caller) call(ctx context.Context, f func(context.Context, *nlm.Client) error) error {
	client, n, err := c.current()
	if err != nil {
		return err
	}
	err = f(ctx, nlm.NewClient(client))
	gone := err != nil && rpc.GaveUp(ctx)
	c.mu.Lock()
	back := err == nil && c.failing
	switch {
	case err == nil:
		c.spoken, c.failing = true, false
	case !gone:
		c.failing = true
		if n == c.made {
			c.dropLocked()
		}
	}
	c.mu.Unlock()
	if back {
		c.ended()
	}
	return err
}

// current returns the client in use, and which it is.
func (c *caller) current() (*rpc.Client, int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, 0, rpc.ErrClosed
	case time.Now().Before(c.absentUntil):
		return nil, 0, c.absentErr
	case c.client == nil:
		c.made++
		n := c.made
		c.client = rpc.NewClient(rpc.Options{
			Program: nlm.Program, Version: nlm.Version, Server: c.server.Host,
			Policy: c.server.policy(), Auth: rpc.AuthSys(c.machine), Cred: c.server.Cred,
			Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) { return c.dial(ctx, last, n) },
		})
	}
	return c.client, c.made, nil
}

// dropLocked has the next call start over, at rpcbind.
func (c *caller) dropLocked() {
	old := c.client
	c.client = nil
	c.made++ // what becomes of the old one's connections is of no interest
	if old != nil {
		go old.Close() // within a second: it waits for its connections
	}
}

// close ends all calls.
func (c *caller) close() {
	c.mu.Lock()
	c.closed = true
	old := c.client
	c.client = nil
	c.made++
	c.mu.Unlock()
	if old != nil {
		old.Close()
	}
}

// noRpcbindError is a rpcbind that does not answer.
type noRpcbindError struct{ err error }

func (e *noRpcbindError) Error() string { return "rpcbind does not answer: " + e.err.Error() }
func (e *noRpcbindError) Unwrap() error { return e.err }

// dial connects client n to the lock manager.
func (c *caller) dial(ctx context.Context, last netip.AddrPort, n int) (transport.Conn, error) {
	port, err := c.server.portOf(ctx, c.machine)
	if err != nil {
		return nil, err
	}
	d := c.server.dialer(c.server.Reserved)
	conn, err := d.Dial(ctx, c.server.Netid, c.server.hostport(port), last)
	if err != nil {
		return nil, err
	}
	c.reached.Store(true)
	return &watched{conn, func() {
		c.mu.Lock()
		current := n == c.made
		c.mu.Unlock()
		if current {
			c.ended()
		}
	}}, nil
}

// watched is a connection whose end is told.
type watched struct {
	transport.Conn
	ended func()
}

// Serve implements transport.Conn.
func (w *watched) Serve(r transport.Receiver) error {
	err := w.Conn.Serve(r)
	w.ended()
	return err
}

func (s *Server) dialer(reserved bool) *transport.Dialer {
	return &transport.Dialer{Reserved: reserved, Timeout: dialTime, DialContext: s.DialContext}
}

// portOf asks rpcbind of the server for the port of its lock manager: over the
// transport that the answer is for, and over the other if that fails.
func (s *Server) portOf(ctx context.Context, machine string) (uint16, error) {
	port, err := s.ask(ctx, s.Netid, machine)
	var silent *noRpcbindError
	if errors.As(err, &silent) && s.DialContext == nil {
		other := strings.Replace(s.Netid, portmap.NetidTCP, portmap.NetidUDP, 1)
		if s.udp() {
			other = strings.Replace(s.Netid, portmap.NetidUDP, portmap.NetidTCP, 1)
		}
		if p, err2 := s.ask(ctx, other, machine); !errors.As(err2, &silent) {
			return p, err2
		}
	}
	return port, err
}

// ask asks rpcbind over one transport.
func (s *Server) ask(ctx context.Context, over, machine string) (uint16, error) {
	ctx, stop := context.WithTimeout(ctx, rpcbindTime)
	defer stop()
	policy := rpc.Policy{Timeo: timeoUDP, Recovery: rpc.SoftErr, SoftConn: true}
	c := rpc.NewClient(rpc.Options{
		Program: portmap.Program, Version: portmap.Version2, Policy: policy, Server: s.Host, Auth: rpc.AuthSys(machine),
		Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
			return s.dialer(false).Dial(ctx, over, s.hostport(portmap.Port), last)
		},
	})
	defer c.Close()
	var port uint16
	var err error
	switch v6 := strings.HasSuffix(s.Netid, "6"); {
	case v6 && over == s.Netid:
		err = portmap.Versions34(c, func(b *portmap.Rpcbind) error {
			a, err := b.Getaddr(ctx, portmap.Rpcb{Prog: nlm.Program, Vers: nlm.Version, Netid: s.Netid})
			port = a.Port()
			return err
		})
	case v6: // Getaddr would tell where it is over this transport
		err = portmap.Versions34(c, func(b *portmap.Rpcbind) error {
			all, err := b.Dump(ctx)
			if err == nil {
				port, err = portmap.PortIn(all, nlm.Program, nlm.Version, s.Netid)
			}
			return err
		})
	default:
		prot, _ := portmap.NetidProt(s.Netid)
		port, err = portmap.NewClient(c).Getport(ctx, portmap.Mapping{Prog: nlm.Program, Vers: nlm.Version, Prot: prot})
	}
	switch {
	case err == nil, errors.As(err, new(*portmap.Error)):
		return port, err
	}
	return 0, &noRpcbindError{fmt.Errorf("asking %s over %s: %w", s.Host, over, err)}
}
