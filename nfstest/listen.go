package nfstest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
)

// Start listens on the loopback interface: rpcbind, MOUNT, NFS and NLM have a
// port each, the same one for all networks. networks are netids, "tcp", "udp",
// "tcp6" and "udp6"; none means "tcp" and "udp". Ports are ephemeral: rpcbind
// is not at 111 (unless Options.UsualPorts is set), so a client must be told the
// other ports (MountOptions) or where rpcbind is.
func (s *Server) Start(networks ...string) error {
	if s.err != nil {
		return s.err
	}
	if len(networks) == 0 {
		networks = []string{portmap.NetidTCP, portmap.NetidUDP}
	}
	s.mu.Lock()
	was := s.nets
	s.nets = networks
	s.mu.Unlock()
	if was != nil {
		return fmt.Errorf("nfstest: Start was called before, for %v", was)
	}
	for d := range doors {
		var err error
		if s.o.UsualPorts {
			err = s.listen(d, networks, memPorts[d])
		} else {
			err = s.listenAny(d, networks)
		}
		if err != nil {
			s.hangUp(true)
			return err
		}
	}
	return nil
}

// tries is how often a port is looked for that is free on all networks.
const tries = 50

// listenAny finds a port for d.
func (s *Server) listenAny(d door, networks []string) (err error) {
	for range tries {
		if err = s.listen(d, networks, 0); err == nil {
			return nil
		}
	}
	return err
}

// listen listens for d on all networks at port; 0 is any port that is free.
func (s *Server) listen(d door, networks []string, port uint16) error {
	var socks []socket
	undo := func(err error) error {
		for _, k := range socks {
			k.Close()
		}
		return err
	}
	for _, n := range networks {
		addr := net.JoinHostPort(loopback(n), strconv.Itoa(int(port)))
		switch n {
		case portmap.NetidTCP, portmap.NetidTCP6:
			k, err := net.Listen("tcp", addr)
			if err != nil {
				return undo(err)
			}
			socks, port = append(socks, k), portOf(k.Addr())
		case portmap.NetidUDP, portmap.NetidUDP6:
			k, err := net.ListenPacket("udp", addr)
			if err != nil {
				return undo(err)
			}
			socks, port = append(socks, k), portOf(k.LocalAddr())
		default:
			return undo(fmt.Errorf("nfstest: network %q is none of %v", n, portmap.Netids()))
		}
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return undo(ErrClosed)
	}
	defer s.mu.Unlock()
	s.socks[d], s.ports[d] = socks, port
	for i, k := range socks {
		// Both end when their socket is closed: by Close or Down.
		switch k := k.(type) {
		case net.Listener:
			s.wg.Go(func() { s.accept(d, networks[i], k) })
		case net.PacketConn:
			s.wg.Go(func() { s.packets(d, networks[i], k) })
		}
	}
	return nil
}

// accept takes connections until the listener is closed.
func (s *Server) accept(d door, network string, k net.Listener) {
	for {
		nc, err := k.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a client that was gone before it was accepted
		}
		l := &link{door: d, network: network, local: nc.LocalAddr(), remote: nc.RemoteAddr(), nc: nc}
		if !s.newLink(l) {
			nc.Close()
			continue
		}
		s.wg.Go(l.serve)
	}
}

// maxPeers bounds the UDP addresses that are remembered.
const maxPeers = 1024

// packets takes datagrams until the socket is closed.
func (s *Server) packets(d door, network string, pc net.PacketConn) {
	peers := make(map[netip.AddrPort]*link)
	defer func() {
		for _, l := range peers {
			s.forget(l)
		}
	}()
	for {
		var from net.Addr
		msg, err := readPacket(readerFunc(func(p []byte) (n int, err error) {
			n, from, err = pc.ReadFrom(p)
			return n, err
		}))
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error that an earlier reply caused
		}
		at := from.(*net.UDPAddr).AddrPort()
		l := peers[at]
		if l == nil {
			for old, x := range peers {
				if len(peers) < maxPeers {
					break
				}
				s.forget(x)
				delete(peers, old)
			}
			l = &link{door: d, network: network, local: pc.LocalAddr(), remote: from, pc: pc}
			if !s.newLink(l) {
				msg.Release()
				continue
			}
			peers[at] = l
		}
		l.receive(msg)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// loopback is the address that a network's sockets are bound to.
func loopback(network string) string {
	if network[len(network)-1] == '6' {
		return "::1"
	}
	return "127.0.0.1"
}

// table is what rpcbind has registered: the ports of Start, or those that
// DialContext knows.
func (s *Server) table(mem bool) portmap.Table {
	s.mu.Lock()
	nets, ports := s.nets, s.ports
	s.mu.Unlock()
	if mem {
		nets, ports = portmap.Netids(), memPorts
	}
	var t portmap.Table
	add := func(d door, prog uint32, vers ...uint32) {
		for _, v := range vers {
			for _, n := range nets {
				at := netip.AddrPortFrom(netip.MustParseAddr(loopback(n)), ports[d])
				t = append(t, portmap.Rpcb{Prog: prog, Vers: v, Netid: n, Addr: portmap.FormatUaddr(at), Owner: "nfstest"})
			}
		}
	}
	add(doorRpcbind, portmap.Program, portmap.Version4, portmap.Version3, portmap.Version2)
	add(doorMount, mountd.Program, mountd.Version)
	add(doorNFS, nfs3.Program, nfs3.Version)
	if !s.o.NoACL {
		add(doorNFS, nfsacl.Program, nfsacl.Version)
	}
	if !s.o.NoNLM {
		add(doorNLM, nlm.Program, nlm.Version)
		add(doorNLM, nsm.Program, nsm.Version)
	}
	return t
}
