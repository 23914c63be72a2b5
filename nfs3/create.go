package nfs3

import "github.com/gonfs/gonfs/xdr"

// CreateMode is createmode3 (RFC 1813 section 3.3.8).
type CreateMode uint32

// The values of CreateMode.
const (
	Unchecked CreateMode = 0 // an existing file is taken
	Guarded   CreateMode = 1 // an existing file is ErrExist
	Exclusive CreateMode = 2 // as Guarded, but retransmissions are recognised by a verifier
)

// CreateHow is createhow3 (RFC 1813 section 3.3.8): Attr for Unchecked and
// Guarded, Verf for Exclusive.
type CreateHow struct {
	Mode CreateMode
	Attr Sattr
	Verf [CreateVerfSize]byte
}

// XDR implements xdr.Value.
func (h *CreateHow) XDR(c *xdr.Codec) {
	at := c.Offset()
	xdr.Enum(c, &h.Mode)
	switch h.Mode {
	case Unchecked, Guarded:
		h.Attr.XDR(c)
	case Exclusive:
		c.Fixed(h.Verf[:])
	default:
		c.Fail(&xdr.Error{Kind: xdr.BadUnion, Offset: at, Length: uint32(h.Mode)})
	}
}

// CreateArgs is CREATE3args (RFC 1813 section 3.3.8).
type CreateArgs struct {
	Where DirOpArgs
	How   CreateHow
}

// XDR implements xdr.Value.
func (a *CreateArgs) XDR(c *xdr.Codec) {
	a.Where.XDR(c)
	a.How.XDR(c)
}

// CreateReply is CREATE3res (RFC 1813 section 3.3.8).
type CreateReply struct {
	Status Status
	Object PostOpFH   // success only; without it the name is to be looked up
	Attr   PostOpAttr // success only
	DirWcc WccData
}

// XDR implements xdr.Value.
func (r *CreateReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	if r.Status == OK {
		r.Object.XDR(c)
		r.Attr.XDR(c)
	}
	r.DirWcc.XDR(c)
}

// MkdirArgs is MKDIR3args (RFC 1813 section 3.3.9).
type MkdirArgs struct {
	Where DirOpArgs
	Attr  Sattr
}

// XDR implements xdr.Value.
func (a *MkdirArgs) XDR(c *xdr.Codec) {
	a.Where.XDR(c)
	a.Attr.XDR(c)
}

// MkdirReply is MKDIR3res (RFC 1813 section 3.3.9), the same as CREATE3res.
type MkdirReply CreateReply

// XDR implements xdr.Value.
func (r *MkdirReply) XDR(c *xdr.Codec) { (*CreateReply)(r).XDR(c) }

// SymlinkArgs is SYMLINK3args with its symlinkdata3 (RFC 1813 section 3.3.10).
type SymlinkArgs struct {
	Where  DirOpArgs
	Attr   Sattr
	Target string // up to MaxPath bytes
}

// XDR implements xdr.Value.
func (a *SymlinkArgs) XDR(c *xdr.Codec) {
	a.Where.XDR(c)
	a.Attr.XDR(c)
	path(c, &a.Target)
}

// SymlinkReply is SYMLINK3res (RFC 1813 section 3.3.10), the same as
// CREATE3res.
type SymlinkReply CreateReply

// XDR implements xdr.Value.
func (r *SymlinkReply) XDR(c *xdr.Codec) { (*CreateReply)(r).XDR(c) }

// MknodData is mknoddata3 (RFC 1813 section 3.3.11): Attr and Spec for
// devices, Attr for sockets and named pipes, nothing for other types (which
// servers answer with ErrBadtype).
type MknodData struct {
	Type FileType
	Attr Sattr
	Spec Specdata
}

// XDR implements xdr.Value.
func (d *MknodData) XDR(c *xdr.Codec) {
	d.Type.XDR(c)
	switch d.Type {
	case TypeChr, TypeBlk:
		d.Attr.XDR(c)
		d.Spec.XDR(c)
	case TypeSock, TypeFifo:
		d.Attr.XDR(c)
	}
}

// MknodArgs is MKNOD3args (RFC 1813 section 3.3.11).
type MknodArgs struct {
	Where DirOpArgs
	What  MknodData
}

// XDR implements xdr.Value.
func (a *MknodArgs) XDR(c *xdr.Codec) {
	a.Where.XDR(c)
	a.What.XDR(c)
}

// MknodReply is MKNOD3res (RFC 1813 section 3.3.11), the same as CREATE3res.
type MknodReply CreateReply

// XDR implements xdr.Value.
func (r *MknodReply) XDR(c *xdr.Codec) { (*CreateReply)(r).XDR(c) }
