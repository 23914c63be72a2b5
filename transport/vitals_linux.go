package transport

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Vitals asks TCP_INFO (tcp(7)).
func (s *stream) Vitals() (v Vitals, ok bool) {
	tc, isTCP := s.nc.(*net.TCPConn)
	if !isTCP {
		return s.unaided(), false
	}
	rc, err := tc.SyscallConn()
	if err != nil {
		return v, false
	}
	err = rc.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		v, ok = vitals(info), true
	})
	return v, ok && err == nil
}

// vitals reads a TCP_INFO. The kernel's RTO is what it waits for now: doubled
// with each retransmission.
func vitals(i *unix.TCPInfo) Vitals {
	return Vitals{
		Unacked:  i.Unacked > 0 || i.Probes > 0,
		Acked:    i.Bytes_acked,
		Received: i.Bytes_received,
		SinceAck: time.Duration(i.Last_ack_recv) * time.Millisecond,
		RTO:      time.Duration(i.Rto>>min(i.Backoff, 31)) * time.Microsecond,
	}
}
