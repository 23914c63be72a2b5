package transport

import (
	"net"
	"strings"
)

// A datagram that is longer than a frame of the route is cut into fragments on
// its way, and put together again by the 16-bit number that they share (RFC
// 791). On a fast link the numbers come round while fragments of older
// datagrams still wait for one that was lost: then pieces of two datagrams make
// a third one, and of these the UDP checksum lets 1 in 65536 pass (nfs(5),
// "Using NFS over UDP on high-speed links"). With Dialer.NoFragment datagrams
// leave whole, or not at all.

const (
	v4Headers = 20 + 8 // of IP and UDP, in bytes
	v6Headers = 40 + 8
	// minWhole is the longest payload that is cut if it must be: less than that
	// in one call is no use to anybody, and the least MTU there is (576 bytes
	// as IPv4 promises) would not have room for it.
	minWhole = 512
)

// setWhole makes p's datagrams leave whole. It does nothing where the system
// has no such thing.
func (p *packet) setWhole() {
	if p.sock != nil {
		p.whole = setFragment(p.sock, p.v6(), false) == nil
	}
}

// mtu returns the MTU of the route to the peer; 0 if the system does not tell.
// Only connected sockets know it.
func (p *packet) mtu() int {
	u, loose := p.nc.(*unconnected)
	if !loose {
		return routeMTU(p.sock, p.v6())
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(u.peer))
	if err != nil {
		return 0
	}
	defer c.Close()
	return routeMTU(c, p.v6())
}

// v6 reports whether p's datagrams have the headers of IPv6.
func (p *packet) v6() bool { return strings.HasPrefix(p.nc.RemoteAddr().String(), "[") }

// tooLong is called for a datagram that the kernel did not send, because it is
// longer than the route's MTU. One with a payload is refused, with the length
// that would fit: the caller can send less in one. The others (SYMLINK with a
// long target, SETACL) can not be made shorter, and are cut.
func (p *packet) tooLong(b []byte, payload int) error {
	c := p.sock
	headers := v4Headers
	if p.v6() {
		headers = v6Headers
	}
	limit := p.mtu() - headers
	switch {
	case len(b) <= limit: // two errors in a row were of earlier datagrams: this one is as good as lost
		return nil
	case payload > minWhole && limit > 0:
		return &SizeError{Size: len(b), Max: limit}
	}
	p.cutting.Lock()
	defer p.cutting.Unlock()
	if err := setFragment(c, p.v6(), true); err != nil {
		return err
	}
	_, err := p.nc.Write(b)
	if again := setFragment(c, p.v6(), false); err == nil {
		err = again
	}
	if p.note(err) {
		err = nil
	}
	return err
}
