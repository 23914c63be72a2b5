// Package mount turns "host:/path" and mount options into a Session: the
// connection to NFS, the handle of the export's root, and what was agreed.
//
// NFS knows neither names nor ports. Between the words of the user and the
// first READ lie these conversations, with programs of the server:
//
//	rpcbind   at which ports are MOUNT and NFS?           package portmap
//	mountd    which file handle has the root of /path?    package mountd
//	NFS       FSINFO, PATHCONF, GETATTR of that handle    package nfs3
//	NFSACL    NULL: are there access control lists?       package nfsacl
//	mountd    UMNT, when all is done
//
// # The plan
//
// Which transport each of them is asked over follows nfs(5). It is worked out
// by PlanFor, without any traffic:
//
//	given                mountd           NFS                discovery
//	nothing              udp, then tcp    tcp, then udp      yes
//	proto, udp or tcp    the same         the same           none
//	mountproto           as given         tcp, then udp      of NFS
//	both                 mountproto       proto              none, in any order
//
// Discovery means that the transport may change to what the server offers; a
// transport that was given is never changed. Ports are asked of rpcbind unless
// they are given too. Names of transports are netids: udp and tcp are IPv4,
// udp6 and tcp6 are IPv6, and with neither given the family is that of the
// address.
//
// rpcbind is asked over UDP when no transport was given, and after 200 ms of
// silence over TCP beside it, else over that of the service asked for. The question
// is where each service is over the transport that is tried first; about the other
// one it is asked if there is need. Only the port of its answer is used. Where no
// rpcbind answers (many firewalls pass port 2049 alone) the ports 2049 and
// 20048 are tried.
//
// The servers of a spec that names several are tried in order, and so are the
// addresses of each. mounthost= and mountaddr= say that mountd is elsewhere.
//
// # What is agreed
//
// The flavour of the credentials is chosen from the list that MNT answers (see
// ChooseFlavor), and the sizes of READ, WRITE and READDIR from the options,
// FSINFO and the transport (see Negotiate). Over TCP the default is the largest
// size that the server takes, up to 1 MiB, and not, as in Linux, the one that
// the server prefers. Over UDP it is the largest for which no datagram is
// fragmented on the way. What given sizes mean there is worked out by AssessUDP:
// on a fast link fragments of two messages may be taken for one, which the
// option udpfrag= warns of, or refuses.
//
// # Time
//
// Dial is one pass over all addresses and transports, and ends: rpcbind has 3 s
// over UDP and 10 s over TCP, a connection 10 s, an answer of mountd or NFS 15 s
// over UDP and 30 s over TCP. A mountd that is silent for 3 s over one transport
// is asked over the next one beside it, where there is a choice. Trying again
// (retry=, bg) is for the caller, who sees from Error.Temporary whether it is
// any use. UMNT has a second, at the port that MNT went to.
//
// After Dial the session's NFS client follows timeo, retrans and hard or soft;
// when it must reconnect to a port that rpcbind had told, and nobody listens
// there any more, it asks rpcbind again.
package mount
