package transport

import (
	"os"

	"golang.org/x/sys/unix"
)

// ipv6PreferPublic is IPV6_PREFER_SRC_PUBLIC of RFC 5014, for
// IPV6_ADDR_PREFERENCES: the source address shall not be a temporary one,
// which another takes the place of while servers remember us by it.
const ipv6PreferPublic = 0x2

// setOptions sets what must be set before bind and connect.
func setOptions(fd uintptr, c *candidate) error {
	if c.network[3] == '6' {
		// A wish: a kernel without temporary addresses need not know it.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_ADDR_PREFERENCES, ipv6PreferPublic)
	}
	if !c.tcp {
		// With SO_REUSEADDR, two UDP sockets could have the same port, and one
		// would get the other's datagrams.
		for _, opt := range [...][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
			if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, opt[0], datagramRoom) != nil { // not root
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, opt[1], datagramRoom) // cut to the system's limit
			}
		}
		return nil
	}
	// These make ports run out per server address, rather than per host, and
	// let connect follow an earlier connection of ours in TIME_WAIT, if that
	// had them too: so each socket has them. SO_REUSEPORT is for ports that
	// the kernel's NFS client holds, which sets only that.
	for _, opt := range [...]int{unix.SO_REUSEADDR, unix.SO_REUSEPORT} {
		if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, opt, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	// An attempt that is given up may have been connected a moment before:
	// that ends with RST, so that no port is left in TIME_WAIT. dialFrom takes
	// the option back.
	linger := unix.Linger{Onoff: 1, Linger: 0}
	if err := unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &linger); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if t := c.d.UserTimeout; t > 0 {
		ms := int(max(1, t.Milliseconds()))
		if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, ms); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}
