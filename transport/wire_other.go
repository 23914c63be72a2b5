//go:build !linux || portable

package transport

import "net"

func newWire(nc net.Conn) wire { return &connWire{nc: nc} }
