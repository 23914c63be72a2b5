package transport

import (
	"context"
	"net"
	"net/netip"
	"strconv"
)

// unconnected is a UDP socket that sends to one peer and takes datagrams from
// everybody: for servers with several addresses that answer from another one
// than they were asked at. ICMP errors do not reach it.
type unconnected struct {
	*net.UDPConn
	peer netip.AddrPort
}

// listen makes an unconnected socket; port 0 is the system's choice.
func (c *candidate) listen(ctx context.Context, port int) (net.Conn, error) {
	peer, err := netip.ParseAddrPort(c.address)
	if err != nil {
		return nil, err // check has let it pass
	}
	lc := net.ListenConfig{Control: c.control}
	pc, err := lc.ListenPacket(ctx, c.network, net.JoinHostPort("", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	return &unconnected{pc.(*net.UDPConn), peer}, nil
}

// Read implements net.Conn.
func (u *unconnected) Read(b []byte) (int, error) {
	n, _, err := u.ReadFromUDPAddrPort(b)
	return n, err
}

// Write implements net.Conn.
func (u *unconnected) Write(b []byte) (int, error) { return u.WriteToUDPAddrPort(b, u.peer) }

// RemoteAddr implements net.Conn.
func (u *unconnected) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(u.peer) }
