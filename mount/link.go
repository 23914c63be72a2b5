package mount

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// link opens the connections of a session to the NFS program.
type link struct {
	m   *mounter
	at  target
	way endpoint // as it was at mount time

	born  time.Time           // for times that a change of the clock cannot disturb
	first chan transport.Conn // the connection that mount made, until it is used
	lost  chan error          // while mounting: why there is no connection any more
	ready atomic.Bool         // the mount is made: from now on connections are renewed for ever
	made  atomic.Uint32       // connections opened while mounting

	port    atomic.Uint32                  // where the program listens now
	from    atomic.Pointer[netip.AddrPort] // source of the last connection; never nil once there was one
	refused atomic.Bool                    // datagrams are: rpcbind is to be asked before the next connection
	taken   atomic.Bool                    // the last connection has no reserved port, because all are taken
	renewed atomic.Int64                   // when refusals last ended a connection, as time since born
}

// renewEvery is how often refused datagrams may end a connection at most: ICMP
// messages may be forged.
const renewEvery = time.Second

// portLimit is how long rpcbind has for its answer while a connection is made
// anew.
const portLimit = 2 * time.Second

// connect makes the first connection, so that its failure shows as what it is.
func (m *mounter) connect(ctx context.Context, t target, way endpoint) (*link, error) {
	l := &link{m: m, at: t, way: way, born: time.Now(), first: make(chan transport.Conn, 1), lost: make(chan error, 1)}
	l.port.Store(uint32(way.port))
	m.log.DebugContext(ctx, "trying NFS", "address", t.hostport(way.port), "netid", way.netid)
	end := m.trace.begin(stepTo("connect", t, way, "a connection to NFS"))
	conn, err := l.open(ctx, way.port, netip.AddrPort{})
	end(fmt.Sprintf("from port %d", l.source().Port()), "", err)
	if err != nil {
		return nil, err
	}
	l.first <- conn
	return l, nil
}

// client returns the session's NFS client.
func (l *link) client(flavor rpc.Flavor) *rpc.Client {
	m := l.m
	return rpc.NewClient(rpc.Options{
		Program: nfs3.Program, Version: nfs3.Version,
		Dial:   l.dial,
		Policy: m.policy(transportOf(l.way.netid) == portmap.NetidUDP),
		Auth:   m.auth(flavor), Cred: m.cred,
		Connections: m.connections(),
		Probe:       l.probe,
		Idle:        m.opts.IdleTime(),
		Server:      l.at.name, Logger: m.cfg.Logger,
	})
}

// source is where the last connection came from; the zero value if none was made.
func (l *link) source() netip.AddrPort {
	if from := l.from.Load(); from != nil {
		return *from
	}
	return netip.AddrPort{}
}

// udp reports whether messages are datagrams.
func (l *link) udp() bool { return transportOf(l.way.netid) == portmap.NetidUDP }

func (l *link) open(ctx context.Context, port uint16, last netip.AddrPort) (transport.Conn, error) {
	d := l.m.dialer(l.m.resvport)
	d.UserTimeout = l.m.policy(false).Major()
	// Default sizes fit a frame of the route as it is now, and no later one
	// shall cut them. Given ones are sent as they are.
	d.NoFragment = l.m.opts.Wsize.Value == 0 || l.m.opts.UDPFrag.Value == mountopt.UDPFragRefuse
	conn, err := d.Dial(ctx, l.way.netid, l.at.hostport(port), last)
	if err != nil {
		return nil, err
	}
	from := sourceOf(conn)
	l.from.Store(&from)
	l.taken.Store(l.m.taken(ctx, conn))
	if l.udp() {
		conn = &refusals{conn, l}
	}
	return conn, nil
}

// probe opens a connection beside the others, to see whether the server answers
// while one of them is silent. A NULL needs no reserved port. While the mount is
// being made there are limits enough.
func (l *link) probe(ctx context.Context) (transport.Conn, error) {
	if !l.ready.Load() {
		return nil, errNotMounted
	}
	return l.m.dialer(false).Dial(ctx, l.way.netid, l.at.hostport(uint16(l.port.Load())), netip.AddrPort{})
}

var errNotMounted = errors.New("the mount is still being made")

// dial is the Dial of the session's rpc.Client. When nobody listens any more at
// a port that rpcbind had told, rpcbind is asked again: the server may have
// been restarted with other ports.
func (l *link) dial(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
	select {
	case conn := <-l.first:
		return conn, nil
	default:
	}
	if !l.ready.Load() {
		return l.another(ctx, last)
	}
	port := uint16(l.port.Load())
	if l.refused.Swap(false) {
		if moved := l.portNow(ctx); moved != 0 {
			port = moved
		}
	}
	conn, err := l.open(ctx, port, last)
	if !l.way.asked || !errors.Is(err, syscall.ECONNREFUSED) {
		return conn, err
	}
	moved := l.portNow(ctx)
	if moved == 0 || moved == port {
		return nil, err
	}
	return l.open(ctx, moved, last)
}

// another opens one of the connections beside the first (nconnect=) while the
// mount is being made. One too many replaces one that was lost, which is the
// end of the mount.
func (l *link) another(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
	err := ErrConnectionLost
	if int(l.made.Add(1)) < l.m.connections() {
		var conn transport.Conn
		if conn, err = l.open(ctx, uint16(l.port.Load()), last); err == nil {
			return conn, nil
		}
	}
	l.lose(err)
	return nil, err
}

// portNow asks rpcbind for the port of NFS; 0 if it does not tell soon: the
// port that is known may be open again meanwhile.
func (l *link) portNow(ctx context.Context) uint16 {
	ctx, stop := context.WithTimeout(ctx, portLimit)
	defer stop()
	q := query{nfs3.Program, nfs3.Version, l.way.netid}
	port := l.m.ask(ctx, l.at, []query{q}).answers[q].port
	if port == 0 {
		return 0
	}
	if old := l.port.Swap(uint32(port)); old != uint32(port) {
		l.m.log.InfoContext(ctx, "NFS moved to another port", "server", l.at.host, "from", old, "to", port)
	}
	return port
}

// lose ends the first calls.
func (l *link) lose(err error) {
	select {
	case l.lost <- err:
	default:
	}
}

// drop closes the first connection if nobody has used it.
func (l *link) drop() {
	select {
	case conn := <-l.first:
		conn.Abort()
	default:
	}
}

// refusals is a UDP connection that heeds "port unreachable": it is an answer
// while mounting, and later a hint that the program has moved, if rpcbind can
// tell where to.
type refusals struct {
	transport.Conn
	l *link
}

// Send implements transport.Conn.
func (r *refusals) Send(head, payload []byte, cancel <-chan struct{}) error {
	err := r.Conn.Send(head, payload, cancel)
	var refused *transport.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	now, before := int64(time.Since(r.l.born)), r.l.renewed.Load()
	switch {
	case !r.l.ready.Load():
		r.l.lose(err)
	case r.l.way.asked && errors.Is(err, syscall.ECONNREFUSED) && now-before >= int64(renewEvery) && r.l.renewed.CompareAndSwap(before, now):
		r.l.refused.Store(true)
		r.Abort() // the next connection may go elsewhere
	}
	return err
}
