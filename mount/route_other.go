//go:build !linux || portable

package mount

import "net"

// ask has nothing to add: the MTU is that of the interface, and the rest is
// unknown.
func (r *Route) ask(*net.UDPConn) {}
