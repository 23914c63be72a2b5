// Package portmap asks a server's rpcbind at which address an RPC program
// listens: version 2, the port mapper (RFC 1833 section 3), and versions 3 and
// 4, rpcbind (RFC 1833 section 2).
//
// An RPC program is known by a number (100003 is NFS) and may listen anywhere.
// At start it registers {program, version, transport, address} with the
// rpcbind of its host, and that one listens at port 111, which everybody knows.
//
// The versions differ in how they name the last two. The port mapper knows
// IPv4 alone: a transport is a protocol number (6 TCP, 17 UDP) and an address
// is a port. rpcbind has netids (udp, tcp, udp6, tcp6, local) and universal
// addresses (RFC 5665): text, the host and then the two bytes of the port in
// decimal, joined by dots. Port 2049 of 192.0.2.7 is
//
//	192.0.2.7.8.1
//
// and of ::1 it is
//
//	::1.8.1
//
// A server that has not registered the program answers with port 0, or with an
// empty universal address: both are ErrNotRegistered here.
//
// # What an answer is worth
//
// Anybody who can answer the question can lie about it. A client uses the port
// of an answer and never its host: servers behind NAT name private addresses,
// servers bound to every interface name 0.0.0.0, and a malicious one would
// name a third party. Ports over 65535, addresses that are none and endless
// lists are errors.
//
// # Which transport
//
// A rpcbind may infer the netid from the transport that the question came by
// (RFC 1833 section 2.2.1), so the question is best asked over the transport
// that the answer is for.
//
// # To be found
//
// A service of this host registers itself: SET, and UNSET at its end. rpcbind
// takes both from its own host alone, in full over its unix socket, where it
// learns the user from the kernel. SET of what is registered already is
// refused; UNSET is by whoever is the same user, so root can take any service
// off the list. Registrar keeps to what it registered itself.
//
// # Example
//
//	c := portmap.NewClient(rpcClient)
//	port, err := c.Getport(ctx, portmap.Mapping{Prog: 100003, Vers: 3, Prot: portmap.ProtTCP})
package portmap
