package nfs3

import (
	"encoding/hex"

	"github.com/gonfs/gonfs/xdr"
)

// FH is nfs_fh3, a file handle: up to 64 bytes that only the server
// understands (RFC 1813 section 2.5). It is a value, comparable with ==; bytes
// after its length are zero. The zero FH is empty and names nothing.
type FH struct {
	n uint8
	b [FHSize]byte
}

// MakeFH returns the handle of the given bytes, which are copied. More than
// FHSize bytes are an *xdr.Error.
func MakeFH(b []byte) (FH, error) {
	var h FH
	if len(b) > FHSize {
		return h, &xdr.Error{Kind: xdr.TooLong, Length: uint32(len(b)), Limit: FHSize}
	}
	h.n = uint8(copy(h.b[:], b))
	return h, nil
}

// Bytes returns the handle's bytes, aliasing h: they must not be changed.
func (h *FH) Bytes() []byte { return h.b[:h.n] }

// Len returns how many bytes the handle has, 0–64.
func (h FH) Len() int { return int(h.n) }

// String returns the bytes in hexadecimal.
func (h FH) String() string { return hex.EncodeToString(h.b[:h.n]) }

// XDR implements xdr.Value: opaque data<NFS3_FHSIZE>.
func (h *FH) XDR(c *xdr.Codec) {
	at := c.Offset()
	n := uint32(h.n)
	c.Uint32(&n)
	if !c.Encoding() {
		if c.Err() != nil {
			return
		}
		if n > FHSize {
			c.Fail(&xdr.Error{Kind: xdr.TooLong, Offset: at, Length: n, Limit: FHSize})
			return
		}
		h.n = uint8(n)
		clear(h.b[n:]) // == must not see what was there before
	}
	c.Fixed(h.b[:h.n])
}

// handle is a handle that a server must send: in a success arm an empty one
// would name nothing, and calls on it would fail far from the cause.
func handle(c *xdr.Codec, h *FH) {
	at := c.Offset()
	h.XDR(c)
	if !c.Encoding() && c.Err() == nil && h.n == 0 {
		c.Fail(&ValueError{Field: "file handle length", Offset: at, Value: 0})
	}
}

// PostOpFH is post_op_fh3 (RFC 1813 section 2.6): a handle that a server need
// not send. A handle that is there but empty counts as absent, so that the
// client looks the name up.
type PostOpFH struct {
	Present bool
	FH      FH
}

// XDR implements xdr.Value.
func (p *PostOpFH) XDR(c *xdr.Codec) {
	if c.Optional(&p.Present, &p.FH) && !c.Encoding() && p.FH.n == 0 {
		p.Present = false
	}
}
