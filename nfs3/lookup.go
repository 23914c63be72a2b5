package nfs3

import "github.com/gonfs/gonfs/xdr"

// LookupArgs is LOOKUP3args (RFC 1813 section 3.3.3).
type LookupArgs struct{ What DirOpArgs }

// XDR implements xdr.Value.
func (a *LookupArgs) XDR(c *xdr.Codec) { a.What.XDR(c) }

// LookupReply is LOOKUP3res (RFC 1813 section 3.3.3).
type LookupReply struct {
	Status  Status
	Object  FH         // success only; never empty
	Attr    PostOpAttr // success only
	DirAttr PostOpAttr
}

// XDR implements xdr.Value.
func (r *LookupReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	if r.Status == OK {
		handle(c, &r.Object)
		r.Attr.XDR(c)
	}
	r.DirAttr.XDR(c)
}

// AccessArgs is ACCESS3args (RFC 1813 section 3.3.4).
type AccessArgs struct {
	Object FH
	Access uint32 // the AccessRead… bits that are asked for
}

// XDR implements xdr.Value.
func (a *AccessArgs) XDR(c *xdr.Codec) {
	a.Object.XDR(c)
	c.Uint32(&a.Access)
}

// AccessReply is ACCESS3res (RFC 1813 section 3.3.4).
type AccessReply struct {
	Status Status
	Attr   PostOpAttr
	Access uint32 // success only: the bits that are granted
}

// XDR implements xdr.Value.
func (r *AccessReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Attr.XDR(c)
	if r.Status == OK {
		c.Uint32(&r.Access)
	}
}

// ReadlinkArgs is READLINK3args (RFC 1813 section 3.3.5).
type ReadlinkArgs struct{ Symlink FH }

// XDR implements xdr.Value.
func (a *ReadlinkArgs) XDR(c *xdr.Codec) { a.Symlink.XDR(c) }

// ReadlinkReply is READLINK3res (RFC 1813 section 3.3.5).
type ReadlinkReply struct {
	Status Status
	Attr   PostOpAttr
	Target string // success only; up to MaxPath bytes, may hold anything
}

// XDR implements xdr.Value.
func (r *ReadlinkReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Attr.XDR(c)
	if r.Status == OK {
		path(c, &r.Target)
	}
}
