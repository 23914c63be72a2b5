package nfsacl

// Program is the program number of NFSACL, and Version its version that goes
// with NFS version 3.
const (
	Program = 100227
	Version = 3
)

// Procedures (nfs_acl.x). Those of version 3 with the numbers 3 and up are
// Solaris's own and not for us.
const (
	ProcNull   = 0
	ProcGetacl = 1
	ProcSetacl = 2
)

// Bits of the mask that says which parts of the lists are meant (nfs_acl.x:
// NA_ACL …). GETACL asks for parts; SETACL sets what is named, and leaves the
// other list alone.
const (
	MaskACL          = 0x1 // the access list
	MaskCount        = 0x2 // how many entries it has
	MaskDefault      = 0x4 // the default list
	MaskDefaultCount = 0x8 // how many entries that has
	MaskAll          = MaskACL | MaskCount | MaskDefault | MaskDefaultCount
)

// MaxEntries is how long a list may be (NFS_ACL_MAX_ENTRIES).
const MaxEntries = 1024

// defaultFlag marks the tags of a default list on the wire (NFS_ACL_DEFAULT).
const defaultFlag = 0x1000
