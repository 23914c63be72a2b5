//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package transport

import (
	"os"

	"golang.org/x/sys/unix"
)

// setOptions sets what must be set before bind: see sockopt_linux.go.
func setOptions(fd uintptr, c *candidate) error {
	if !c.tcp {
		return nil
	}
	for _, opt := range [...]int{unix.SO_REUSEADDR, unix.SO_REUSEPORT} {
		if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, opt, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	linger := unix.Linger{Onoff: 1, Linger: 0} // until dialFrom has the connection
	if err := unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &linger); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	return nil
}
