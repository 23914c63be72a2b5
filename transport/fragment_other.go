//go:build !linux

package transport

import (
	"errors"
	"net"
)

// setFragment is for Linux only: elsewhere datagrams are cut as the system sees
// fit.
func setFragment(*net.UDPConn, bool, bool) error { return errors.ErrUnsupported }

// routeMTU does not tell.
func routeMTU(*net.UDPConn, bool) int { return 0 }
