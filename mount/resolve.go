package mount

import (
	"context"
	"net"
	"net/netip"
	"strconv"
)

// family says which addresses are wanted.
type family uint8

const (
	anyFamily family = iota
	onlyV4
	onlyV6
)

// network is what net.Resolver calls the family.
func (f family) network() string { return [...]string{"ip", "ip4", "ip6"}[f] }

// has reports whether a is of the family.
func (f family) has(a netip.Addr) bool {
	return f == anyFamily || f == onlyV6 == a.Is6()
}

// target is a server at one address.
type target struct {
	host string     // an address, or a name that the caller's dialer resolves
	addr netip.Addr // invalid if host is a name
	name string     // the host of the spec that this is an address of, for messages
}

// hostport is what a Dialer dials.
func (t target) hostport(port uint16) string {
	return net.JoinHostPort(t.host, strconv.Itoa(int(port)))
}

// v6 reports whether the address is one of IPv6.
func (t target) v6() bool { return t.addr.Is6() }

// resolve returns where host may be reached, in the order of the resolver,
// each address once. A literal needs no resolver, and may have a zone. With a
// dialer of the caller's own, names are left to it: they may mean something
// only at the far end of a tunnel.
func (m *mounter) resolve(ctx context.Context, host string, f family, netid string) ([]target, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		if !f.has(a) {
			return nil, &familyError{addr: host, netid: netid}
		}
		return []target{{host: a.String(), addr: a}}, nil
	}
	if m.tunnel {
		return []target{{host: host}}, nil
	}
	lookup := m.cfg.Lookup
	if lookup == nil {
		lookup = net.DefaultResolver.LookupNetIP
	}
	addrs, err := lookup(ctx, f.network(), host)
	if err != nil {
		return nil, err
	}
	var l []target
	seen := map[netip.Addr]bool{}
	for _, a := range addrs {
		if a = a.Unmap(); f.has(a) && !seen[a] {
			seen[a] = true
			l = append(l, target{host: a.String(), addr: a})
		}
	}
	if len(l) == 0 {
		return nil, &net.DNSError{Err: "no address of this family", Name: host, IsNotFound: true}
	}
	return l, nil
}
