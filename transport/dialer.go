package transport

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// Dialer opens connections. Its zero value dials from an ephemeral port with
// the defaults below. TCP sends without delay (TCP_NODELAY). The sizes of
// socket buffers are left to the kernel's tuning: any fixed SO_RCVBUF was
// slower (1 MiB reads: 2948 to 3894 MiB/s, against 4027).
type Dialer struct {
	// Reserved asks for a source port below 1024: a random start in 665–1023,
	// downwards, then 664 down to 512. Where binding one is not permitted, or
	// none is left, an ephemeral port is used; PortsTaken tells the latter.
	Reserved bool

	// NoConn leaves UDP sockets unconnected, so that replies from any address
	// are taken: some servers with several answer from another one. Anybody who
	// guesses ports and XIDs may then forge replies.
	NoConn bool

	// Timeout bounds one call of Dial; 0 means 10 s.
	Timeout time.Duration

	// KeepAlive is the idle time before TCP probes; 0 means 30 s. Unanswered
	// probes follow each other by 10 s, or by KeepAlive if that is shorter,
	// three at most.
	KeepAlive time.Duration

	// UserTimeout is TCP_USER_TIMEOUT: how long sent data may stay
	// unacknowledged; 0 leaves the system's. Only Linux has it.
	UserTimeout time.Duration

	// MaxMessage is the longest message that is accepted, in bytes; 0 means
	// 1 MiB + 64 KiB. A peer that sends a longer one is disconnected.
	MaxMessage int

	// NoFragment sends datagrams whole or not at all: one with a payload of
	// more than 512 bytes that is longer than the MTU of the route is refused
	// with *SizeError, which tells how long it may be. Shorter ones, and those
	// that are all head, are cut if need be. Only Linux has it.
	NoFragment bool

	// DialContext, if set, opens the connection in place of the net package:
	// for tunnels (SSH, SOCKS, vsock). Ports and socket options are then its
	// own affair. network is "tcp" or "udp".
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// The defaults of Dialer, and how it tries to have its last port again.
const (
	dialTimeout    = 10 * time.Second
	keepAliveIdle  = 30 * time.Second
	keepAliveEach  = 10 * time.Second
	keepAliveCount = 3
	samePortTries  = 3
	samePortWait   = 50 * time.Millisecond // doubled after each try
)

// Dial connects to address (host:port, the host an IP literal with zone where
// needed, or a name if DialContext is set) over netid: udp, udp6, tcp or tcp6.
// If last is valid, it is the source address that an earlier connection of the
// same endpoint had: its port is tried first, because servers find their
// duplicate-request cache by it; the caller compares LocalAddr to learn
// whether it could be had. ctx cancels the attempt. Errors are those of
// net.Dialer, *SilentError when TCP's SYN was not answered in time, or
// *PortError when no port at all is left.
func (d *Dialer) Dial(ctx context.Context, netid, address string, last netip.AddrPort) (Conn, error) {
	timeout := d.Timeout
	if timeout <= 0 {
		timeout = dialTimeout
	}
	start := time.Now()
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()

	c := candidate{d: d, address: address}
	switch netid {
	case "tcp", "udp":
		c.network = netid + "4"
	case "tcp6", "udp6":
		c.network = netid
	default:
		return nil, &net.OpError{Op: "dial", Net: netid, Err: net.UnknownNetworkError(netid)}
	}
	c.tcp = netid[0] == 't'

	var nc net.Conn
	var err error
	if d.DialContext != nil {
		nc, err = d.DialContext(ctx, netid[:3], address)
	} else if err = c.check(); err == nil {
		nc, err = c.dialSame(ctx, int(last.Port()))
		if err != nil && c.tcp && unanswered(err) {
			err = &SilentError{Remote: address, After: time.Since(start), Err: err}
		}
	}
	if err != nil {
		return nil, err
	}
	if c.tcp {
		s := newStream(nc, d.MaxMessage)
		s.taken = c.taken
		return s, nil
	}
	p := newPacket(nc, d.MaxMessage)
	p.taken = c.taken
	if d.NoFragment {
		p.setWhole()
	}
	return p, nil
}

// candidate is a connection to be opened.
type candidate struct {
	d       *Dialer
	network string // tcp4, tcp6, udp4 or udp6
	address string
	tcp     bool
	taken   *PortError // why the port is not a reserved one, if they ran out
}

// check refuses what would be looked up, or is of the other address family.
func (c *candidate) check() error {
	ap, err := netip.ParseAddrPort(c.address)
	if err != nil {
		return &net.OpError{Op: "dial", Net: c.network, Err: &net.AddrError{Err: "not an IP address and port", Addr: c.address}}
	}
	if ap.Addr().Unmap().Is4() != (c.network[3] == '4') {
		return &net.OpError{Op: "dial", Net: c.network, Err: &net.AddrError{Err: "address of the other family", Addr: c.address}}
	}
	return nil
}

// dialSame dials from port, which an earlier connection had. That may linger
// for a moment: in TIME_WAIT it does no harm, but while its last bytes are not
// acknowledged, connect fails. After some tries, or if port is 0, any port
// does.
func (c *candidate) dialSame(ctx context.Context, port int) (net.Conn, error) {
	wait := samePortWait
	for try := 0; port != 0 && try < samePortTries; try++ {
		nc, err := c.dialFrom(ctx, port)
		if err == nil || ctx.Err() != nil || !portTaken(err) && !bindDenied(err) {
			return nc, err
		}
		if bindDenied(err) || try == samePortTries-1 {
			break
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
		wait *= 2
	}
	if c.d.Reserved {
		return c.dialReserved(ctx)
	}
	return c.dialAny(ctx)
}

// dialReserved dials from the first reserved port that can be had. Whether the
// process may use them is not guessed from its uid: capabilities, user
// namespaces and ip_unprivileged_port_start decide, so it just tries. If other
// mounts have all of them, an ephemeral one may do: the server decides.
func (c *candidate) dialReserved(ctx context.Context) (net.Conn, error) {
	fail := &PortError{Remote: c.address}
	for port := range reservedPorts(firstReserved + rand.IntN(lastReserved-firstReserved+1)) {
		nc, err := c.dialFrom(ctx, port)
		switch {
		case err == nil || ctx.Err() != nil:
			return nc, err
		case bindDenied(err):
			return c.dialAny(ctx)
		case !portTaken(err):
			return nil, err
		}
		fail.Tried++
		fail.Err = err
	}
	nc, err := c.dialAny(ctx)
	switch {
	case err == nil:
		c.taken = fail
	case portTaken(err):
		return nil, fail
	}
	return nc, err
}

// dialAny dials from a port of the system's choice, for TCP by bind. The one
// that connect chooses may be the port of other connections, too, which go
// elsewhere, or of what is left of them in TIME_WAIT: those would keep us from
// having it again.
func (c *candidate) dialAny(ctx context.Context) (net.Conn, error) {
	if c.tcp {
		if nc, err := c.dialFrom(ctx, bindAny); err == nil || !portTaken(err) {
			return nc, err
		} // others have them all, and this one must share
	}
	return c.dialFrom(ctx, 0)
}

// bindAny is the port of bind's choice; 0 is that of connect's.
const bindAny = -1

// dialFrom makes one attempt from port, which may be 0, or bindAny for TCP.
func (c *candidate) dialFrom(ctx context.Context, port int) (net.Conn, error) {
	if c.d.NoConn && !c.tcp {
		return c.listen(ctx, port)
	}
	nd := net.Dialer{Control: c.control}
	if c.tcp {
		idle := c.d.KeepAlive
		if idle <= 0 {
			idle = keepAliveIdle
		}
		nd.KeepAliveConfig = net.KeepAliveConfig{Enable: true, Idle: idle, Interval: min(idle, keepAliveEach), Count: keepAliveCount}
		if port != 0 {
			nd.LocalAddr = &net.TCPAddr{Port: max(0, port)}
		}
	} else if port != 0 {
		nd.LocalAddr = &net.UDPAddr{Port: port}
	}
	nc, err := nd.DialContext(ctx, c.network, c.address)
	if err != nil {
		return nil, err
	}
	if c.tcp && nc.LocalAddr().String() == nc.RemoteAddr().String() {
		abortConn(nc)
		nc.Close()
		return nil, &net.OpError{Op: "dial", Net: c.network, Source: nc.LocalAddr(), Addr: nc.RemoteAddr(), Err: errSelf}
	}
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetLinger(-1) // see setOptions; a connection that has ended already says so soon enough
	}
	return nc, nil
}

// control sets the options of a socket before it is bound.
func (c *candidate) control(_, _ string, rc syscall.RawConn) error {
	var err error
	if e := rc.Control(func(fd uintptr) { err = setOptions(fd, c) }); e != nil {
		return e
	}
	return err
}
