package nfstest

import (
	"context"
	"net"
	"os"
	"slices"

	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// networkLocal is the netid of the unix socket (RFC 5665 has none; it is what
// rpcbind calls it).
const networkLocal = "local"

// maxServices bounds what can be registered.
const maxServices = 256

// registry is rpcbind of the clients' host.
type registry struct {
	portmap.Table
	s *Server
}

// hostRpcbind returns what serves version vers of rpcbind of the clients' host.
func hostRpcbind(s *Server, vers uint32) (p rpc.Program, low, high uint32) {
	s.mu.Lock()
	g := registry{slices.Clone(s.services), s}
	s.mu.Unlock()
	switch vers {
	case portmap.Version2:
		p = portmap.Serve(g)
	case portmap.Version3, portmap.Version4:
		p = portmap.ServeRpcbind(g)
	}
	return p, portmap.Version2, portmap.Version4
}

// Getaddr finds nothing, as rpcbind of Linux does for who asks over the socket:
// it looks for an address on the network that the question came by.
func (g registry) Getaddr(context.Context, *rpc.Request, *portmap.Rpcb) string { return "" }

// Set is SET. What is registered already is refused.
func (g registry) Set(_ context.Context, _ *rpc.Request, b *portmap.Rpcb) bool {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	taken := slices.ContainsFunc(g.s.services, func(r portmap.Rpcb) bool { return r.Prog == b.Prog && r.Vers == b.Vers && r.Netid == b.Netid })
	if taken || len(g.s.services) >= maxServices {
		return false
	}
	g.s.services = append(g.s.services, *b)
	return true
}

// Unset is UNSET.
func (g registry) Unset(_ context.Context, _ *rpc.Request, b *portmap.Rpcb) bool {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	n := len(g.s.services)
	g.s.services = slices.DeleteFunc(g.s.services, func(r portmap.Rpcb) bool {
		return r.Prog == b.Prog && r.Vers == b.Vers && (b.Netid == "" || r.Netid == b.Netid)
	})
	return len(g.s.services) < n
}

// registered is the address that a service of the clients' host registered, or "".
func (s *Server) registered(want portmap.Rpcb) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.services {
		if r.Prog == want.Prog && r.Vers == want.Vers && r.Netid == want.Netid {
			return r.Addr
		}
	}
	return ""
}

// ListenLocal plays rpcbind of the host that the clients run on, at the unix
// socket path, as the real one is at portmap.Socket. Services of that host (the
// callbacks of NLM, a status monitor) register themselves there, and the
// server's own callbacks find them. path is removed by Close; neither Down nor
// Restart concerns it.
func (s *Server) ListenLocal(path string) error {
	k, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		k.Close()
		return err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		k.Close()
		return ErrClosed
	}
	defer s.mu.Unlock()
	s.local = append(s.local, k)
	s.wg.Go(func() { s.accept(doorRpcbind, networkLocal, k) }) // ends when k is closed
	return nil
}
