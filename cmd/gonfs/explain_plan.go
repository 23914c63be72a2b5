package main

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/gonfs/gonfs/cmd/internal/mounter"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// explain works out the plan of a mount of spec at dir, which may be "". On
// error the explanation holds that and nothing else.
func explain(spec, dir, options string) (*explanation, error) {
	e := &explanation{Sec: []string{}, Warnings: []string{}}
	s, o, err := readMount(spec, dir, options)
	if err != nil {
		e.Error = err.Error()
		return e, err
	}
	e.Spec.Host, e.Spec.Path = s.Host, s.Path
	plan := mount.PlanFor(s, o, false)
	mountd, nfs := transports(s, &plan.Mountd), transports(s, &plan.NFS)
	e.Services.Rpcbind.Transport = rpcbindTransports(s, &plan)
	e.Services.Mountd = viaPort{mountd[0], plan.Mountd.Port, plan.Mountd.Discover}
	e.Services.NFS = viaPort{nfs[0], plan.NFS.Port, plan.NFS.Discover}
	// The lock manager and NFSACL are reached as NFS is, NFSACL on its very
	// connection; the status monitor is as it is whatever the options say.
	e.Services.NLM.Transport, e.Services.NFSACL.Transport = nfs[0], nfs[0]
	e.Services.NSMNotify.Transport, e.Services.NSMListen.Transport = portmap.NetidUDP, "udp,tcp"

	udp := strings.HasPrefix(nfs[0], portmap.NetidUDP)
	p := policy(o, udp)
	e.TimeoMS, e.Retrans = min(p.Timeo, p.MaxTimeo).Milliseconds(), p.Retrans
	e.Backoff = "linear"
	if p.Backoff == rpc.Exponential {
		e.Backoff = "exponential"
	}
	e.Recovery = o.Recovery.Value.String()
	sizes := mount.Negotiate(mount.SizeRequest{Rsize: o.Rsize.Value, Wsize: o.Wsize.Value, UDP: udp})
	if o.Rsize.Value != 0 {
		e.Rsize = sizes.Rsize
	}
	if o.Wsize.Value != 0 {
		e.Wsize = sizes.Wsize
	}
	if e.Sec = o.Sec; len(e.Sec) == 0 {
		e.Sec = []string{"sys"} // what mountd lists may make it another
	}
	e.LocalLock = o.Locks().String()
	e.Background, e.RetryMinutes = o.Background.Value, o.RetryMinutes()
	e.Effective = o.String()
	e.Warnings = append(e.Warnings, o.Warnings...)
	return e, nil
}

// readMount reads what stands on the command line, and nfsmount.conf.
func readMount(spec, dir, options string) (s mountopt.Spec, o *mountopt.Options, err error) {
	if s, err = mountopt.ParseSpec(spec); err != nil {
		return s, nil, err
	}
	if _, err = mountopt.Parse(options); err != nil { // what was typed first
		return s, nil, err
	}
	if options, err = mounter.Defaults(s, dir, options); err != nil {
		return s, nil, err
	}
	o, err = mountopt.Parse(options)
	return s, o, err
}

// transports are the netids of a service in the order in which they are tried.
// Where the family is open it shows only in an address.
func transports(s mountopt.Spec, v *mount.Service) []string {
	l := slices.Clone(v.Netids)
	if a, err := netip.ParseAddr(s.Host); err == nil && a.Unmap().Is6() && v.AnyFamily {
		for i := range l {
			l[i] += "6"
		}
	}
	return l
}

// rpcbindTransports are the netids over which rpcbind is asked: both at once if
// no transport was given, else those of the services whose ports are open.
func rpcbindTransports(s mountopt.Spec, p *mount.Plan) string {
	var asked []string
	for _, v := range []*mount.Service{&p.Mountd, &p.NFS} {
		if v.Port == 0 {
			asked = append(asked, transports(s, v)...)
		}
	}
	var l []string
	for _, netid := range []string{portmap.NetidUDP, portmap.NetidTCP, portmap.NetidUDP6, portmap.NetidTCP6} {
		if slices.Contains(asked, netid) {
			l = append(l, netid)
		}
	}
	return strings.Join(l, ",")
}

// policy is when calls are sent again.
func policy(o *mountopt.Options, udp bool) rpc.Policy {
	timeo := o.Timeo.Or(0)
	if udp {
		return rpc.UDPPolicy(timeo, o.Retrans.Or(-1), rpc.Recovery(o.Recovery.Value))
	}
	return rpc.TCPPolicy(timeo, o.Retrans.Or(-1), rpc.Recovery(o.Recovery.Value))
}
