package nfs3

import "github.com/gonfs/gonfs/xdr"

// SetUint32 is set_mode3, set_uid3 or set_gid3 (RFC 1813 section 2.6): a value
// to be set, or not. The zero value leaves the attribute as it is.
type SetUint32 struct {
	Set   bool
	Value uint32
}

// XDR implements xdr.Value.
func (s *SetUint32) XDR(c *xdr.Codec) {
	c.Bool(&s.Set)
	if s.Set {
		c.Uint32(&s.Value)
	}
}

// SetUint64 is set_size3 (RFC 1813 section 2.6). The zero value leaves the size
// as it is.
type SetUint64 struct {
	Set   bool
	Value uint64
}

// XDR implements xdr.Value.
func (s *SetUint64) XDR(c *xdr.Codec) {
	c.Bool(&s.Set)
	if s.Set {
		c.Uint64(&s.Value)
	}
}

// TimeHow is time_how (RFC 1813 section 2.6).
type TimeHow uint32

// The values of TimeHow.
const (
	DontChange      TimeHow = 0
	SetToServerTime TimeHow = 1 // the server's clock: what UTIME_NOW means
	SetToClientTime TimeHow = 2 // the time that is in the call
)

// SetTime is set_atime or set_mtime (RFC 1813 section 2.6). Time counts only
// for SetToClientTime.
type SetTime struct {
	How  TimeHow
	Time Time
}

// XDR implements xdr.Value.
func (s *SetTime) XDR(c *xdr.Codec) {
	at := c.Offset()
	xdr.Enum(c, &s.How)
	switch s.How {
	case DontChange, SetToServerTime:
	case SetToClientTime:
		s.Time.XDR(c)
	default:
		c.Fail(&xdr.Error{Kind: xdr.BadUnion, Offset: at, Length: uint32(s.How)})
	}
}

// Sattr is sattr3 (RFC 1813 section 2.6): the attributes to be set. The zero
// value changes nothing.
type Sattr struct {
	Mode  SetUint32
	UID   SetUint32
	GID   SetUint32
	Size  SetUint64
	Atime SetTime
	Mtime SetTime
}

// XDR implements xdr.Value.
func (s *Sattr) XDR(c *xdr.Codec) {
	s.Mode.XDR(c)
	s.UID.XDR(c)
	s.GID.XDR(c)
	s.Size.XDR(c)
	s.Atime.XDR(c)
	s.Mtime.XDR(c)
}

// SattrGuard is sattrguard3 (RFC 1813 section 3.3.2): with Check, SETATTR is
// done only if the object's ctime is this one; otherwise it is ErrNotSync.
type SattrGuard struct {
	Check bool
	Ctime Time
}

// XDR implements xdr.Value.
func (g *SattrGuard) XDR(c *xdr.Codec) { c.Optional(&g.Check, &g.Ctime) }
