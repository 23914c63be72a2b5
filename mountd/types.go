package mountd

import (
	"errors"

	"github.com/gonfs/gonfs/xdr"
)

// ErrBadHandle means that the server answered MNT with a file handle of no
// bytes.
var ErrBadHandle = errors.New("mountd: file handle of 0 bytes")

// MntReply is mountres3 (RFC 1813 section 5.2.1). FH and Flavors are there if
// Status is OK.
type MntReply struct {
	Status Status
	// FH is the handle of the export's root: 1 to 64 bytes, a copy.
	FH []byte
	// Flavors are the RPC flavours that the export accepts, the preferred
	// first, MaxFlavors at most; the rest of a longer list is dropped.
	Flavors []uint32
}

// XDR reads and writes mountres3.
func (r *MntReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	if c.Err() != nil || r.Status != OK {
		return
	}
	if c.Opaque(&r.FH, FHSize); c.Err() == nil && len(r.FH) == 0 {
		c.Fail(ErrBadHandle)
	}
	flavors(c, &r.Flavors)
}

// flavors is int auth_flavors<>: the length is checked against the message,
// but only MaxFlavors are stored.
func flavors(c *xdr.Codec, l *[]uint32) {
	n := uint32(len(*l))
	at := c.Offset()
	c.Uint32(&n)
	if c.Encoding() {
		for _, f := range *l {
			c.Uint32(&f)
		}
		return
	}
	if c.Err() == nil && int64(n)*4 > int64(c.Remaining()) {
		c.Fail(&xdr.Error{Kind: xdr.Short, Offset: at, Length: n, Limit: uint32(c.Remaining())})
	}
	if c.Err() != nil {
		return
	}
	*l = (*l)[:0]
	for i := range n {
		var f uint32
		if c.Uint32(&f); i < MaxFlavors {
			*l = append(*l, f)
		}
	}
}

// Mount is mountbody, an entry of DUMP (RFC 1813 section 5.2.2): Host has
// mounted Dir.
type Mount struct {
	Host string
	Dir  string
}

// mounts is mountlist.
type mounts []Mount

func (l *mounts) XDR(c *xdr.Codec) {
	xdr.List(c, (*[]Mount)(l), maxEntries, func(c *xdr.Codec, m *Mount) {
		c.String(&m.Host, NameLen)
		c.String(&m.Dir, PathLen)
	})
}

// Export is exportnode, an entry of EXPORT (RFC 1813 section 5.2.5): Dir may
// be mounted by the hosts that Groups names, or by all if it names none.
type Export struct {
	Dir    string
	Groups []string
}

// exports is the list of them.
type exports []Export

func (l *exports) XDR(c *xdr.Codec) {
	xdr.List(c, (*[]Export)(l), maxEntries, func(c *xdr.Codec, e *Export) {
		c.String(&e.Dir, PathLen)
		xdr.List(c, &e.Groups, maxEntries, func(c *xdr.Codec, g *string) { c.String(g, NameLen) })
	})
}

// dirpath is the argument of MNT and UMNT.
type dirpath string

func (p *dirpath) XDR(c *xdr.Codec) { c.String((*string)(p), PathLen) }
