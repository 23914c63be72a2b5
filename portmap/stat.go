package portmap

import "github.com/gonfs/gonfs/xdr"

// Entry is struct rpcb_entry (RFC 1833 section 2.1), an answer of GETADDRLIST:
// one address at which a program listens, and what the transport is.
type Entry struct {
	Addr      string // merged universal address: of the network that the question came from
	Netid     string
	Semantics uint32 // of the transport: 1 connectionless, 2 stream, 3 stream with orderly release
	Family    string // "inet", "inet6", "loopback"
	Proto     string // "tcp", "udp", "-"
}

// entries is struct rpcb_entry_list.
type entries []Entry

func (l *entries) XDR(c *xdr.Codec) {
	xdr.List(c, (*[]Entry)(l), maxEntries, func(c *xdr.Codec, e *Entry) {
		c.String(&e.Addr, maxString)
		c.String(&e.Netid, maxString)
		c.Uint32(&e.Semantics)
		c.String(&e.Family, maxString)
		c.String(&e.Proto, maxString)
	})
}

// statProcs is how many procedures a Stat counts (RPCBSTAT_HIGHPROC).
const statProcs = 13

// Stat is struct rpcb_stat (RFC 1833 section 2.1): what one version of rpcbind
// was asked since it was started.
type Stat struct {
	Calls  [statProcs]int32 // by procedure
	Set    int32            // SETs that succeeded
	Unset  int32            // UNSETs that succeeded
	Addrs  []AddrStat       // lookups: GETPORT, GETADDR and their like
	Remote []RemoteStat     // calls that were passed on: CALLIT and its like
}

// AddrStat is struct rpcbs_addrlist: how often a program was asked for.
type AddrStat struct {
	Prog, Vers       uint32
	Success, Failure int32
	Netid            string
}

// RemoteStat is struct rpcbs_rmtcalllist: how often a procedure was called
// through rpcbind.
type RemoteStat struct {
	Prog, Vers, Proc           uint32
	Success, Failure, Indirect int32
	Netid                      string
}

// Stats is rpcb_stat_byvers, the result of GETSTAT: for versions 2, 3 and 4, in
// this order.
type Stats [3]Stat

// XDR reads and writes rpcb_stat_byvers.
func (s *Stats) XDR(c *xdr.Codec) {
	for i := range s {
		s[i].xdr(c)
	}
}

func (s *Stat) xdr(c *xdr.Codec) {
	for i := range s.Calls {
		c.Int32(&s.Calls[i])
	}
	c.Int32(&s.Set)
	c.Int32(&s.Unset)
	xdr.List(c, &s.Addrs, maxEntries, func(c *xdr.Codec, a *AddrStat) {
		c.Uint32(&a.Prog)
		c.Uint32(&a.Vers)
		c.Int32(&a.Success)
		c.Int32(&a.Failure)
		c.String(&a.Netid, maxString)
	})
	xdr.List(c, &s.Remote, maxEntries, func(c *xdr.Codec, r *RemoteStat) {
		c.Uint32(&r.Prog)
		c.Uint32(&r.Vers)
		c.Uint32(&r.Proc)
		c.Int32(&r.Success)
		c.Int32(&r.Failure)
		c.Int32(&r.Indirect)
		c.String(&r.Netid, maxString)
	})
}
