//go:build !linux || portable

package mount

import "net"

// routeMTU returns the MTU of the interface that the route to an address
// leaves by, or 0. Nothing is sent.
func routeMTU(hostport, netid string) int {
	network := "udp4"
	if isV6(netid) {
		network = "udp6"
	}
	conn, err := net.Dial(network, hostport)
	if err != nil {
		return 0
	}
	defer conn.Close()
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return 0
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return 0
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(local.IP) {
				return i.MTU
			}
		}
	}
	return 0
}
