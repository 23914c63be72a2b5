package nfs3

import "github.com/gonfs/gonfs/xdr"

// GetattrArgs is GETATTR3args (RFC 1813 section 3.3.1).
type GetattrArgs struct{ Object FH }

// XDR implements xdr.Value.
func (a *GetattrArgs) XDR(c *xdr.Codec) { a.Object.XDR(c) }

// GetattrReply is GETATTR3res (RFC 1813 section 3.3.1).
type GetattrReply struct {
	Status Status
	Attr   Fattr // success only
}

// XDR implements xdr.Value.
func (r *GetattrReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	if r.Status == OK {
		r.Attr.XDR(c)
	}
}

// SetattrArgs is SETATTR3args (RFC 1813 section 3.3.2).
type SetattrArgs struct {
	Object FH
	Attr   Sattr
	Guard  SattrGuard
}

// XDR implements xdr.Value.
func (a *SetattrArgs) XDR(c *xdr.Codec) {
	a.Object.XDR(c)
	a.Attr.XDR(c)
	a.Guard.XDR(c)
}

// SetattrReply is SETATTR3res (RFC 1813 section 3.3.2).
type SetattrReply struct {
	Status Status
	Wcc    WccData
}

// XDR implements xdr.Value.
func (r *SetattrReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Wcc.XDR(c)
}
