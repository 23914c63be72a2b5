package portmap

// Program is rpcbind's program number, and Port is where it listens, over TCP
// and UDP (RFC 1833 section 3.1).
const (
	Program = 100000
	Port    = 111
)

// The versions of the program.
const (
	Version2 = 2 // the port mapper
	Version3 = 3 // rpcbind
	Version4 = 4 // rpcbind
)

// Procedures of version 2 (RFC 1833 section 3.2) that are used here. SET and
// UNSET are for the programs of the host itself; CALLIT, which makes the
// server call on, is used by attackers only.
const (
	ProcNull    = 0
	ProcSet     = 1
	ProcUnset   = 2
	ProcGetport = 3
	ProcDump    = 4
)

// Procedures of versions 3 and 4 (RFC 1833 section 2.2.1); those from 9 on are
// version 4's alone.
const (
	RpcbProcNull        = 0
	RpcbProcSet         = 1
	RpcbProcUnset       = 2
	RpcbProcGetaddr     = 3
	RpcbProcDump        = 4
	RpcbProcGettime     = 6
	RpcbProcGetaddrlist = 11
	RpcbProcGetstat     = 12
)

// Protocol numbers of version 2 (RFC 1833 section 3.1).
const (
	ProtTCP = 6
	ProtUDP = 17
)

// Netids (RFC 5665 section 5.2.2).
const (
	NetidUDP  = "udp"
	NetidTCP  = "tcp"
	NetidUDP6 = "udp6"
	NetidTCP6 = "tcp6"
)

// Our own limits; RFC 1833 has none. A host with 64 Ki registrations does not
// exist, and no universal address or netid comes near 255 bytes.
const (
	maxEntries = 64 << 10
	maxString  = 255
)

// Netids returns the netids that this package knows, in the order in which
// they are preferred for NFS.
func Netids() []string { return []string{NetidTCP, NetidUDP, NetidTCP6, NetidUDP6} }

// NetidProt returns the protocol number of version 2 that netid runs on, and
// whether netid is one of Netids.
func NetidProt(netid string) (prot uint32, ok bool) {
	switch netid {
	case NetidTCP, NetidTCP6:
		return ProtTCP, true
	case NetidUDP, NetidUDP6:
		return ProtUDP, true
	}
	return 0, false
}

// ProtNetid is the IPv4 netid of a protocol number of version 2, or "" for a
// protocol other than TCP and UDP.
func ProtNetid(prot uint32) string {
	switch prot {
	case ProtTCP:
		return NetidTCP
	case ProtUDP:
		return NetidUDP
	}
	return ""
}
