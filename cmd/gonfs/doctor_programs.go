package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// slowName is how long a name may take to be looked up before that is worth a
// word: every mount waits for it.
const slowName = time.Second

// maxAddresses is how many addresses of a host are looked at.
const maxAddresses = 4

// hosts looks at one server of the spec: its name, and what is registered at
// each of its addresses. It reports whether the name is known.
func (d *doctor) hosts(ctx context.Context, host string) bool {
	netid := d.opts.Proto.Value
	began := time.Now()
	addrs, err := resolve(ctx, host, netid)
	f := finding{Check: "names", Server: host, Asked: "the addresses of " + host, LatencyMS: since(began), Result: isOK}
	var names []string
	for _, a := range addrs {
		names = append(names, a.String())
	}
	f.Answer = textOr(err, strings.Join(names, ", "))
	switch {
	case err != nil:
		f.Result = isFailure
		f.Cause, f.Try = d.fault("resolve", host, netid, 0, err).diagnose()
	case time.Since(began) > slowName:
		f.Result, f.Cause, f.Try = isWarning, "a name server is slow or away, and every mount waits for it", []string{"cat /etc/resolv.conf", "getent ahosts " + host}
	}
	d.add(f)
	for _, a := range addrs[:min(len(addrs), maxAddresses)] {
		d.address(ctx, host, a, len(addrs) > 1)
	}
	return err == nil
}

// address asks the rpcbind at an address for all it has, over TCP and UDP at
// once, and tries the programs that a mount needs.
func (d *doctor) address(ctx context.Context, host string, a netip.Addr, oneOfMany bool) {
	type told struct {
		all []portmap.Rpcb
		err error
		ms  float64
	}
	var by [2]told
	netids := []string{netidOf(portmap.NetidTCP, a), netidOf(portmap.NetidUDP, a)}
	var wg sync.WaitGroup
	for i, netid := range netids {
		wg.Go(func() { // ends within askTCP
			began := time.Now()
			by[i].err = askServer(ctx, netid, a, portmap.Port, func(ctx context.Context, c *rpc.Client) (err error) {
				by[i].all, err = dumpAll(ctx, c)
				return err
			})
			by[i].ms = since(began)
		})
	}
	wg.Wait()
	given := d.opts.Port.Value != 0 && d.opts.MountPort.Value != 0
	var all []portmap.Rpcb
	for i, t := range by {
		f := finding{Check: "rpcbind", Server: a.String(), Port: portmap.Port, Transport: netids[i], Asked: "all that is registered", LatencyMS: t.ms, Result: isOK}
		if f.Answer = textOr(t.err, fmt.Sprintf("%d entries", len(t.all))); t.err != nil {
			f.Result = isWarning
			if given || by[1-i].err == nil { // the ports are known, or the other transport will do
				f.Result = isNote
			}
			f.Cause, f.Try = d.fault("rpcbind", host, netids[i], portmap.Port, t.err).diagnose()
			if oneOfMany && by[1-i].err != nil {
				f.Cause += fmt.Sprintf("; a mount that is to go to %s only: proto=%s", family(!a.Is6()), netidOf(portmap.NetidTCP, other(a)))
			}
		} else if all == nil {
			all = t.all
		}
		d.add(f)
	}
	if !d.at.IsValid() || d.all == nil && all != nil {
		d.at, d.all = a, all
	}
	if all != nil {
		d.programs(ctx, host, a, all)
	}
}

// family names a family of addresses.
func family(v6 bool) string {
	if v6 {
		return "IPv6"
	}
	return "IPv4"
}

