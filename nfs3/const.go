package nfs3

// RPC numbers of the program (RFC 1813 section 2.1).
const (
	Program = 100003
	Version = 3
)

// Sizes of RFC 1813 section 2.4, in bytes.
const (
	FHSize         = 64 // NFS3_FHSIZE: the longest file handle
	CookieVerfSize = 8  // NFS3_COOKIEVERFSIZE
	CreateVerfSize = 8  // NFS3_CREATEVERFSIZE
	WriteVerfSize  = 8  // NFS3_WRITEVERFSIZE
)

// Limits of our own, where the RFC has none: far above what servers do, and
// low enough that one reply cannot hurt.
const (
	// MaxName is the longest name of one component in bytes: four times what
	// any file system of today has.
	MaxName = 1024
	// MaxPath is the longest target of a symbolic link in bytes, Linux's
	// PATH_MAX.
	MaxPath = 4096
	// MaxData is the most data of one READ or WRITE in bytes: 16 times what
	// Linux asks for.
	MaxData = 16 << 20
	// MaxEntries is the most entries of one READDIR or READDIRPLUS reply.
	// Below it, the length of the message is the bound.
	MaxEntries = 1 << 20
)

// Bits of ACCESS (RFC 1813 section 3.3.4).
const (
	AccessRead    = 0x01 // read data, or list a directory
	AccessLookup  = 0x02 // look up a name in a directory
	AccessModify  = 0x04 // rewrite data, or change entries of a directory
	AccessExtend  = 0x08 // write new data, or add entries to a directory
	AccessDelete  = 0x10 // delete an entry of a directory
	AccessExecute = 0x20 // execute a file
)

// Bits of FsinfoReply.Properties (RFC 1813 section 3.3.19).
const (
	FSFLink        = 0x01 // hard links are supported
	FSFSymlink     = 0x02 // symbolic links are supported
	FSFHomogeneous = 0x08 // PATHCONF is the same for all of the file system
	FSFCanSetTime  = 0x10 // SETATTR sets times with TimeDelta's accuracy
)
