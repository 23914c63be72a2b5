package portmap

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// UaddrError is text that is no universal address.
type UaddrError struct {
	Uaddr string // the text, cut to 64 bytes
	Msg   string // what is wrong with it
}

// Error implements error.
func (e *UaddrError) Error() string { return fmt.Sprintf("universal address %q: %s", e.Uaddr, e.Msg) }

// Is makes errors.Is(err, ErrBadAnswer) hold.
func (e *UaddrError) Is(target error) bool { return target == ErrBadAnswer }

// ParseUaddr reads a universal address of the IPv4 and IPv6 transports (RFC
// 5665 sections 5.2.3.3 and 5.2.3.4): h.h.h.h.p.p or x:x:x:x:x:x:x:x.p.p, the
// port's bytes in decimal. A zone (fe80::1%eth0.8.1) is kept. Port 0 is
// accepted: it means that nobody listens. Errors are *UaddrError; the empty
// text, which rpcbind answers for a program that is not registered, is one.
func ParseUaddr(s string) (netip.AddrPort, error) {
	fail := func(msg string) (netip.AddrPort, error) {
		return netip.AddrPort{}, &UaddrError{Uaddr: s[:min(len(s), 64)], Msg: msg}
	}
	if s == "" {
		return fail("empty")
	}
	if len(s) > maxString {
		return fail(fmt.Sprintf("%d bytes long", len(s)))
	}
	lo := strings.LastIndexByte(s, '.')
	if lo < 0 {
		return fail("no port")
	}
	hi := strings.LastIndexByte(s[:lo], '.')
	if hi < 0 {
		return fail("no port")
	}
	p1, ok1 := octet(s[hi+1 : lo])
	p2, ok2 := octet(s[lo+1:])
	if !ok1 || !ok2 {
		return fail("the port is not two numbers of 0 to 255")
	}
	host, err := netip.ParseAddr(s[:hi])
	if err != nil {
		return fail("the host is no IP address")
	}
	return netip.AddrPortFrom(host, uint16(p1)<<8|uint16(p2)), nil
}

// FormatUaddr writes a universal address: the inverse of ParseUaddr. The
// invalid AddrPort gives "", which rpcbind answers for "not registered".
func FormatUaddr(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	p := a.Port()
	return fmt.Sprintf("%s.%d.%d", a.Addr(), p>>8, p&0xff)
}

// octet reads 0 to 255: digits only, no sign, no leading zero.
func octet(s string) (byte, bool) {
	if len(s) == 0 || len(s) > 3 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 10, 8)
	return byte(n), err == nil
}
