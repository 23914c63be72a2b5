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
	return nil
}
