package nfs3

import "github.com/gonfs/gonfs/xdr"

// FsstatArgs is FSSTAT3args (RFC 1813 section 3.3.18).
type FsstatArgs struct{ Root FH }

// XDR implements xdr.Value.
func (a *FsstatArgs) XDR(c *xdr.Codec) { a.Root.XDR(c) }

// FsstatReply is FSSTAT3res (RFC 1813 section 3.3.18): what changes of a file
// system.
type FsstatReply struct {
	Status   Status
	Attr     PostOpAttr
	Tbytes   uint64 // success only, like those below: size in bytes
	Fbytes   uint64 // free bytes
	Abytes   uint64 // free bytes for the caller
	Tfiles   uint64 // file slots
	Ffiles   uint64 // free file slots
	Afiles   uint64 // free file slots for the caller
	Invarsec uint32 // seconds for which this is not expected to change
}

// XDR implements xdr.Value.
func (r *FsstatReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Attr.XDR(c)
	if r.Status == OK {
		c.Uint64(&r.Tbytes)
		c.Uint64(&r.Fbytes)
		c.Uint64(&r.Abytes)
		c.Uint64(&r.Tfiles)
		c.Uint64(&r.Ffiles)
		c.Uint64(&r.Afiles)
		c.Uint32(&r.Invarsec)
	}
}

// FsinfoArgs is FSINFO3args (RFC 1813 section 3.3.19).
type FsinfoArgs struct{ Root FH }

// XDR implements xdr.Value.
func (a *FsinfoArgs) XDR(c *xdr.Codec) { a.Root.XDR(c) }

// FsinfoReply is FSINFO3res (RFC 1813 section 3.3.19): what does not change of
// a file system. Sizes are in bytes; servers are known to send 0 for any of
// them.
type FsinfoReply struct {
	Status      Status
	Attr        PostOpAttr
	Rtmax       uint32 // success only, like those below: the largest READ
	Rtpref      uint32 // the READ that the server likes best
	Rtmult      uint32 // READ sizes should be multiples of this
	Wtmax       uint32 // the largest WRITE
	Wtpref      uint32
	Wtmult      uint32
	Dtpref      uint32 // the READDIR that the server likes best
	MaxFileSize uint64
	TimeDelta   Time   // the accuracy of times
	Properties  uint32 // FSFLink… bits
}

// XDR implements xdr.Value.
func (r *FsinfoReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Attr.XDR(c)
	if r.Status == OK {
		c.Uint32(&r.Rtmax)
		c.Uint32(&r.Rtpref)
		c.Uint32(&r.Rtmult)
		c.Uint32(&r.Wtmax)
		c.Uint32(&r.Wtpref)
		c.Uint32(&r.Wtmult)
		c.Uint32(&r.Dtpref)
		c.Uint64(&r.MaxFileSize)
		r.TimeDelta.XDR(c)
		c.Uint32(&r.Properties)
	}
}

// PathconfArgs is PATHCONF3args (RFC 1813 section 3.3.20).
type PathconfArgs struct{ Object FH }

// XDR implements xdr.Value.
func (a *PathconfArgs) XDR(c *xdr.Codec) { a.Object.XDR(c) }

// PathconfReply is PATHCONF3res (RFC 1813 section 3.3.20), pathconf(3) of an
// object.
type PathconfReply struct {
	Status          Status
	Attr            PostOpAttr
	LinkMax         uint32 // success only, like those below: most hard links
	NameMax         uint32 // longest name in bytes
	NoTrunc         bool   // longer names are refused rather than cut
	ChownRestricted bool   // only root may chown
	CaseInsensitive bool   // "A" and "a" are one name
	CasePreserving  bool   // "A" is listed as "A"
}

// XDR implements xdr.Value.
func (r *PathconfReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Attr.XDR(c)
	if r.Status == OK {
		c.Uint32(&r.LinkMax)
		c.Uint32(&r.NameMax)
		c.Bool(&r.NoTrunc)
		c.Bool(&r.ChownRestricted)
		c.Bool(&r.CaseInsensitive)
		c.Bool(&r.CasePreserving)
	}
}
