package mount

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

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

	port  atomic.Uint32       // where the program listens now
	first chan transport.Conn // the connection that mount made, until it is used
	lost  chan struct{}       // one token: a refusal, or the end of a connection, while mounting
	ready atomic.Bool         // the mount is made: from now on connections are renewed for ever
	from  atomic.Uint32       // source port of the last connection
}

// connect makes the first connection, so that its failure shows as what it is.
func (m *mounter) connect(ctx context.Context, t target, way endpoint) (*link, error) {
	l := &link{m: m, at: t, way: way, first: make(chan transport.Conn, 1), lost: make(chan struct{}, 1)}
	l.port.Store(uint32(way.port))
	m.log.DebugContext(ctx, "trying NFS", "address", t.hostport(way.port), "netid", way.netid)
	conn, err := l.open(ctx, way.port, netip.AddrPort{})
	if err != nil {
		return nil, err
	}
	if transportOf(way.netid) == portmap.NetidUDP {
		conn = &refusals{Conn: conn, lost: l.lost}
	}
	l.first <- conn
	return l, nil
}

func (l *link) open(ctx context.Context, port uint16, last netip.AddrPort) (transport.Conn, error) {
	conn, err := l.m.dialer(l.m.resvport).Dial(ctx, l.way.netid, l.at.hostport(port), last)
	if err == nil {
		l.from.Store(uint32(sourceOf(conn).Port()))
	}
	return conn, err
}

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
		l.lose()
		return nil, ErrConnectionLost
	}
	port := uint16(l.port.Load())
	conn, err := l.open(ctx, port, last)
	if err == nil || !l.way.asked || !errors.Is(err, syscall.ECONNREFUSED) {
		return conn, err
	}
	q := query{nfs3.Program, nfs3.Version, l.way.netid}
	a := l.m.ask(ctx, l.at, []query{q}).answers[q]
	if a.port == 0 || a.port == port {
		return nil, err
	}
	l.m.log.InfoContext(ctx, "NFS moved to another port", "server", l.at.host, "from", port, "to", a.port)
	if conn, err = l.open(ctx, a.port, last); err == nil {
		l.port.Store(uint32(a.port))
	}
	return conn, err
}

func (l *link) lose() {
	select {
	case l.lost <- struct{}{}:
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

// refusals is a UDP connection that tells about "port unreachable", which is
// an answer while mounting, and a hint only later.
type refusals struct {
	transport.Conn
	lost chan struct{}
}

// Send implements transport.Conn.
func (r *refusals) Send(head, payload []byte, cancel <-chan struct{}) error {
	err := r.Conn.Send(head, payload, cancel)
	var refused *transport.RefusedError
	if errors.As(err, &refused) {
		select {
		case r.lost <- struct{}{}:
		default:
		}
	}
	return err
}

// root is what NFS tells of the export.
type root struct {
	fh       nfs3.FH
	attr     nfs3.Fattr
	info     nfs3.FsinfoReply
	pathconf nfs3.PathconfReply
}

// examine makes the first calls of NFS: FSINFO, PATHCONF and GETATTR at once.
// PATHCONF may fail, and of the two others one must bring the attributes.
func (l *link) examine(ctx context.Context, c *nfs3.Client, fh nfs3.FH) (*root, error) {
	ctx, stop := within(ctx, answerLimit(l.way.netid), "NFS over "+l.way.netid)
	defer stop()
	ctx, give := context.WithCancelCause(ctx)
	defer give(nil)
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // ends when the calls have ended
		select {
		case <-l.lost:
			if transportOf(l.way.netid) == portmap.NetidUDP {
				give(&transport.RefusedError{Remote: udpName(l.at.hostport(l.way.port)), Count: 1})
			} else {
				give(ErrConnectionLost)
			}
		case <-ended:
		}
	})
	r := &root{fh: fh}
	var attr nfs3.GetattrReply
	var infoErr, attrErr, confErr error
	var calls sync.WaitGroup // bounded by ctx
	calls.Go(func() {
		infoErr = patiently(ctx, func() error { return c.Fsinfo(ctx, nil, &nfs3.FsinfoArgs{Root: fh}, &r.info) })
	})
	calls.Go(func() {
		attrErr = patiently(ctx, func() error { return c.Getattr(ctx, nil, &nfs3.GetattrArgs{Object: fh}, &attr) })
	})
	calls.Go(func() { confErr = c.Pathconf(ctx, nil, &nfs3.PathconfArgs{Object: fh}, &r.pathconf) })
	calls.Wait()
	close(ended)
	wg.Wait()

	if infoErr != nil {
		return nil, infoErr
	}
	if confErr != nil {
		l.m.log.DebugContext(ctx, "no PATHCONF", "server", l.at.host, "error", confErr)
		r.pathconf = nfs3.PathconfReply{}
	}
	switch {
	case attrErr == nil:
		r.attr = attr.Attr
	case r.info.Attr.Present:
		r.attr = r.info.Attr.Attr
	default:
		return nil, attrErr
	}
	return r, nil
}

// patiently repeats a call that the server is not ready for, until ctx ends.
func patiently(ctx context.Context, call func() error) error {
	for wait := jukeboxFirst; ; wait = min(2*wait, jukeboxLast) {
		err := call()
		if !errors.Is(err, nfs3.ErrJukebox) {
			return err
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
	}
}

// udpName is the address of a UDP port as text.
type udpName string

// Network implements net.Addr.
func (udpName) Network() string { return "udp" }

func (n udpName) String() string { return string(n) }

// client returns the session's NFS client.
func (l *link) client(flavor rpc.Flavor) *rpc.Client {
	m := l.m
	return rpc.NewClient(rpc.Options{
		Program: nfs3.Program, Version: nfs3.Version,
		Dial:   l.dial,
		Policy: m.policy(transportOf(l.way.netid) == portmap.NetidUDP),
		Auth:   m.auth(flavor), Cred: m.cred,
		Server: m.cfg.Spec.Host, Logger: m.cfg.Logger,
	})
}
