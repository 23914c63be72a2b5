package mount

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// Dial mounts: it makes one pass over the servers of the spec, their addresses
// and transports, and ends within bounded time or when ctx does. Errors are
// *Error. The session holds connections until Umount or Close.
func Dial(ctx context.Context, cfg Config) (*Session, error) {
	return newMounter(cfg).mount(ctx)
}

// mount is Dial.
func (m *mounter) mount(ctx context.Context) (*Session, error) {
	var worst *Error
	temporary := false
	for _, host := range m.cfg.Spec.Hosts() {
		s, err := m.mountFrom(ctx, host)
		if err == nil {
			return s, nil
		}
		temporary = temporary || err.Temporary
		worst = telling(worst, err)
		if ctx.Err() != nil {
			break
		}
	}
	worst.Temporary = temporary // one that may come back is enough
	return nil, worst
}

// mountFrom mounts from one of the servers.
func (m *mounter) mountFrom(ctx context.Context, host string) (*Session, *Error) {
	end := m.trace.begin(Step{Op: "resolve", Server: host, Asked: "the addresses of " + host})
	targets, err := m.resolve(ctx, host, m.plan.NFS.family(), m.plan.NFS.Netids[0])
	end(hosts(targets), "", err)
	if err != nil {
		return nil, m.newError("resolve", target{host: host}, err, "")
	}
	var worst *Error
	for _, t := range targets {
		t.name = host
		s, err := m.dial(ctx, t)
		if err == nil {
			m.log.InfoContext(ctx, "mounted", "spec", m.spec, "server", t.host, "options", s.opts.String())
			return s, nil
		}
		m.log.DebugContext(ctx, "no mount", "server", t.host, "error", err)
		worst = telling(worst, err)
		if ctx.Err() != nil || !err.otherWay() {
			break
		}
	}
	return nil, worst
}

// dial mounts from one address.
func (m *mounter) dial(ctx context.Context, t target) (*Session, *Error) {
	at, err := m.mountdTarget(ctx, t)
	if err != nil {
		return nil, m.newError("resolve", t, err, "")
	}
	mountdWays, nfsWays, guessed, e := m.discover(ctx, at, t)
	if e != nil {
		return nil, e
	}
	granted, e := m.mnt(ctx, at, mountdWays)
	if e != nil {
		if guessed && e.Temporary {
			e.Hint = fmt.Sprintf("rpcbind did not answer, nor did mountd at port %d: give port= and mountport=, or open port %d", mountdWays[0].port, m.rpcbind)
		}
		return nil, e
	}
	s, e := m.enter(ctx, t, nfsWays, granted)
	if e != nil {
		// The server's list of mounts must not keep what came to nothing, not
		// even when ctx has ended.
		if err := m.umnt(context.WithoutCancel(ctx), granted); err != nil {
			m.log.DebugContext(ctx, "no UMNT", "error", err)
		}
		return nil, e
	}
	return s, nil
}

// mountdTarget returns the address at which mountd is asked: that of NFS,
// unless mountaddr= or mounthost= names another, or mountproto= is of the other
// family.
func (m *mounter) mountdTarget(ctx context.Context, t target) (target, error) {
	f, host := m.plan.Mountd.family(), t.name
	switch {
	case m.opts.MountAt.Set:
		host = m.opts.MountAt.Value.String()
	case m.opts.MountHost.Set:
		host = m.opts.MountHost.Value
	case !t.addr.IsValid() || f.has(t.addr):
		return t, nil
	}
	l, err := m.resolve(ctx, host, f, m.plan.Mountd.Netids[0])
	if err != nil {
		return target{}, err
	}
	return l[0], nil
}

// enter goes from the handle to a session, over each of the ways in turn.
func (m *mounter) enter(ctx context.Context, t target, ways []endpoint, g *mounted) (*Session, *Error) {
	end := m.trace.begin(Step{Op: "sec", Server: t.host, Asked: "a flavour of " + flavorNames(g.flavors)})
	flavor, err := ChooseFlavor(m.opts.Sec, g.flavors)
	end("sec="+flavorName(uint32(flavor)), "", err)
	if err != nil {
		return nil, m.newError("sec", t, err, err.Error())
	}
	fh, err := nfs3.MakeFH(g.fh)
	if err != nil {
		return nil, m.newError("MNT", t, err, "")
	}
	var worst *Error
	for _, way := range ways {
		way, ok := m.settle(ctx, t, &m.plan.NFS, way)
		if !ok {
			continue
		}
		s, e := m.enterOver(ctx, t, way, flavor, fh)
		if e == nil {
			s.granted = g
			s.opts = s.effective(flavor)
			return s, nil
		}
		worst = telling(worst, e)
		if ctx.Err() != nil || !e.otherWay() {
			break
		}
	}
	return nil, worst
}

// enterOver connects to NFS over one way and looks at the export.
func (m *mounter) enterOver(ctx context.Context, t target, way endpoint, flavor rpc.Flavor, fh nfs3.FH) (*Session, *Error) {
	l, err := m.connect(ctx, t, way)
	if err != nil {
		return nil, m.newError("connect", t, err, "")
	}
	c := l.client(flavor)
	s := &Session{m: m, link: l, rpc: c, nfs: nfs3.NewClient(c)}
	var lists *nfsacl.Client
	if m.opts.ACL.Or(true) {
		lists = nfsacl.NewClient(c)
	}
	end := m.trace.begin(stepTo("FSINFO", t, way, "FSINFO, PATHCONF and GETATTR of the export's root"))
	s.root, err = l.examine(ctx, s.nfs, lists, fh)
	if err == nil && s.root.attr.Type != nfs3.TypeDir {
		err = ErrNotDirectory
	}
	hint := m.authHint(err, way.netid, l.source().Port(), l.taken.Load())
	end(s.root.String(), hint, err)
	if err != nil {
		s.Close()
		return nil, m.newError("FSINFO", t, err, hint)
	}
	if s.root.lists {
		s.lists = lists
	}
	end = m.trace.begin(Step{Op: "sizes", Server: t.host, Netid: way.netid, Asked: s.root.offer()})
	s.sizes, s.risk, err = m.negotiate(s.root, t, way)
	end(fmt.Sprintf("%s, READDIR %d", sizesText(s.sizes), s.sizes.Dtsize), "", err)
	if err != nil {
		s.Close()
		return nil, m.newError("sizes", t, err, "")
	}
	l.ready.Store(true)
	return s, nil
}

// negotiate works out the sizes, and what they mean over UDP.
func (m *mounter) negotiate(root *root, t target, way endpoint) (Sizes, *UDPRisk, error) {
	info := &root.info
	r := SizeRequest{
		Rsize: m.opts.Rsize.Value, Wsize: m.opts.Wsize.Value,
		Rtmax: info.Rtmax, Rtpref: info.Rtpref, Wtmax: info.Wtmax, Wtpref: info.Wtpref, Dtpref: info.Dtpref,
		UDP: transportOf(way.netid) == portmap.NetidUDP, V6: t.v6(),
	}
	if !r.UDP || m.tunnel {
		return Negotiate(r), nil, nil
	}
	route := RouteTo(netip.AddrPortFrom(t.addr, way.port))
	r.MTU = route.MTU
	s := Negotiate(r)
	risk := AssessUDP(route, s)
	if risk.Fragments() && m.opts.UDPFrag.Value == mountopt.UDPFragRefuse {
		return s, nil, &FragmentError{risk}
	}
	return s, &risk, nil
}
