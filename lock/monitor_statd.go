package lock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// ProcStatus is the procedure of NLM version 4 by which the host's rpc.statd
// tells that a watched server was restarted; who serves NLM gives it to
// Monitor.ServeStatus. It is not of the protocol: rpc.statd of Linux calls back
// only program 100021, and there only procedures 16 and 24. 16 is what the
// kernel's own lockd asks for; with it, the one's MON would replace the
// other's.
const ProcStatus = 24

// statdTime bounds one question to the host's rpc.statd. It looks names up, and
// where a resolver does not answer that takes 5 s.
const statdTime = 15 * time.Second

// dialFunc opens a connection.
type dialFunc func(ctx context.Context, netid string, to netip.AddrPort) (transport.Conn, error)

// dialReserved dials from a reserved port where it may: some monitors heed no
// others.
func dialReserved(ctx context.Context, netid string, to netip.AddrPort) (transport.Conn, error) {
	d := transport.Dialer{Reserved: true}
	return d.Dial(ctx, netid, net.JoinHostPort(to.Addr().String(), strconv.Itoa(int(to.Port()))), netip.AddrPort{})
}

// call connects to a program, has do make its calls, and ends the connection.
// Each call is sent once.
func (m *Monitor) call(ctx context.Context, netid string, to netip.AddrPort, do func(c *rpc.Client) error) error {
	conn, err := m.env.dial(ctx, netid, to)
	if err != nil {
		return err
	}
	defer conn.Abort()
	given := false
	c := rpc.NewClient(rpc.Options{
		Program: nsm.Program, Version: nsm.Version, Policy: policyOnce, Server: to.String(),
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			if given {
				return nil, errors.New("the connection ended")
			}
			given = true
			return conn, nil
		},
	})
	defer c.Close()
	return do(c)
}

// statdCall asks the host's rpc.statd, whose port rpcbind knows.
func (m *Monitor) statdCall(ctx context.Context, do func(c *nsm.Client) error) error {
	ctx, stop := context.WithTimeout(ctx, statdTime)
	defer stop()
	b, err := portmap.DialLocal(ctx, m.env.rpcbind)
	if err != nil {
		return err
	}
	defer b.Close()
	// The whole list: GETADDR finds no address for who asks over the socket.
	list, err := portmap.NewRpcbind(b, portmap.Version4).Dump(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(r portmap.Rpcb) bool {
		return r.Prog == nsm.Program && r.Vers == nsm.Version && r.Netid == portmap.NetidTCP
	})
	if i < 0 {
		return &portmap.Error{Prog: nsm.Program, Vers: nsm.Version, Netid: portmap.NetidTCP, Err: portmap.ErrNotRegistered}
	}
	a, err := portmap.ParseUaddr(list[i].Addr)
	if err != nil {
		return err
	}
	return m.call(ctx, portmap.NetidTCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port()), func(c *rpc.Client) error {
		return do(nsm.NewClient(c))
	})
}

// me is who is to be told of a restart.
func (m *Monitor) me() nsm.MyID {
	return nsm.MyID{Name: "localhost", Prog: nlm.Program, Vers: nlm.Version, Proc: ProcStatus}
}

// mon has rpc.statd watch p. Its address is p's name there: what a name means
// may change, and looking it up may take long.
func (m *Monitor) mon(ctx context.Context, p Peer) {
	err := m.statdCall(ctx, func(c *nsm.Client) error {
		mon := nsm.Mon{ID: nsm.MonID{Name: p.Addr.String(), My: m.me()}, Priv: m.host.cookie()}
		state, err := c.Mon(ctx, &mon)
		if err == nil {
			m.setState(state)
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		m.once("mon"+p.Addr.String(), "lock: rpc.statd does not watch this server: after a restart of this host its locks may stay behind there",
			"server", p.Name, "address", p.Addr, "error", err)
	}
}

// unmon ends mon.
func (m *Monitor) unmon(ctx context.Context, p Peer) {
	err := m.statdCall(ctx, func(c *nsm.Client) error {
		_, err := c.Unmon(ctx, &nsm.MonID{Name: p.Addr.String(), My: m.me()})
		return err
	})
	if err != nil && ctx.Err() == nil {
		m.once("unmon"+p.Addr.String(), "lock: rpc.statd was not told that a server need not be watched any more", "server", p.Name, "error", err)
	}
}

// setState takes the state number over that rpc.statd has: it is what a server
// will be told after a restart of this host.
func (m *Monitor) setState(state int32) {
	if state < 1 {
		return // a monitor that tells nonsense
	}
	m.mu.Lock()
	m.state = state
	m.mu.Unlock()
}

// ServeStatus answers ProcStatus: rpc.statd of this host tells that a server
// was restarted. It heeds this host alone, and there only who brings our
// cookie, or may use a reserved port, as rpc.statd can; another user's gonfs may
// have been the last to ask it to watch the same server.
func (m *Monitor) ServeStatus(_ context.Context, r *rpc.Request, _ *xdr.Codec) rpc.AcceptStat {
	var s nsm.Status
	if s.XDR(r.Args); r.Args.Err() != nil {
		return rpc.GarbageArgs
	}
	from, err := netip.ParseAddrPort(r.Remote.String())
	if err != nil || !from.Addr().Unmap().IsLoopback() || s.Priv != m.host.cookie() && from.Port() >= 1024 {
		m.once("status", "lock: somebody posed as this host's rpc.statd", "from", r.Remote, "server", s.Name)
		return rpc.Success
	}
	addr, _ := netip.ParseAddr(s.Name) // a name otherwise
	m.hear(addr.Unmap(), s.Name, s.State)
	return rpc.Success
}

// cookie is what rpc.statd must bring back.
func (h *hostState) cookie() [nsm.PrivSize]byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.boot.Cookie
}

// hear heeds a notice that the host at from, or called name, was restarted, if
// any daemon of this host watches it.
func (m *Monitor) hear(from netip.Addr, name string, state int32) {
	b, err := m.host.record()
	if err != nil {
		m.once("record", "lock: the record of peers cannot be read", "error", err)
		return
	}
	i := slices.IndexFunc(b.Peers, func(p Peer) bool { return p.is(from, name) })
	if i < 0 {
		m.once("stranger", "lock: a notice of a restart came from a host that is not watched, and is not heeded", "from", from, "name", fmt.Sprintf("%.64q", name))
		return
	}
	m.heard.notice(b.Peers[i], state, time.Now())
}
