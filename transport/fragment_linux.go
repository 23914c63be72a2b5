package transport

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// setFragment says whether datagrams that are longer than the route's MTU may
// be cut (ip(7), IP_MTU_DISCOVER).
func setFragment(c *net.UDPConn, v6, may bool) error {
	how := unix.IP_PMTUDISC_DO // the same numbers as IPv6's
	if may {
		how = unix.IP_PMTUDISC_WANT
	}
	level, option := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER
	if v6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER
	}
	return onSocket(c, func(fd int) error { return unix.SetsockoptInt(fd, level, option, how) })
}

// routeMTU returns the MTU of the route to c's peer, as far as the kernel has
// found out; 0 if it does not tell.
func routeMTU(c *net.UDPConn, v6 bool) (mtu int) {
	level, option := unix.IPPROTO_IP, unix.IP_MTU
	if v6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	err := onSocket(c, func(fd int) (err error) {
		mtu, err = unix.GetsockoptInt(fd, level, option)
		return err
	})
	if err != nil {
		return 0
	}
	return mtu
}

// onSocket calls do with the file descriptor of c.
func onSocket(c *net.UDPConn, do func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var called error
	if err := raw.Control(func(fd uintptr) { called = do(int(fd)) }); err != nil {
		return err
	}
	return os.NewSyscallError("sockopt", called)
}
