package mount

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
)

// discover asks rpcbind for the ports that the options leave open, and returns
// the ways to mountd at one address and to NFS at another, mostly the same. Those
// that are not needed if the first one is good have no port: see settle.
// guessed says that mountd's port is the usual one, because no rpcbind
// answered.
func (m *mounter) discover(ctx context.Context, at, t target) (mountdWays, nfsWays []endpoint, guessed bool, e *Error) {
	var mo, no *offer
	if at == t {
		mo = m.learn(ctx, t, &m.plan.Mountd, &m.plan.NFS)
		no = mo
	} else {
		mo, no = m.learn(ctx, at, &m.plan.Mountd), m.learn(ctx, t, &m.plan.NFS)
	}
	if mountdWays, e = m.ways(ctx, &m.plan.Mountd, at, mo); e == nil {
		nfsWays, e = m.ways(ctx, &m.plan.NFS, t, no)
	}
	return mountdWays, nfsWays, mo.unreachable != nil && m.plan.Mountd.Port == 0, e
}

// ways is the list of endpoints, or the error that there is none.
func (m *mounter) ways(ctx context.Context, s *Service, t target, o *offer) ([]endpoint, *Error) {
	if ctx.Err() != nil {
		return nil, m.newError("rpcbind", t, context.Cause(ctx), "")
	}
	l := s.endpoints(t.v6(), o)
	if o.unreachable != nil && s.Port == 0 {
		m.trace.begin(Step{Op: "rpcbind", Server: t.host, Asked: "what to do without rpcbind"})(
			fmt.Sprintf("port %d is tried for %s", s.Fallback, programName(s.Prog)), "", nil)
	}
	if len(l) == 0 {
		err := s.missing(t.v6(), o)
		if isTimeout(err) {
			return nil, m.newError("rpcbind", t, err, "rpcbind answered other questions: the network may lose packets")
		}
		return nil, m.newError("rpcbind", t, err, m.advertised(ctx, t))
	}
	return l, nil
}

// queries are the questions to rpcbind about the service; none if its port is
// known.
func (s *Service) queries(v6 bool) []query {
	if s.Port != 0 {
		return nil
	}
	var l []query
	for _, n := range s.netidsAt(v6) {
		l = append(l, query{s.Prog, s.Vers, n})
	}
	return l
}

// missing is why there is no endpoint: a senseless answer of rpcbind if there
// is one, or that it did not answer; otherwise that the service is not
// registered.
func (s *Service) missing(v6 bool, o *offer) error {
	netids := s.netidsAt(v6)
	silent := false
	for _, n := range netids {
		a, answered := o.answers[query{s.Prog, s.Vers, n}]
		if errors.Is(a.err, portmap.ErrBadAnswer) {
			return a.err
		}
		silent = silent || !answered
	}
	if silent && o.silence != nil {
		return o.silence
	}
	return &portmap.Error{Prog: s.Prog, Vers: s.Vers, Netid: strings.Join(netids, " and "), Err: portmap.ErrNotRegistered}
}

// advertised asks rpcbind for all that it has of NFS and MOUNT, and says it in
// words; "" if it does not tell.
func (m *mounter) advertised(ctx context.Context, t target) string {
	transport := portmap.NetidTCP
	if len(m.plan.Rpcbind) == 0 {
		transport = transportOf(m.plan.NFS.Netids[0])
	}
	ctx, stop := within(ctx, rpcbindUDP, "rpcbind over "+transport)
	defer stop()
	netid := transport
	if t.v6() {
		netid += "6"
	}
	c, err := m.open(ctx, t, endpoint{netid: netid, port: m.rpcbind}, false, nil, retransmit)
	if err != nil {
		return ""
	}
	defer c.Close()
	all, err := registered(ctx, c.Client, t.v6())
	if err != nil {
		return ""
	}
	return "the server has " + versions(all, nfs3.Program, "NFS") + " and " + versions(all, mountd.Program, "MOUNT")
}

// versions is the list of what is registered of a program, in words.
func versions(all []portmap.Rpcb, prog uint32, name string) string {
	netids := map[uint32][]string{}
	for _, e := range all {
		if _, known := portmap.NetidProt(e.Netid); e.Prog == prog && known && !slices.Contains(netids[e.Vers], e.Netid) {
			netids[e.Vers] = append(netids[e.Vers], e.Netid)
		}
	}
	if len(netids) == 0 {
		return "no " + name
	}
	var l []string
	for _, v := range slices.Sorted(maps.Keys(netids)) {
		slices.Sort(netids[v])
		if l = append(l, fmt.Sprintf("%d (%s)", v, strings.Join(netids[v], ", "))); len(l) == maxVersions {
			break
		}
	}
	return name + " version " + strings.Join(l, ", ")
}

// maxVersions bounds what is told of a rpcbind that lists nonsense.
const maxVersions = 8
