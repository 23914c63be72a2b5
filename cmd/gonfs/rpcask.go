package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// Time limits of one question, connecting included: those of rpcinfo and
// showmount for UDP, and shorter ones for TCP.
const (
	askUDP    = 5 * time.Second
	askTCP    = 10 * time.Second
	askResend = time.Second
)

// isUDP and isV6 take a netid apart.
func isUDP(netid string) bool { return strings.HasPrefix(netid, portmap.NetidUDP) }
func isV6(netid string) bool  { return strings.HasSuffix(netid, "6") }

// resolve returns the addresses of host in the order of the resolver; with a
// netid only those of its family.
func resolve(ctx context.Context, host, netid string) ([]netip.Addr, error) {
	network := "ip"
	switch {
	case netid != "" && isV6(netid):
		network = "ip6"
	case netid != "":
		network = "ip4"
	}
	host = strings.Trim(host, "[]")
	if a, err := netip.ParseAddr(host); err == nil {
		if a = a.Unmap(); network != "ip" && a.Is6() != (network == "ip6") {
			return nil, fmt.Errorf("%s is not an address of %s", host, netid)
		}
		return []netip.Addr{a}, nil
	}
	l, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	for i := range l {
		l[i] = l[i].Unmap()
	}
	return l, err
}

// netidOf is the netid of a transport for an address.
func netidOf(transport string, a netip.Addr) string {
	if a.Is6() {
		return transport + "6"
	}
	return transport
}

// askServer opens a connection over netid to a port of a, and calls do with a client
// that is good for the few calls of one question.
func askServer(ctx context.Context, netid string, a netip.Addr, port uint16, do func(ctx context.Context, c *rpc.Client) error) error {
	limit := askTCP
	if isUDP(netid) {
		limit = askUDP
	}
	return askThrough(ctx, &transport.Dialer{Timeout: limit}, limit, netid, a, port, do)
}

// askThrough is askServer with a dialer and a limit.
func askThrough(ctx context.Context, d *transport.Dialer, limit time.Duration, netid string, a netip.Addr, port uint16,
	do func(ctx context.Context, c *rpc.Client) error) error {
	policy := rpc.Policy{Timeo: time.Minute, SoftConn: true}
	if isUDP(netid) {
		policy.Timeo, policy.MaxTimeo = askResend, askResend
	}
	where := net.JoinHostPort(a.String(), strconv.Itoa(int(port))) + " over " + netid
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &silence{where, limit})
	defer cancel()
	conn, err := d.Dial(ctx, netid, net.JoinHostPort(a.String(), strconv.Itoa(int(port))), netip.AddrPort{})
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	first := make(chan transport.Conn, 1)
	first <- conn
	machine, _ := os.Hostname() // servers show it, no more; the empty one will do
	c := rpc.NewClient(rpc.Options{
		Program: portmap.Program, Version: portmap.Version2, Policy: policy, Server: a.String(),
		Auth: rpc.AuthSys(machine[:min(len(machine), 64)]),
		Cred: *rpc.NewCred(uint32(os.Geteuid()), uint32(os.Getegid()), nil),
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			select {
			case conn := <-first:
				return conn, nil
			default:
				return nil, fmt.Errorf("%s closed the connection", where)
			}
		},
	})
	defer func() {
		c.Close()
		select {
		case conn := <-first: // no call was made
			conn.Abort()
		default:
		}
	}()
	if err = do(ctx, c); err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// silence is why a question was given up.
type silence struct {
	where string
	after time.Duration
}

func (e *silence) Error() string { return fmt.Sprintf("no answer from %s within %v", e.where, e.after) }

// Timeout implements the interface of net.Error.
func (e *silence) Timeout() bool { return true }

// registrations asks the rpcbind of host what it has, and returns the address
// that answered as well: over TCP, then UDP, by the newest version that it has.
func registrations(ctx context.Context, host string) (netip.Addr, []portmap.Rpcb, error) {
	addrs, err := resolve(ctx, host, "")
	if err != nil {
		return netip.Addr{}, nil, err
	}
	var first error // the one of TCP at the address that the resolver prefers
	for _, a := range addrs {
		for _, t := range []string{portmap.NetidTCP, portmap.NetidUDP} {
			var all []portmap.Rpcb
			err := askServer(ctx, netidOf(t, a), a, portmap.Port, func(ctx context.Context, c *rpc.Client) (err error) {
				all, err = dumpAll(ctx, c)
				return err
			})
			if err == nil {
				return a, all, nil
			}
			if ctx.Err() != nil {
				return netip.Addr{}, nil, context.Canceled
			}
			first = cmp.Or(first, err)
		}
	}
	return netip.Addr{}, nil, fmt.Errorf("no rpcbind: %w", first)
}

// dumpAll is DUMP of version 4, 3 or 2, whichever there is.
func dumpAll(ctx context.Context, c *rpc.Client) ([]portmap.Rpcb, error) {
	var refused *rpc.AcceptError
	for _, v := range []uint32{portmap.Version4, portmap.Version3} {
		l, err := portmap.NewRpcbind(c, v).Dump(ctx)
		if !errors.As(err, &refused) {
			return l, err
		}
	}
	old, err := portmap.NewClient(c).Dump(ctx)
	var l []portmap.Rpcb
	for _, m := range old {
		addr := portmap.FormatUaddr(netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(m.Port)))
		l = append(l, portmap.Rpcb{Prog: m.Prog, Vers: m.Vers, Netid: portmap.ProtNetid(m.Prot), Addr: addr, Owner: "unknown"})
	}
	return l, err
}

// way is how a program may be called.
type way struct {
	vers  uint32
	netid string
	port  uint16
}

// ways are those of a program at an address of the family of a: the highest
// version first, TCP before UDP.
func ways(all []portmap.Rpcb, prog uint32, a netip.Addr) []way {
	var l []way
	for _, r := range all {
		at, err := portmap.ParseUaddr(r.Addr)
		if _, known := portmap.NetidProt(r.Netid); err != nil || !known || r.Prog != prog || isV6(r.Netid) != a.Is6() || at.Port() == 0 {
			continue
		}
		l = append(l, way{r.Vers, r.Netid, at.Port()})
	}
	slices.SortStableFunc(l, func(x, y way) int {
		return cmp.Or(cmp.Compare(y.vers, x.vers), strings.Compare(x.netid, y.netid))
	})
	return l
}
