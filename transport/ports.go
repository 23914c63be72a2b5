package transport

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"syscall"
)

// Reserved ports as Linux's client takes them (net/sunrpc/xprtsock.c:
// xprt_min_resvport, xprt_max_resvport), and below, down to where rresvport(3)
// ends: servers that want a "secure" port check for less than 1024 only.
const (
	lastReserved  = 1023
	firstReserved = 665
	lowReserved   = 512
)

// reservedPorts are all reserved ports in the order in which they are tried:
// from start, which lies in 665–1023, downwards to 665, from 1023 down to
// start, and then from 664 down to 512; but for those of services that a host
// may start later, and that firewalls and Wireshark take a connection for.
func reservedPorts(start int) iter.Seq[int] {
	return func(to func(int) bool) {
		yield := func(p int) bool { return isService(p) || to(p) }
		for p := start; p >= firstReserved; p-- {
			if !yield(p) {
				return
			}
		}
		for p := lastReserved; p > start; p-- {
			if !yield(p) {
				return
			}
		}
		for p := firstReserved - 1; p >= lowReserved; p-- {
			if !yield(p) {
				return
			}
		}
	}
}

// isService reports whether p belongs to a service of today: ipmi, ipp, ldaps,
// DNS over TLS, rsync, and FTP, NNTP, IMAP and POP over TLS
// (bindresvport.blacklist of libtirpc has the like).
func isService(p int) bool {
	switch p {
	case 623, 631, 636, 853, 873:
		return true
	}
	return p >= 989 && p <= 995
}

// A PortError tells that no reserved port could be had: Dial returns it when
// there was no ephemeral one either, and PortsTaken when there was.
type PortError struct {
	Remote string
	Tried  int
	Err    error // what the last one failed with
}

// Error implements error.
func (e *PortError) Error() string {
	return fmt.Sprintf("transport: none of the %d reserved ports can be used to reach %s: %v; end other mounts or use noresvport",
		e.Tried, e.Remote, e.Err)
}

// PortsTaken returns why a connection of a Dialer with Reserved comes from an
// ephemeral port, if that is because other connections have all the reserved
// ones; nil otherwise.
func PortsTaken(c Conn) *PortError {
	switch c := c.(type) {
	case *stream:
		return c.taken
	case *packet:
		return c.taken
	}
	return nil
}

// Unwrap returns what the last port failed with.
func (e *PortError) Unwrap() error { return e.Err }

// errSelf is a connection of a socket with itself: TCP allows it where source
// and destination are the same.
var errSelf = os.NewSyscallError("connect", syscall.EADDRINUSE)

// portTaken reports whether a connection failed because its source port is in
// use: by bind, or, with SO_REUSEADDR, by connect, for this one destination.
func portTaken(err error) bool {
	return isErrno(err, syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, wsaeaddrinuse, wsaeaddrnotavail)
}

// bindDenied reports whether the process may not bind the port it asked for.
// A firewall's EPERM comes from connect, and is another matter.
func bindDenied(err error) bool {
	var sys *os.SyscallError
	return errors.As(err, &sys) && sys.Syscall == "bind" && isErrno(err, syscall.EACCES, syscall.EPERM, wsaeacces)
}

// Windows' numbers for what happens to sockets: its syscall.EACCES and so on
// are others. Elsewhere no errno has them.
const (
	wsaeacces        syscall.Errno = 10013
	wsaeaddrinuse    syscall.Errno = 10048
	wsaeaddrnotavail syscall.Errno = 10049
	wsaeconnreset    syscall.Errno = 10054
)

// isErrno reports whether err is one of numbers.
func isErrno(err error, numbers ...syscall.Errno) bool {
	for _, no := range numbers {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}
