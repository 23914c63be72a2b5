package transport

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Dialer opens connections. Its zero value dials from an ephemeral port with
// the defaults below.
type Dialer struct {
	// Reserved asks for a source port below 1024: a random start in 665–1023,
	// downwards, then 664 down to 512. Where binding one is not permitted, an
	// ephemeral port is used.
	Reserved bool

	// Timeout bounds one connection attempt; 0 means 10 s.
	Timeout time.Duration

	// KeepAlive is the idle time before TCP probes, which then follow each
	// 10 s, three at most; 0 means 30 s.
	KeepAlive time.Duration

	// UserTimeout is TCP_USER_TIMEOUT: how long sent data may stay
	// unacknowledged; 0 leaves the system's.
	UserTimeout time.Duration

	// MaxMessage is the longest message that is accepted, in bytes; 0 means
	// 1 MiB + 64 KiB. A peer that sends a longer one is disconnected.
	MaxMessage int

	// DialContext, if set, opens the connection in place of the net package:
	// for tunnels (SSH, SOCKS, vsock). Ports and socket options are then its
	// own affair. network is "tcp" or "udp".
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial connects to address (host:port, the host an IP literal with zone where
// needed, or a name if DialContext is set) over netid: udp, udp6, tcp or tcp6.
// If last is valid, it is the source address that an earlier connection of the
// same endpoint had: its port is tried first, because servers find their
// duplicate-request cache by it; the caller compares LocalAddr to learn
// whether it could be had. ctx cancels the attempt.
func (d *Dialer) Dial(ctx context.Context, netid, address string, last netip.AddrPort) (Conn, error) {
	timeout := d.Timeout
	if timeout <= 0 {
		timeout = 10 * time.Second
	}
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	network, ok := map[string]string{"udp": "udp4", "udp6": "udp6", "tcp": "tcp4", "tcp6": "tcp6"}[netid]
	if !ok {
		return nil, net.UnknownNetworkError(netid)
	}
	dial := d.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	} else {
		network = network[:3]
	}
	nc, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if network[:3] == "udp" {
		return newPacket(nc, d.MaxMessage), nil
	}
	return NewStream(nc, d.MaxMessage), nil
}
