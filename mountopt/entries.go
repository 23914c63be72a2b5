package mountopt

const (
	isNFSv4  = "it belongs to NFS version 4"
	isNFSv2  = "it belongs to NFS version 2"
	internal = "gonfs finds it out by itself"
)

// table has every option of nfs(5) and of the kernel's parser
// (fs/nfs/fs_context.c) that NFS version 3 can meet. Neither it nor what it
// points to is ever changed.
var table = []entry{
	// The version: in any spelling, once.
	{Known{names("vers", "nfsvers"), "vers", "3", "3", Forbidden, true}, valued, setVers},
	{Known{names("v3", "v2", "v4", "v4.0", "v4.1", "v4.2"), "vers", "", "", Forbidden, true}, flag, setVers},
	{Known{names("minorversion"), "", "", "", Rightmost, false}, valued, never(isNFSv4)},

	// Transports and ports.
	{Known{names("proto"), "proto", "tcp tcp6 udp udp6", "", Rightmost, true}, valued, setNetid(proto, noTransport)},
	{Known{names("tcp", "udp"), "proto", "", "", Rightmost, true}, flag, setNetid(proto, noTransport)},
	{Known{names("rdma"), "proto", "", "", Rightmost, false}, flag, setNetid(proto, noTransport)},
	{Known{names("port"), "", "0…65535", "", Rightmost, true}, valued, setPort(port)},
	{Known{names("mountproto"), "", "tcp tcp6 udp udp6", "", Rightmost, true}, valued, setNetid(mountProto, noMountTransport)},
	{Known{names("mountport"), "", "0…65535", "", Rightmost, true}, valued, setPort(mountPort)},
	{Known{names("mountvers"), "", "3", "3", Rightmost, true}, valued, setMountVers},
	{Known{names("mounthost"), "", "host", "", Rightmost, true}, valued, setMountHost},
	{Known{names("mountaddr"), "", "IP address", "", Rightmost, true}, valued, setMountAddr},
	{Known{names("addr"), "", "IP address", "", Rightmost, true}, valued,
		warn("has no effect: the server's address is looked up (mount.nfs(8) replaces it, too)")},
	{Known{names("clientaddr"), "", "IP address", "", Rightmost, true}, valued, warn("has no effect: " + isNFSv4)},
	{Known{names("source"), "", "", "", Rightmost, false}, valued, never(internal)},
	{Known{names("nfsprog"), "", "100003", "100003", Rightmost, true}, valued, onlyProgram("100003")},
	{Known{names("mountprog"), "", "100005", "100005", Rightmost, true}, valued, onlyProgram("100005")},
	{Known{names("nconnect"), "", "1…16", "1", Rightmost, true}, valued, setNconnect},
	{Known{names("keepalive"), "", "seconds", "30", Rightmost, true}, valued, setKeepAlive},
	{Known{names("udpfrag"), "", "refuse warn allow", "warn", Rightmost, true}, valued, setUDPFrag},
	{Known{names("idle"), "", "seconds", "300", Rightmost, true}, valued, setSeconds(idle)},
	{Known{names("conn"), "conn", "", "conn", Rightmost, true}, flag, setBool(noConn, false)},
	{Known{names("noconn"), "conn", "", "", Rightmost, true}, flag, setBool(noConn, true)},
	{Known{names("max_connect"), "", "", "", Rightmost, false}, valued, never(isNFSv4)},
	{Known{names("resvport"), "resvport", "", "resvport", Rightmost, true}, flag, setBool(resvport, true)},
	{Known{names("noresvport"), "resvport", "", "", Rightmost, true}, flag, setBool(resvport, false)},

	// Sizes.
	{Known{names("rsize"), "", "bytes", "", Rightmost, true}, valued, setSize(rsize)},
	{Known{names("wsize"), "", "bytes", "", Rightmost, true}, valued, setSize(wsize)},
	{Known{names("bsize"), "", "bytes", "4096", Rightmost, true}, valued, setSize(bsize)},
	{Known{names("rahead"), "", "bytes", "16m", Rightmost, true}, valued, setSize(rahead)},
	{Known{names("dirty"), "", "bytes", "64m", Rightmost, true}, valued, setSize(dirty)},
	{Known{names("namlen"), "", "bytes", "", Rightmost, true}, valued, setNamlen},

	// Time-outs and what they mean.
	{Known{names("timeo"), "", "tenths of a second", "600 (tcp), 11 (udp)", Rightmost, true}, valued, setTimeo},
	{Known{names("retrans"), "", "number", "2 (tcp), 3 (udp)", Rightmost, true}, valued, setRetrans},
	{Known{names("hard"), "recovery", "", "hard", Rightmost, true}, flag, setRecovery(Hard)},
	{Known{names("soft"), "recovery", "", "", Rightmost, true}, flag, setRecovery(Soft)},
	{Known{names("softerr"), "recovery", "", "", Rightmost, true}, flag, setRecovery(SoftErr)},
	{Known{names("softreval"), "softreval", "", "", Rightmost, false}, flag, later},
	{Known{names("nosoftreval"), "softreval", "", "nosoftreval", Rightmost, true}, flag, already},
	{Known{names("intr", "nointr"), "", "", "", Rightmost, true}, flag,
		warn("has no effect: a fatal signal ends every wait, and no other signal does (nfs(5))")},
	{Known{names("fg"), "bg", "", "fg", Rightmost, true}, flag, setBool(background, false)},
	{Known{names("bg"), "bg", "", "", Rightmost, true}, flag, setBool(background, true)},
	{Known{names("retry"), "", "minutes", "2 (fg), 10000 (bg)", Rightmost, true}, valued, setRetry},

	// Caches.
	{Known{names("acregmin"), "", "seconds", "3", Rightmost, true}, valued, setSeconds(acRegMin)},
	{Known{names("acregmax"), "", "seconds", "60", Rightmost, true}, valued, setSeconds(acRegMax)},
	{Known{names("acdirmin"), "", "seconds", "30", Rightmost, true}, valued, setSeconds(acDirMin)},
	{Known{names("acdirmax"), "", "seconds", "60", Rightmost, true}, valued, setSeconds(acDirMax)},
	{Known{names("actimeo"), "", "seconds", "", Rightmost, true}, valued, setSeconds(acRegMin, acRegMax, acDirMin, acDirMax)},
	{Known{names("ac"), "ac", "", "ac", Rightmost, true}, flag, setBool(noAC, false)},
	{Known{names("noac"), "ac", "", "", Rightmost, true}, flag, setBool(noAC, true)},
	{Known{names("cto"), "cto", "", "cto", Rightmost, true}, flag, setBool(noCTO, false)},
	{Known{names("nocto"), "cto", "", "", Rightmost, true}, flag, setBool(noCTO, true)},
	{Known{names("lookupcache"), "", "all pos positive none", "all", Rightmost, true}, valued, setLookupCache},
	{Known{names("rdirplus"), "rdirplus", "none force", "rdirplus", Rightmost, true}, either, setRdirplus},
	{Known{names("nordirplus"), "rdirplus", "", "", Rightmost, true}, flag, setBool(noRdirplus, true)},
	{Known{names("replay"), "", "evidence strict", "evidence", Rightmost, true}, valued, setReplay},
	{Known{names("sharecache"), "sharecache", "", "", Rightmost, true}, flag, warn("has no effect: every mount has a cache of its own")},
	{Known{names("nosharecache"), "sharecache", "", "nosharecache", Rightmost, true}, flag, already},
	{Known{names("fsc"), "fsc", "", "", Rightmost, false}, either, never("it keeps no cache on disk")},
	{Known{names("nofsc"), "fsc", "", "nofsc", Rightmost, true}, flag, already},
	{Known{names("write"), "", "lazy eager wait", "lazy", Rightmost, true}, valued, setWrite},
	{Known{names("alignwrite"), "alignwrite", "", "", Rightmost, true}, flag, warn("has no effect: gonfs sends the bytes that were written and no others")},
	{Known{names("noalignwrite"), "alignwrite", "", "noalignwrite", Rightmost, true}, flag, already},

	// Locks and lists of access.
	{Known{names("lock"), "lock", "", "lock", Rightmost, true}, flag, setBool(lock, true)},
	{Known{names("nolock"), "lock", "", "", Rightmost, true}, flag, setBool(lock, false)},
	{Known{names("local_lock"), "", "all flock posix none", "none", Accumulates, true}, valued, setLocalLock},
	{Known{names("locks"), "", "server auto", "server", Rightmost, true}, valued, setLocks},
	{Known{names("acl"), "acl", "", "acl", Rightmost, true}, flag, setBool(acl, true)},
	{Known{names("noacl"), "acl", "", "", Rightmost, true}, flag, setBool(acl, false)},

	// Security.
	{Known{names("sec"), "", "sys none", "", Accumulates, true}, valued, setSec},
	{Known{names("xprtsec"), "", "none", "none", Rightmost, true}, valued, only("none", "tls", "mtls")},

	// The rest.
	{Known{names("sloppy"), "", "", "", Rightmost, true}, flag, already}, // Parse looks for it first
	{Known{names("posix", "noposix"), "", "", "", Rightmost, false}, flag, never(isNFSv2)},
	{Known{names("migration", "trunkdiscovery"), "", "", "", Rightmost, false}, flag, never(isNFSv4)},
	{Known{names("nomigration", "notrunkdiscovery"), "", "", "", Rightmost, true}, flag, already},
}
