package nfs3

import (
	"encoding/binary"

	"github.com/gonfs/gonfs/xdr"
)

// ReadArgs is READ3args (RFC 1813 section 3.3.6).
type ReadArgs struct {
	File   FH
	Offset uint64
	Count  uint32 // bytes wanted, up to FsinfoReply.Rtmax
}

// XDR implements xdr.Value.
func (a *ReadArgs) XDR(c *xdr.Codec) {
	a.File.XDR(c)
	c.Uint64(&a.Offset)
	c.Uint32(&a.Count)
}

// ReadReply is READ3res (RFC 1813 section 3.3.6).
type ReadReply struct {
	Status Status
	Attr   PostOpAttr
	Count  uint32 // success only, like those below; always len(Data)
	EOF    bool
	// Data is borrowed: when encoding, it must not change until the reply was
	// sent; when decoding, it aliases the message or the memory that the
	// caller of Client.Read brought.
	Data []byte
}

// XDR implements xdr.Value. A count that is not the length of the data is
// refused: nobody can say which of the two is true.
func (r *ReadReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Attr.XDR(c)
	if r.Status != OK {
		return
	}
	at := c.Offset()
	c.Uint32(&r.Count)
	c.Bool(&r.EOF)
	c.Borrow(&r.Data, MaxData)
	if !c.Encoding() && c.Err() == nil && uint64(r.Count) != uint64(len(r.Data)) {
		c.Fail(countError(at, r.Count))
	}
}

// ReadvReply is READ3res (RFC 1813 section 3.3.6) whose data is in the Sink of
// Client.Readv.
type ReadvReply struct {
	Status Status
	Attr   PostOpAttr
	Count  uint32 // success only, like EOF; the bytes that the Sink got
	EOF    bool
}

// XDR implements xdr.Value, for decoding alone.
func (r *ReadvReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Attr.XDR(c)
	if r.Status != OK {
		return
	}
	at, n := c.Offset(), uint32(0)
	c.Uint32(&r.Count)
	c.Bool(&r.EOF)
	c.Scatter(&n, MaxData)
	if c.Err() == nil && r.Count != n {
		c.Fail(countError(at, r.Count))
	}
}

func countError(at int, count uint32) error {
	return &ValueError{Field: "count of READ, not the length of its data,", Offset: at, Value: uint64(count)}
}

// placeRead finds the data in the results of READ, for rpc.Call.Place: after
// status, post_op_attr, count, eof and the length word. It trusts nothing:
// what it cannot read to the end is not placed, and the decoder tells why.
func placeRead(results []byte) (offset, length int, ok bool) {
	if len(results) < 8 || binary.BigEndian.Uint32(results) != uint32(OK) {
		return 0, 0, false
	}
	offset = 8
	switch binary.BigEndian.Uint32(results[4:]) {
	case 0:
	case 1:
		offset += fattrSize
	default:
		return 0, 0, false
	}
	offset += 12
	if len(results) < offset {
		return 0, 0, false
	}
	n := binary.BigEndian.Uint32(results[offset-4:])
	if n > MaxData {
		return 0, 0, false
	}
	return offset, int(n), true
}
