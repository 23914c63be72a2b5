package nfs3

import "github.com/gonfs/gonfs/xdr"

// RemoveArgs is REMOVE3args (RFC 1813 section 3.3.12).
type RemoveArgs struct{ Object DirOpArgs }

// XDR implements xdr.Value.
func (a *RemoveArgs) XDR(c *xdr.Codec) { a.Object.XDR(c) }

// RemoveReply is REMOVE3res (RFC 1813 section 3.3.12).
type RemoveReply struct {
	Status Status
	DirWcc WccData
}

// XDR implements xdr.Value.
func (r *RemoveReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.DirWcc.XDR(c)
}

// RmdirArgs is RMDIR3args (RFC 1813 section 3.3.13).
type RmdirArgs struct{ Object DirOpArgs }

// XDR implements xdr.Value.
func (a *RmdirArgs) XDR(c *xdr.Codec) { a.Object.XDR(c) }

// RmdirReply is RMDIR3res (RFC 1813 section 3.3.13), the same as REMOVE3res.
type RmdirReply RemoveReply

// XDR implements xdr.Value.
func (r *RmdirReply) XDR(c *xdr.Codec) { (*RemoveReply)(r).XDR(c) }

// RenameArgs is RENAME3args (RFC 1813 section 3.3.14).
type RenameArgs struct{ From, To DirOpArgs }

// XDR implements xdr.Value.
func (a *RenameArgs) XDR(c *xdr.Codec) {
	a.From.XDR(c)
	a.To.XDR(c)
}

// RenameReply is RENAME3res (RFC 1813 section 3.3.14).
type RenameReply struct {
	Status  Status
	FromWcc WccData // of the directory renamed from
	ToWcc   WccData // of the directory renamed to
}

// XDR implements xdr.Value.
func (r *RenameReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.FromWcc.XDR(c)
	r.ToWcc.XDR(c)
}

// LinkArgs is LINK3args (RFC 1813 section 3.3.15).
type LinkArgs struct {
	File FH
	Link DirOpArgs
}

// XDR implements xdr.Value.
func (a *LinkArgs) XDR(c *xdr.Codec) {
	a.File.XDR(c)
	a.Link.XDR(c)
}

// LinkReply is LINK3res (RFC 1813 section 3.3.15).
type LinkReply struct {
	Status  Status
	Attr    PostOpAttr // of the file
	LinkWcc WccData    // of the directory
}

// XDR implements xdr.Value.
func (r *LinkReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Attr.XDR(c)
	r.LinkWcc.XDR(c)
}
