//go:build linux && !portable

package mount

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// routeMTU returns the MTU of the route to an address as the kernel knows it,
// from ip(7)'s and ipv6(7)'s socket option, or 0. Nothing is sent.
func routeMTU(hostport, netid string) int {
	network, level, option := "udp4", unix.IPPROTO_IP, unix.IP_MTU
	if isV6(netid) {
		network, level, option = "udp6", unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	conn, err := net.Dial(network, hostport)
	if err != nil {
		return 0
	}
	defer conn.Close()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return 0
	}
	mtu := 0
	err = raw.Control(func(fd uintptr) {
		n, err := unix.GetsockoptInt(int(fd), level, option)
		if err == nil {
			mtu = n
		}
	})
	if err != nil {
		return 0
	}
	return mtu
}
