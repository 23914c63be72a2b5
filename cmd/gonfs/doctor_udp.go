package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// jumbo is the data of one READ or WRITE that needs jumbo frames to stay whole.
const jumbo = 8 << 10

// jumboTime is how long a probe may take: two sendings.
const jumboTime = 2500 * time.Millisecond

// udp tells what messages over UDP would meet on the way to the server.
func (d *doctor) udp(ctx context.Context, s *mount.Session) {
	a, err := netip.ParseAddr(s.Server())
	if err != nil {
		return // a tunnel, which carries streams
	}
	o := s.Options()
	risk := s.UDPRisk()
	f := finding{Check: "udp", Server: s.Server(), Asked: "fragments", Result: isOK}
	if risk == nil {
		f.Asked = "fragments, were it mounted with udp"
		route := mount.RouteTo(netip.AddrPortFrom(a, portOf(o)))
		info := s.FSInfo()
		r := mount.AssessUDP(route, mount.Negotiate(mount.SizeRequest{
			Rsize: d.opts.Rsize.Value, Wsize: d.opts.Wsize.Value, Rtmax: info.Rtmax, Wtmax: info.Wtmax, Dtpref: info.Dtpref,
			UDP: true, V6: a.Is6(), MTU: route.MTU,
		}))
		risk = &r
	}
	if f.Answer = risk.String(); risk.Mixes() {
		f.Result = isNote // it is not mounted that way
		if s.UDPRisk() != nil && o.UDPFrag.Value != mountopt.UDPFragAllow {
			f.Result = isWarning
		}
		f.Cause, f.Try = "fragments of messages that were lost meet those of later ones", risk.Mitigations()
	}
	d.add(f)
	if port := d.udpPort(s, a); port != 0 {
		d.jumbo(ctx, a, port, &risk.Route)
	}
	if s.UDPRisk() == nil {
		d.full(ctx, a, portOf(o), &risk.Route)
	}
}

// portOf is the port of NFS of a session.
func portOf(o *mountopt.Options) uint16 { return o.Port.Or(2049) }

// udpPort is where the server's NFS takes datagrams; 0 if it does not.
func (d *doctor) udpPort(s *mount.Session, a netip.Addr) uint16 {
	if s.UDPRisk() != nil || d.all == nil { // without rpcbind: mostly it is the port of TCP
		return portOf(s.Options())
	}
	for _, w := range ways(d.all, nfs3.Program, a) {
		if w.vers == nfs3.Version && isUDP(w.netid) {
			return w.port
		}
	}
	return 0
}

// filler is arguments that procedure 0 has no use for.
type filler struct{ data []byte }

func (f *filler) XDR(c *xdr.Codec) { c.Borrow(&f.data, 64<<10) }

// probe sends a call of procedure 0 with size bytes of arguments, over UDP in
// one datagram that is not to be cut. Whatever the server answers, it came
// through.
func probe(ctx context.Context, netid string, a netip.Addr, port uint16, size int) error {
	d := &transport.Dialer{NoFragment: true, Timeout: jumboTime}
	err := askThrough(ctx, d, jumboTime, netid, a, port, func(ctx context.Context, c *rpc.Client) error {
		return c.Bind(nfs3.Program, nfs3.Version).Call(ctx, &rpc.Call{Proc: nfs3.ProcNull, Args: &filler{make([]byte, size)}, Idempotent: true})
	})
	var accept *rpc.AcceptError
	if errors.As(err, &accept) {
		return nil
	}
	return err
}

// jumbo tries whether a whole READ or WRITE of 8 KiB gets to the server in one
// frame.
func (d *doctor) jumbo(ctx context.Context, a netip.Addr, port uint16, route *mount.Route) {
	netid := netidOf(portmap.NetidUDP, a)
	began := time.Now()
	err := probe(ctx, netid, a, port, jumbo)
	f := finding{Check: "udp", Server: a.String(), Port: port, Transport: netid, Asked: "8 KiB in one frame, not to be cut",
		LatencyMS: since(began), Answer: textOr(err, "it got through"), Result: isOK}
	var long *transport.SizeError
	var ordinary error
	if isTimeout(err) {
		ordinary = probe(ctx, netid, a, port, 0)
	}
	f.Result, f.Cause, f.Try = judgeJumbo(err, ordinary, errors.As(err, &long), route, a)
	if long != nil {
		f.Answer = fmt.Sprintf("the route has room for %d bytes in a frame: no jumbo frames", long.Max)
	}
	d.add(f)
}

// full tries whether full segments get to the server over TCP: where a router
// has shorter frames, and a firewall swallows what it says about that, small
// calls work and large ones hang.
func (d *doctor) full(ctx context.Context, a netip.Addr, port uint16, route *mount.Route) {
	netid := netidOf(portmap.NetidTCP, a)
	began := time.Now()
	err := probe(ctx, netid, a, port, jumbo)
	f := finding{Check: "tcp", Server: a.String(), Port: port, Transport: netid, Asked: "8 KiB in full segments",
		LatencyMS: since(began), Answer: textOr(err, "they got through"), Result: isOK}
	switch {
	case err == nil:
	case isTimeout(err) && probe(ctx, netid, a, port, 0) == nil:
		f.Result = isWarning
		f.Cause = fmt.Sprintf("small calls are answered, and full frames of %d bytes vanish: a station on the way has shorter ones, and does not say so (a black hole)", route.MTU)
		f.Try = []string{fmt.Sprintf("ping -c 3 -M do -s %d %s", route.MTU-28, a), "sysctl -w net.ipv4.tcp_mtu_probing=1"}
	default:
		f.Result, f.Cause = isNote, "the connection was not answered this time"
	}
	d.add(f)
}

// judgeJumbo explains what became of a jumbo frame; ordinary is what became of a
// small one after it.
func judgeJumbo(err, ordinary error, tooLong bool, route *mount.Route, a netip.Addr) (r result, cause string, try []string) {
	dev := route.Interface
	if dev == "" {
		dev = "DEV"
	}
	switch {
	case err == nil || tooLong:
		return isOK, "", nil
	case !isTimeout(err):
		return isNote, "", nil
	case ordinary == nil:
		return isWarning, fmt.Sprintf("%s has an MTU of %d, but some station on the way does not pass such frames and does not say so; TCP hangs on it, too (a black hole)", dev, route.MTU),
			[]string{fmt.Sprintf("ping -c 3 -M do -s %d %s", route.MTU-28, a), fmt.Sprintf("ip link set %s mtu 1500", dev)}
	}
	return isNote, "NFS does not answer datagrams: a firewall, or the server does not serve UDP", []string{"gonfs rpcinfo -T " + netidOf(portmap.NetidUDP, a) + " " + a.String() + " nfs"}
}
