package nfs3

import "github.com/gonfs/gonfs/xdr"

// name is filename3 (RFC 1813 section 2.5), as bytes. A caller's name that no
// server takes is ErrNametoolong at once.
func name(c *xdr.Codec, s *string) {
	if c.Encoding() && len(*s) > MaxName {
		c.Fail(ErrNametoolong)
		return
	}
	c.String(s, MaxName)
}

// nameIn is name, with what is decoded kept in a; nil is as name is.
func nameIn(c *xdr.Codec, s *string, a *xdr.Arena) {
	if a == nil || c.Encoding() {
		name(c, s)
		return
	}
	c.StringIn(s, MaxName, a)
}

// path is nfspath3 (RFC 1813 section 2.5), the target of a symbolic link.
func path(c *xdr.Codec, s *string) {
	if c.Encoding() && len(*s) > MaxPath {
		c.Fail(ErrNametoolong)
		return
	}
	c.String(s, MaxPath)
}

// DirOpArgs is diropargs3 (RFC 1813 section 2.6): a name in a directory.
type DirOpArgs struct {
	Dir  FH
	Name string
}

// XDR implements xdr.Value.
func (d *DirOpArgs) XDR(c *xdr.Codec) {
	d.Dir.XDR(c)
	name(c, &d.Name)
}
