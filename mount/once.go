package mount

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// Time limits of a mount. Those of rpcbind are mount.nfs's (nfs-utils
// support/nfs/getport.c); those of answers are ours: a mountd may be busy
// looking up the client's name for many seconds.
const (
	dialLimit    = 10 * time.Second
	rpcbindUDP   = 3 * time.Second
	rpcbindTCP   = 10 * time.Second
	answerUDP    = 15 * time.Second
	answerTCP    = 30 * time.Second
	umountLimit  = time.Second
	listLimit    = 3 * time.Second        // for NFSACL, when all else is answered
	retransmit   = time.Second            // of datagrams, while mounting
	umntResend   = 300 * time.Millisecond // of datagrams, while unmounting
	hedgeAfter   = 3 * time.Second        // a second transport is tried beside a silent one
	besideAfter  = 200 * time.Millisecond // likewise, of rpcbind: its answer is a lookup
	jukeboxFirst = 100 * time.Millisecond
	jukeboxLast  = 2 * time.Second
)

// answerLimit is how long an answer is waited for over netid.
func answerLimit(netid string) time.Duration {
	if transportOf(netid) == portmap.NetidUDP {
		return answerUDP
	}
	return answerTCP
}

// once is a client for the few calls that a mount makes to one port, which
// fail with the error of the network as soon as there is one. It is to be
// closed: its connection ends with RST, so that no port is left in TIME_WAIT.
type once struct {
	*rpc.Client
	local  netip.AddrPort      // the source address of the connection
	taken  bool                // it is no reserved one, because those are all taken
	unused chan transport.Conn // the connection, until the first call takes it
}

// Close ends the connection.
func (o *once) Close() error {
	err := o.Client.Close()
	select {
	case conn := <-o.unused: // no call was made: the time was up
		conn.Abort()
	default:
	}
	return err
}

// open connects over netid to a port of t. auth may be nil. resend is how
// often a datagram is sent again.
func (m *mounter) open(ctx context.Context, t target, e endpoint, reserved bool, auth rpc.Auth, resend time.Duration) (*once, error) {
	d := m.dialer(reserved)
	m.log.DebugContext(ctx, "trying", "address", t.hostport(e.port), "netid", e.netid)
	conn, err := d.Dial(ctx, e.netid, t.hostport(e.port), netip.AddrPort{})
	if err != nil {
		return nil, err
	}
	policy := rpc.Policy{Timeo: time.Minute, SoftConn: true}
	if transportOf(e.netid) == portmap.NetidUDP {
		policy.Timeo, policy.MaxTimeo = resend, resend
	}
	first := make(chan transport.Conn, 1)
	first <- conn
	c := rpc.NewClient(rpc.Options{
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			select {
			case conn := <-first:
				return conn, nil
			default:
				return nil, ErrConnectionLost
			}
		},
		Policy: policy, Auth: auth, Cred: m.cred, Server: t.host,
	})
	return &once{Client: c, local: sourceOf(conn), taken: m.taken(ctx, conn), unused: first}, nil
}

// dialer returns the dialer of the session's connections.
func (m *mounter) dialer(reserved bool) *transport.Dialer {
	return &transport.Dialer{
		Reserved: reserved, NoConn: m.opts.NoConn.Value, Timeout: dialLimit,
		KeepAlive: m.opts.KeepAlive.Value, DialContext: m.cfg.DialContext,
	}
}

// taken reports whether conn has no reserved port because all are taken. The
// server may take it all the same.
func (m *mounter) taken(ctx context.Context, conn transport.Conn) bool {
	why := transport.PortsTaken(conn)
	if why != nil {
		m.log.WarnContext(ctx, "no reserved port is left, trying another", "error", why)
	}
	return why != nil
}

// sourceOf returns the address that conn comes from, or zero if it has none.
func sourceOf(conn transport.Conn) netip.AddrPort {
	a := conn.LocalAddr()
	if a == nil {
		return netip.AddrPort{}
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return ap
}

// within is ctx with a limit, after which the cause says who was silent.
func within(ctx context.Context, limit time.Duration, what string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, &silenceError{what: what, after: limit})
}

// reason replaces the error of a call that ended with ctx by why ctx ended.
func reason(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	return context.Cause(ctx)
}
