package portmap

import "github.com/gonfs/gonfs/xdr"

// Mapping is struct mapping of version 2 (RFC 1833 section 3.1): program Prog
// in version Vers listens at Port over Prot, ProtTCP or ProtUDP. As an argument
// of GETPORT its Port is ignored. It is a plain struct: xdr.Reflect encodes it.
type Mapping struct {
	Prog, Vers, Prot, Port uint32
}

// Rpcb is struct rpcb of versions 3 and 4 (RFC 1833 section 2.1): program Prog
// in version Vers listens over Netid at the universal address Addr, registered
// by Owner. In a DUMP, Addr may also be the path of a local socket. It is a
// plain struct: xdr.Reflect encodes it.
type Rpcb struct {
	Prog, Vers         uint32
	Netid, Addr, Owner string
}

// mappings is struct pmaplist, the result of DUMP (RFC 1833 section 3.2).
type mappings []Mapping

func (l *mappings) XDR(c *xdr.Codec) {
	xdr.List(c, (*[]Mapping)(l), maxEntries, func(c *xdr.Codec, m *Mapping) { xdr.Reflect(m).XDR(c) })
}

// rpcbs is struct rp__list, the result of DUMP (RFC 1833 section 2.1).
type rpcbs []Rpcb

func (l *rpcbs) XDR(c *xdr.Codec) {
	xdr.List(c, (*[]Rpcb)(l), maxEntries, func(c *xdr.Codec, r *Rpcb) { xdr.Reflect(r).XDR(c) })
}

// word is the result of GETPORT.
type word uint32

func (w *word) XDR(c *xdr.Codec) { c.Uint32((*uint32)(w)) }

// uaddr is the result of GETADDR: string<>, limited by us.
type uaddr string

func (u *uaddr) XDR(c *xdr.Codec) { c.String((*string)(u), maxString) }

// yes is the result of SET and UNSET: whether it was done.
type yes bool

func (y *yes) XDR(c *xdr.Codec) { c.Bool((*bool)(y)) }
