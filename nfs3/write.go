package nfs3

import "github.com/gonfs/gonfs/xdr"

// StableHow is stable_how (RFC 1813 section 3.3.7): how safe the data of a
// WRITE must be, and is, before the reply.
type StableHow uint32

// The values of StableHow.
const (
	Unstable StableHow = 0 // may be lost by a restart until COMMIT
	DataSync StableHow = 1 // data, and what is needed to find it, is safe
	FileSync StableHow = 2 // data and all attributes are safe
)

// String returns the RFC's name: "UNSTABLE".
func (s StableHow) String() string {
	switch s {
	case Unstable:
		return "UNSTABLE"
	case DataSync:
		return "DATA_SYNC"
	case FileSync:
		return "FILE_SYNC"
	}
	return "stable_how ???"
}

// XDR implements xdr.Value. A value that the RFC does not know is refused:
// taken as UNSTABLE it would be harmless, taken as FILE_SYNC it would lose
// data.
func (s *StableHow) XDR(c *xdr.Codec) {
	at := c.Offset()
	xdr.Enum(c, s)
	if !c.Encoding() && c.Err() == nil && *s > FileSync {
		c.Fail(&ValueError{Field: "stable_how", Offset: at, Value: uint64(*s)})
	}
}

// WriteArgs is WRITE3args (RFC 1813 section 3.3.7).
type WriteArgs struct {
	File   FH
	Offset uint64
	Count  uint32 // always len(Data)
	Stable StableHow
	// Data is borrowed: when encoding, it must not change until the call
	// returned; when decoding, it aliases the message.
	Data []byte
}

// XDR implements xdr.Value.
func (a *WriteArgs) XDR(c *xdr.Codec) {
	a.File.XDR(c)
	c.Uint64(&a.Offset)
	c.Uint32(&a.Count)
	a.Stable.XDR(c)
	c.Borrow(&a.Data, MaxData)
}

// WriteReply is WRITE3res (RFC 1813 section 3.3.7).
type WriteReply struct {
	Status    Status
	Wcc       WccData
	Count     uint32 // success only, like those below: bytes that were written
	Committed StableHow
	Verf      [WriteVerfSize]byte // changes when unstable data was lost
}

// XDR implements xdr.Value.
func (r *WriteReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Wcc.XDR(c)
	if r.Status == OK {
		c.Uint32(&r.Count)
		r.Committed.XDR(c)
		c.Fixed(r.Verf[:])
	}
}

// CommitArgs is COMMIT3args (RFC 1813 section 3.3.21).
type CommitArgs struct {
	File   FH
	Offset uint64
	Count  uint32 // bytes; 0 is from Offset to the end of the file
}

// XDR implements xdr.Value.
func (a *CommitArgs) XDR(c *xdr.Codec) {
	a.File.XDR(c)
	c.Uint64(&a.Offset)
	c.Uint32(&a.Count)
}

// CommitReply is COMMIT3res (RFC 1813 section 3.3.21).
type CommitReply struct {
	Status Status
	Wcc    WccData
	Verf   [WriteVerfSize]byte // success only; see WriteReply.Verf
}

// XDR implements xdr.Value.
func (r *CommitReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Wcc.XDR(c)
	if r.Status == OK {
		c.Fixed(r.Verf[:])
	}
}
