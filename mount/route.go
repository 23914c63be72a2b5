package mount

import (
	"net"
	"net/netip"
	"time"
)

// Route is the way of datagrams to a server, as far as this host can see it.
type Route struct {
	Interface string        // where they leave; "" if that is unknown
	MTU       int           // bytes of a frame of the route; 0: unknown
	Speed     int           // of the interface, Mbit/s; 0: unknown, as it is of most virtual ones
	V6        bool          // over IPv6
	FragTime  time.Duration // how long this host keeps fragments while others of their datagram are missing
}

// defaultFragTime is ipfrag_time as Linux comes with it (ip-sysctl).
const defaultFragTime = 30 * time.Second

// RouteTo finds out about the route to an address. Nothing is sent.
func RouteTo(to netip.AddrPort) Route {
	r := Route{V6: to.Addr().Is6(), FragTime: defaultFragTime}
	network := "udp4"
	if r.V6 {
		network = "udp6"
	}
	nc, err := net.Dial(network, to.String())
	if err != nil {
		return r
	}
	defer nc.Close()
	conn := nc.(*net.UDPConn)
	if i := interfaceOf(conn.LocalAddr().(*net.UDPAddr).IP); i != nil {
		r.Interface, r.MTU = i.Name, i.MTU
	}
	r.ask(conn)
	return r
}

// interfaceOf returns the interface that has the address, nil if none has.
func interfaceOf(ip net.IP) *net.Interface {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
				return &i
			}
		}
	}
	return nil
}