// other returns an address of the other family than a's.
func other(a netip.Addr) netip.Addr {
	if a.Is6() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// wanted are the programs that a mount uses.
var wanted = []struct {
	prog, vers uint32
	name       string
	lack       string // what their lack means; "" where there is no mount without
	try        string // what can be done without it
}{
	{nfs3.Program, nfs3.Version, "NFS", "", ""},
	{mountd.Program, mountd.Version, "MOUNT", "", ""},
	{nlm.Program, nlm.Version, "NLM", "locks cannot be had from the server", "nolock"},
	{nsm.Program, nsm.Version, "NSM", "the server's lock manager cannot tell who crashed: locks may be refused, and are not given back after a restart", "nolock"},
	{nfsacl.Program, nfsacl.Version, "NFSACL", "", ""},
}

// programs tries each way to each program that is registered.
func (d *doctor) programs(ctx context.Context, host string, a netip.Addr, all []portmap.Rpcb) {
	locks := d.wantsLocks()
	for _, p := range wanted {
		var here []way
		for _, w := range ways(all, p.prog, a) {
			if w.vers == p.vers {
				here = append(here, w)
			}
		}
		optional := p.prog == nfsacl.Program || p.lack != "" && !locks
		if len(here) == 0 {
			f := finding{Check: "program", Server: a.String(), Asked: fmt.Sprintf("%s version %d", p.name, p.vers), Answer: registeredVersions(all, p.prog, p.name), Result: isWarning}
			switch {
			case optional:
				f.Result = isNote
			case p.lack != "":
				f.Cause, f.Try = p.lack, []string{"gonfs mount " + word(d.spec.String()) + " DIR -o " + p.try, "gonfs rpcinfo -s " + host}
			default:
				f.Cause = "the server does not offer it over " + family(a.Is6()) + ", or does not run it"
				f.Try = []string{"gonfs rpcinfo -s " + host, "grep -A9 nfsd /etc/nfs.conf    # on the server: vers3=y"}
			}
			d.add(f)
			continue
		}
		d.ping(ctx, host, a, p.prog, p.vers, p.name, here, optional)
	}
}

// ping calls procedure 0 of a program by each way at once.
func (d *doctor) ping(ctx context.Context, host string, a netip.Addr, prog, vers uint32, name string, here []way, optional bool) {
	here = here[:min(len(here), maxPings)] // a rpcbind may claim thousands
	findings := make([]finding, len(here))
	var wg sync.WaitGroup
	for i, w := range here {
		wg.Go(func() { // ends within askTCP
			began := time.Now()
			err := askServer(ctx, w.netid, a, w.port, func(ctx context.Context, c *rpc.Client) error {
				return c.Bind(prog, vers).Call(ctx, &rpc.Call{Proc: 0, Idempotent: true})
			})
			f := finding{Check: "program", Server: a.String(), Port: w.port, Transport: w.netid, Asked: fmt.Sprintf("NULL of %s version %d", name, vers),
				Answer: textOr(err, "it is there"), LatencyMS: since(began), Result: isOK}
			var refused *rpc.AcceptError
			switch {
			case err == nil:
			case errors.As(err, &refused):
				f.Result, f.Cause = isWarning, "rpcbind names a port where another program or version listens"
			case isTimeout(err):
				f.Result, f.Cause = isWarning, "rpcbind names a port that does not answer: a firewall swallows it, or the service hangs"
			default:
				f.Result, f.Cause = isWarning, "rpcbind names a port where nobody listens: the service has died or moved, or serves another family of addresses only"
			}
			if err != nil {
				f.Try = []string{"gonfs rpcinfo -T " + w.netid + " " + host + " " + fmt.Sprint(prog) + " " + fmt.Sprint(vers),
					"rpcinfo -p    # on the server, and restart the service if it lies"}
				if optional {
					f.Result = isNote
				}
			}
			findings[i] = f
		})
	}
	wg.Wait()
	for _, f := range findings {
		d.add(f)
	}
}

// wantsLocks reports whether the server is to be asked for locks.
func (d *doctor) wantsLocks() bool {
	return d.opts.Lock.Or(true) && d.opts.LocalLock.Value != mountopt.LocalAll
}

// registeredVersions says what is registered of a program.
func registeredVersions(all []portmap.Rpcb, prog uint32, name string) string {
	var l []string
	for _, r := range all {
		if r.Prog == prog && len(l) < maxPings {
			l = append(l, fmt.Sprintf("%d (%s)", r.Vers, r.Netid))
		}
	}
	if len(l) == 0 {
		return name + " is not registered"
	}
	return "registered are versions " + strings.Join(l, ", ")
}
