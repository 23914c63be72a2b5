//go:build linux && !portable

package mount

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ask fills in what Linux knows: the MTU of the route rather than that of the
// interface (ip(7), IP_MTU), the speed of the link, and ipfrag_time.
func (r *Route) ask(conn *net.UDPConn) {
	level, option := unix.IPPROTO_IP, unix.IP_MTU
	file := "/proc/sys/net/ipv4/ipfrag_time"
	if r.V6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU
		file = "/proc/sys/net/ipv6/ip6frag_time"
	}
	if raw, err := conn.SyscallConn(); err == nil {
		err = raw.Control(func(fd uintptr) {
			if n, err := unix.GetsockoptInt(int(fd), level, option); err == nil {
				r.MTU = n
			}
		})
		if err != nil {
			return
		}
	}
	if r.Interface != "" {
		r.Speed = max(0, numberIn(filepath.Join("/sys/class/net", r.Interface, "speed"))) // -1: unknown
	}
	if n := numberIn(file); n > 0 {
		r.FragTime = time.Duration(n) * time.Second
	}
}

// numberIn returns the number in a file of /proc or /sys, 0 if there is none.
func numberIn(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return n
}
