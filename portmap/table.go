package portmap

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
)

// Table is a fixed list of registrations. It answers all three versions: use
// it with Serve and ServeRpcbind. Version 2 sees the entries of the netids tcp
// and udp alone, as in a real rpcbind.
type Table []Rpcb

// Getport implements Server.
func (t Table) Getport(_ context.Context, _ *rpc.Request, m *Mapping) uint32 {
	for _, e := range t.mappings() {
		if e.Prog == m.Prog && e.Vers == m.Vers && e.Prot == m.Prot {
			return e.Port
		}
	}
	return 0
}

// Dump implements Server.
func (t Table) Dump(context.Context, *rpc.Request) []Mapping { return t.mappings() }

// Getaddr implements RpcbindServer. The netid is the caller's word for it, not
// inferred from the transport.
func (t Table) Getaddr(_ context.Context, _ *rpc.Request, b *Rpcb) string {
	for _, e := range t {
		if e.Prog == b.Prog && e.Vers == b.Vers && e.Netid == b.Netid {
			return e.Addr
		}
	}
	return ""
}

// DumpRpcb implements RpcbindServer.
func (t Table) DumpRpcb(context.Context, *rpc.Request) []Rpcb { return t }

// mappings is the table as version 2 sees it.
func (t Table) mappings() []Mapping {
	var l []Mapping
	for _, e := range t {
		a, err := ParseUaddr(e.Addr)
		if err != nil || e.Netid != NetidTCP && e.Netid != NetidUDP {
			continue
		}
		prot, _ := NetidProt(e.Netid)
		l = append(l, Mapping{Prog: e.Prog, Vers: e.Vers, Prot: prot, Port: uint32(a.Port())})
	}
	return l
}
