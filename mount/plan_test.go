package mount

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gonfs/gonfs/mountopt"
)

// ways is a plan in short: netids of mountd and NFS, with ports where they are
// known, "?" where the transport may change.
type ways struct {
	Mountd, NFS []string
	MountPort   uint16
	Port        uint16
	Free        string // "", "nfs", "mountd" or "both"
	Rpcbind     []string
}

func TestPlanFollowsTheRulesOfNFS5(t *testing.T) {
	udpTCP, tcpUDP := []string{"udp", "tcp"}, []string{"tcp", "udp"}
	for _, tt := range []struct {
		name, opts string
		tunnel     bool
		urlPort    uint16
		want       ways
	}{
		{name: "nothing given: mountd by UDP, NFS by TCP, then what the server has",
			want: ways{Mountd: udpTCP, NFS: tcpUDP, Free: "both", Rpcbind: udpTCP}},
		{name: "proto=udp goes for both", opts: "proto=udp", want: ways{Mountd: []string{"udp"}, NFS: []string{"udp"}}},
		{name: "proto=tcp goes for both", opts: "proto=tcp", want: ways{Mountd: []string{"tcp"}, NFS: []string{"tcp"}}},
		{name: "udp is proto=udp", opts: "udp", want: ways{Mountd: []string{"udp"}, NFS: []string{"udp"}}},
		{name: "tcp is proto=tcp", opts: "tcp", want: ways{Mountd: []string{"tcp"}, NFS: []string{"tcp"}}},
		{name: "proto=tcp6 is IPv6 for both", opts: "proto=tcp6", want: ways{Mountd: []string{"tcp6"}, NFS: []string{"tcp6"}}},
		{name: "proto=udp6 is IPv6 for both", opts: "proto=udp6", want: ways{Mountd: []string{"udp6"}, NFS: []string{"udp6"}}},
		{name: "mountproto=tcp leaves NFS to discovery, TCP first", opts: "mountproto=tcp", want: ways{Mountd: []string{"tcp"}, NFS: tcpUDP, Free: "nfs"}},
		{name: "mountproto=udp leaves NFS to discovery, TCP first", opts: "mountproto=udp", want: ways{Mountd: []string{"udp"}, NFS: tcpUDP, Free: "nfs"}},
		{name: "both given: each its own", opts: "mountproto=tcp,proto=udp", want: ways{Mountd: []string{"tcp"}, NFS: []string{"udp"}}},
		{name: "both given: the order does not matter", opts: "proto=udp,mountproto=tcp", want: ways{Mountd: []string{"tcp"}, NFS: []string{"udp"}}},
		{name: "both given, by the bare flag", opts: "mountproto=udp,tcp", want: ways{Mountd: []string{"udp"}, NFS: []string{"tcp"}}},
		{name: "the rightmost of proto, udp and tcp counts", opts: "udp,proto=tcp6,tcp", want: ways{Mountd: []string{"tcp"}, NFS: []string{"tcp"}}},
		{name: "the rightmost mountproto counts", opts: "mountproto=udp,mountproto=tcp", want: ways{Mountd: []string{"tcp"}, NFS: tcpUDP, Free: "nfs"}},
		{name: "ports that are given are not asked for", opts: "port=2050,mountport=635",
			want: ways{Mountd: udpTCP, NFS: tcpUDP, Free: "both", Port: 2050, MountPort: 635, Rpcbind: udpTCP}},
		{name: "port 0 is not given", opts: "tcp,port=0,mountport=0", want: ways{Mountd: []string{"tcp"}, NFS: []string{"tcp"}}},
		{name: "an nfs:// URL may give the port of NFS", opts: "tcp", urlPort: 4711, want: ways{Mountd: []string{"tcp"}, NFS: []string{"tcp"}, Port: 4711}},
		{name: "port= goes before the URL's", opts: "tcp,port=2050", urlPort: 4711, want: ways{Mountd: []string{"tcp"}, NFS: []string{"tcp"}, Port: 2050}},
		{name: "a tunnel carries streams", tunnel: true, want: ways{Mountd: tcpUDP, NFS: tcpUDP, Free: "both", Rpcbind: []string{"tcp"}}},
		{name: "a tunnel obeys proto=udp, but for rpcbind", tunnel: true, opts: "udp", want: ways{Mountd: []string{"udp"}, NFS: []string{"udp"}, Rpcbind: []string{"tcp"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := mountopt.Parse(tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			p := PlanFor(mountopt.Spec{Host: "h", Path: "/e", Port: tt.urlPort}, o, tt.tunnel)
			got := ways{Mountd: p.Mountd.Netids, NFS: p.NFS.Netids, Port: p.NFS.Port, MountPort: p.Mountd.Port, Rpcbind: p.Rpcbind}
			got.Free = map[[2]bool]string{{true, true}: "both", {true, false}: "mountd", {false, true}: "nfs"}[[2]bool{p.Mountd.Discover, p.NFS.Discover}]
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if p.Mountd.AnyFamily != p.Mountd.Discover || p.NFS.AnyFamily != p.NFS.Discover {
				t.Error("a transport that was given fixes the family, and only that does")
			}
		})
	}
}

func TestEndpointsAreWhatTheServerOffers(t *testing.T) {
	free := Service{Prog: 1, Vers: 3, Netids: []string{"udp", "tcp"}, AnyFamily: true, Discover: true, Fallback: 20048}
	fixed := Service{Prog: 1, Vers: 3, Netids: []string{"udp"}, Fallback: 20048}
	given := Service{Prog: 1, Vers: 3, Netids: []string{"udp", "tcp"}, AnyFamily: true, Port: 635}
	offers := func(l map[string]uint16) *offer {
		o := &offer{answers: map[query]answer{}}
		for netid, port := range l {
			o.answers[query{1, 3, netid}] = answer{port: port}
		}
		return o
	}
	for _, tt := range []struct {
		name string
		s    Service
		v6   bool
		o    *offer
		want []endpoint
	}{
		{"both are registered: in the service's order", free, false, offers(map[string]uint16{"tcp": 7, "udp": 8}), []endpoint{{"udp", 8, true}, {"tcp", 7, true}}},
		{"the other one was left for later", free, false, &offer{answers: map[query]answer{{1, 3, "udp"}: {port: 8}}, later: []query{{1, 3, "tcp"}}}, []endpoint{{"udp", 8, true}, {"tcp", 0, false}}},
		{"one is registered", free, false, offers(map[string]uint16{"tcp": 7}), []endpoint{{"tcp", 7, true}}},
		{"the other family does not count", free, true, offers(map[string]uint16{"tcp": 7, "udp6": 9}), []endpoint{{"udp6", 9, true}}},
		{"none is registered", free, false, offers(map[string]uint16{"udp": 0}), nil},
		{"a fixed transport does not change", fixed, false, offers(map[string]uint16{"tcp": 7}), nil},
		{"a fixed transport is IPv4 whatever the address", fixed, true, offers(map[string]uint16{"udp": 8, "udp6": 9}), []endpoint{{"udp", 8, true}}},
		{"no rpcbind: the usual port, TCP first", free, true, &offer{unreachable: errors.New("silence")}, []endpoint{{"tcp6", 20048, false}, {"udp6", 20048, false}}},
		{"no rpcbind, fixed", fixed, false, &offer{unreachable: errors.New("silence")}, []endpoint{{"udp", 20048, false}}},
		{"a port that is given needs no rpcbind", given, false, &offer{unreachable: errors.New("silence")}, []endpoint{{"udp", 635, false}, {"tcp", 635, false}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.s.endpoints(tt.v6, tt.o)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(endpoint{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
