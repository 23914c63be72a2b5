package mountopt

import (
	"math"
	"net/netip"
	"time"
)

// Limits of the kernel: NFS_MAX_CONNECTIONS, MAX_TCP_KEEPIDLE.
const (
	maxConnections = 16
	maxKeepAlive   = 32767
)

func setNconnect(p *parser, it item) error {
	n, ok := number(it.value, maxConnections)
	if !ok || n < 1 {
		return badValue(it.name, it.value, "a number of connections (1 to 16)")
	}
	p.o.Nconnect = Some(uint32(n))
	return nil
}

// setKeepAlive takes seconds. 0 is refused: without probes a NAT forgets an
// idle connection, and the next call hangs.
func setKeepAlive(p *parser, it item) error {
	n, ok := number(it.value, maxKeepAlive)
	if !ok || n < 1 {
		return badValue(it.name, it.value, "a number of seconds (1 to 32767)")
	}
	p.o.KeepAlive = Some(time.Duration(n) * time.Second)
	return nil
}

func setNamlen(p *parser, it item) error {
	n, ok := number(it.value, math.MaxUint32)
	if !ok {
		return badValue(it.name, it.value, "a number of bytes (0 to 4294967295)")
	}
	p.o.NameMax = Some(uint32(n))
	return nil
}

// setRetry takes minutes. mount.nfs goes on with a warning where the number is
// bad; here it is an error as for every other option.
func setRetry(p *parser, it item) error {
	n, ok := number(it.value, math.MaxInt32)
	if !ok {
		return badValue(it.name, it.value, "a number of minutes (0 to 2147483647)")
	}
	p.o.Retry = Some(uint32(n))
	return nil
}

func setMountHost(p *parser, it item) error {
	if !isHost(it.value) {
		return badValue(it.name, it.value, "the name or address of a host")
	}
	p.o.MountHost = Some(it.value)
	return nil
}

func setMountAddr(p *parser, it item) error {
	a, err := netip.ParseAddr(it.value)
	if err != nil || !isHost(it.value) { // a zone may be any text
		return badValue(it.name, it.value, "an IP address")
	}
	p.o.MountAt = Some(a.Unmap())
	return nil
}

// setUDPFrag takes what is done about UDP messages that do not fit a frame.
func setUDPFrag(p *parser, it item) error {
	for _, f := range []UDPFrag{UDPFragWarn, UDPFragRefuse, UDPFragAllow} {
		if it.value == f.String() {
			p.o.UDPFrag = Some(f)
			return nil
		}
	}
	return badValue(it.name, it.value, "refuse, warn or allow")
}

// onlyProgram accepts the number that RFC 1813 gives a program. The Linux
// client has no other, too.
func onlyProgram(standard string) setter {
	return func(_ *parser, it item) error {
		if n, ok := number(it.value, math.MaxUint32); !ok || n == 0 {
			return badValue(it.name, it.value, "the number of a program (1 to 4294967295)")
		} else if decimal(uint32(n)) != standard {
			return unsupported(it, "it is "+standard+" (RFC 1813)")
		}
		return nil
	}
}
