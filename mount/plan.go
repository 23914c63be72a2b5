package mount

import (
	"slices"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
)

// defaultPort is where NFS listens when no rpcbind says otherwise.
const defaultPort = 2049

// Service is how one of the server's programs is to be reached.
type Service struct {
	// Prog and Vers name the program.
	Prog, Vers uint32
	// Netids are the transports in the order in which they are tried. With
	// AnyFamily they are udp and tcp for either family; otherwise they are as
	// given, udp and tcp meaning IPv4.
	Netids    []string
	AnyFamily bool
	// Port is the port given; 0 means that rpcbind is asked.
	Port uint16
	// Fallback is the port that is tried when there is no rpcbind.
	Fallback uint16
	// Discover says that the transport may change to what the server offers.
	Discover bool
}

// Plan is what is to be tried, in order, worked out from the options alone.
type Plan struct {
	// Rpcbind are the transports, udp and tcp, over which rpcbind is asked about
	// each service, the second if the first is silent; empty means that of the
	// service.
	Rpcbind []string
	Mountd  Service
	NFS     Service
}

// PlanFor works out the plan of the options, by the rules of nfs(5): see the
// package comment. port= goes before the port of an nfs:// URL. With tunnel set
// the connections are made by the caller's own dialer: tunnels carry streams,
// so TCP is tried first throughout, and rpcbind is asked over TCP alone.
func PlanFor(spec mountopt.Spec, o *mountopt.Options, tunnel bool) Plan {
	nfs := Service{Prog: nfs3.Program, Vers: nfs3.Version, Port: o.Port.Or(spec.Port), Fallback: defaultPort}
	mnt := Service{Prog: mountd.Program, Vers: mountd.Version, Port: o.MountPort.Value, Fallback: mountd.DefaultPort}

	nfs.Netids, nfs.AnyFamily, nfs.Discover = []string{portmap.NetidTCP, portmap.NetidUDP}, true, true
	if o.Proto.Set {
		nfs.Netids, nfs.AnyFamily, nfs.Discover = []string{o.Proto.Value}, false, false
	}
	switch {
	case o.MountProto.Set:
		mnt.Netids = []string{o.MountProto.Value}
	case o.Proto.Set:
		mnt.Netids = []string{o.Proto.Value}
	case tunnel:
		mnt.Netids, mnt.AnyFamily, mnt.Discover = []string{portmap.NetidTCP, portmap.NetidUDP}, true, true
	default:
		mnt.Netids, mnt.AnyFamily, mnt.Discover = []string{portmap.NetidUDP, portmap.NetidTCP}, true, true
	}

	p := Plan{Mountd: mnt, NFS: nfs}
	switch {
	case tunnel:
		p.Rpcbind = []string{portmap.NetidTCP}
	case mnt.Discover && nfs.Discover:
		p.Rpcbind = []string{portmap.NetidUDP, portmap.NetidTCP}
	}
	return p
}

// rpcbindOver returns the transports over which rpcbind is asked about netid.
func (p *Plan) rpcbindOver(netid string) []string {
	if len(p.Rpcbind) > 0 {
		return p.Rpcbind
	}
	return []string{transportOf(netid)}
}

// family tells which addresses will do for the service.
func (s *Service) family() family {
	switch {
	case s.AnyFamily:
		return anyFamily
	case isV6(s.Netids[0]):
		return onlyV6
	}
	return onlyV4
}

// netidsAt returns the service's netids for an address of the given family.
func (s *Service) netidsAt(v6 bool) []string {
	if !s.AnyFamily || !v6 {
		return s.Netids
	}
	l := make([]string, len(s.Netids))
	for i, n := range s.Netids {
		l[i] = n + "6"
	}
	return l
}

// endpoint is one way to a service.
type endpoint struct {
	netid string
	port  uint16 // 0: rpcbind is to be asked when it is needed
	asked bool   // rpcbind told the port
}

// endpoints returns the ways to the service in the order in which they are
// tried, given what rpcbind answered; none means that the service is not
// registered over any transport that will do. Without a rpcbind TCP goes
// first if there is a choice: there a port with nobody behind it shows at once.
func (s *Service) endpoints(v6 bool, o *offer) []endpoint {
	var l []endpoint
	for _, n := range s.netidsAt(v6) {
		switch {
		case s.Port != 0:
			l = append(l, endpoint{netid: n, port: s.Port})
		case o.unreachable != nil:
			e := endpoint{netid: n, port: s.Fallback}
			if transportOf(n) == portmap.NetidTCP {
				l = append([]endpoint{e}, l...)
			} else {
				l = append(l, e)
			}
		default:
			q := query{s.Prog, s.Vers, n}
			if a := o.answers[q]; a.port != 0 || slices.Contains(o.later, q) {
				l = append(l, endpoint{netid: n, port: a.port, asked: a.port != 0})
			}
		}
	}
	return l
}

// isV6 reports whether netid is one of IPv6.
func isV6(netid string) bool { return netid == portmap.NetidUDP6 || netid == portmap.NetidTCP6 }

// transportOf returns udp or tcp.
func transportOf(netid string) string {
	if netid == portmap.NetidUDP || netid == portmap.NetidUDP6 {
		return portmap.NetidUDP
	}
	return portmap.NetidTCP
}
