package mountd

// Program is the program number of MOUNT, Version its version that goes with
// NFSv3, and DefaultPort where it listens by IANA's list (RFC 1813 section
// 5.2 leaves the port to rpcbind).
const (
	Program     = 100005
	Version     = 3
	Version1    = 1 // RFC 1094 appendix A: goes with NFS version 2, and lists in the same form
	DefaultPort = 20048
)

// Sizes (RFC 1813 section 5.1.4), in bytes.
const (
	PathLen = 1024 // MNTPATHLEN: the longest path
	NameLen = 255  // MNTNAMLEN: the longest host or group name
	FHSize  = 64   // FHSIZE3: the longest file handle
)

// Procedures (RFC 1813 section 5.2).
const (
	ProcNull    = 0
	ProcMnt     = 1
	ProcDump    = 2
	ProcUmnt    = 3
	ProcUmntall = 4
	ProcExport  = 5
)

// Our own limits; RFC 1813 has none. MaxFlavors is the Linux client's
// (NFS_MAX_SECFLAVORS); a list of mounts or exports with more than 64 Ki
// entries is nothing that a person could read.
const (
	MaxFlavors = 12
	maxEntries = 64 << 10
)
