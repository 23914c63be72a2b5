package nfstest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/portmap"
)

// memPorts are the ports of the services for DialContext: the well-known ones,
// which no real socket of a test could have.
var memPorts = [doors]uint16{doorRpcbind: portmap.Port, doorMount: mountd.DefaultPort, doorNFS: 2049, doorNLM: 4045}

// firstPort is the first source port of in-memory connections.
const firstPort = 700

// DialContext connects to the server without any socket; it has the shape of
// net.Dialer.DialContext. network is "tcp" or "udp", also with "4" or "6". The
// host of address is ignored; its port is 111 (rpcbind), 20048 (MOUNT), 2049
// (NFS) or 4045 (NLM), or one that Start listens at. A client that closes its
// connection and dials again comes from the same port, as it needs to for the
// duplicate-request cache. It works in a testing/synctest bubble, if the server
// was made in it.
func (s *Server) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	refuse := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	if s.err != nil {
		return refuse(s.err)
	}
	if err := ctx.Err(); err != nil {
		return refuse(err)
	}
	proto := strings.TrimRight(network, "46")
	if proto != "tcp" && proto != "udp" {
		return refuse(net.UnknownNetworkError(network))
	}
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return refuse(err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return refuse(fmt.Errorf("port %q: %w", text, err))
	}
	d, ok := s.doorAt(uint16(port))
	if !ok {
		return refuse(syscall.ECONNREFUSED)
	}
	near, far := s.memPipe(proto, uint16(port))
	l := &link{door: d, network: proto, local: far.local, remote: far.remote, nc: far, mem: true}
	if !s.newLink(l) {
		near.Close()
		far.Close()
		return refuse(syscall.ECONNREFUSED)
	}
	// Ends with the connection, which Close aborts.
	go func() {
		defer s.wg.Done()
		l.serve()
	}()
	return near, nil
}

// doorAt returns the service that a port belongs to.
func (s *Server) doorAt(port uint16) (door, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d := range doors {
		if port != 0 && (port == memPorts[d] || port == s.ports[d]) {
			return d, true
		}
	}
	return 0, false
}

// memPipe makes the two ends of a connection. Its source port is the one that
// was closed last, or a new one.
func (s *Server) memPipe(proto string, port uint16) (near, far *memConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := proto + strconv.Itoa(int(port))
	src := firstPort + s.memPorts
	if free := s.memFree[to]; len(free) > 0 {
		src, s.memFree[to] = free[len(free)-1], free[:len(free)-1]
	} else {
		s.memPorts++
	}
	client, server := memAddr(proto, src), memAddr(proto, int(port))
	near, far = newMemPipe(proto == "udp", client, server)
	near.closed = sync.OnceFunc(func() {
		s.mu.Lock()
		s.memFree[to] = append(s.memFree[to], src)
		s.mu.Unlock()
	})
	return near, far
}

func memAddr(proto string, port int) net.Addr {
	ip := net.IPv4(127, 0, 0, 1)
	if proto == "udp" {
		return &net.UDPAddr{IP: ip, Port: port}
	}
	return &net.TCPAddr{IP: ip, Port: port}
}
