package nlm

import "github.com/gonfs/gonfs/xdr"

// The types of one message each are read into what the caller lends; slices are
// copies, ObjectLen bytes at most.

// Lock is nlm4_lock, who wants which bytes of which file (RFC 1813 section
// 6.1.3).
type Lock struct {
	// CallerName names the host. The server's NSM watches the host of this
	// name, and it is how NSM says which host has rebooted.
	CallerName string
	FH         []byte // the file handle: 64 bytes at most in NFSv3
	OH         []byte // the owner, unique on its host
	Svid       int32  // the owner's number; a part of its identity
	// Offset is the first byte, Length how many; 0 is "to the end". See Bounds.
	Offset, Length uint64
}

// XDR implements xdr.Value.
func (l *Lock) XDR(c *xdr.Codec) {
	c.String(&l.CallerName, StringLen)
	c.Opaque(&l.FH, ObjectLen)
	c.Opaque(&l.OH, ObjectLen)
	c.Int32(&l.Svid)
	c.Uint64(&l.Offset)
	c.Uint64(&l.Length)
}

// Holder is nlm4_holder: a lock that is in the way (RFC 1813 section 6.1.2).
type Holder struct {
	Exclusive      bool
	Svid           int32
	OH             []byte
	Offset, Length uint64
}

// XDR implements xdr.Value.
func (h *Holder) XDR(c *xdr.Codec) {
	c.Bool(&h.Exclusive)
	c.Int32(&h.Svid)
	c.Opaque(&h.OH, ObjectLen)
	c.Uint64(&h.Offset)
	c.Uint64(&h.Length)
}

// TestArgs is nlm4_testargs, of TEST and GRANTED: in the latter, Lock is what
// the server has granted.
type TestArgs struct {
	Cookie    []byte // chosen by the caller, and returned
	Exclusive bool
	Lock      Lock
}

// XDR implements xdr.Value.
func (a *TestArgs) XDR(c *xdr.Codec) {
	c.Opaque(&a.Cookie, ObjectLen)
	c.Bool(&a.Exclusive)
	a.Lock.XDR(c)
}

// TestRes is nlm4_testres. Holder is there if Stat is Denied.
type TestRes struct {
	Cookie []byte
	Stat   Stats
	Holder Holder
}

// XDR implements xdr.Value.
func (r *TestRes) XDR(c *xdr.Codec) {
	c.Opaque(&r.Cookie, ObjectLen)
	xdr.Enum(c, &r.Stat)
	if c.Err() == nil && r.Stat == Denied {
		r.Holder.XDR(c)
	}
}

// LockArgs is nlm4_lockargs, of LOCK and NM_LOCK.
type LockArgs struct {
	Cookie    []byte
	Block     bool // wait: the server answers Blocked, and calls GRANTED later
	Exclusive bool
	Lock      Lock
	Reclaim   bool  // the lock was held before the server restarted
	State     int32 // the NSM state of the caller's host
}

// XDR implements xdr.Value.
func (a *LockArgs) XDR(c *xdr.Codec) {
	c.Opaque(&a.Cookie, ObjectLen)
	c.Bool(&a.Block)
	c.Bool(&a.Exclusive)
	a.Lock.XDR(c)
	c.Bool(&a.Reclaim)
	c.Int32(&a.State)
}

// CancelArgs is nlm4_cancargs: Block, Exclusive and Lock are those of the LOCK
// that is taken back.
type CancelArgs struct {
	Cookie    []byte
	Block     bool
	Exclusive bool
	Lock      Lock
}

// XDR implements xdr.Value.
func (a *CancelArgs) XDR(c *xdr.Codec) {
	c.Opaque(&a.Cookie, ObjectLen)
	c.Bool(&a.Block)
	c.Bool(&a.Exclusive)
	a.Lock.XDR(c)
}

// UnlockArgs is nlm4_unlockargs. The range may hold a part of a lock, or many.
type UnlockArgs struct {
	Cookie []byte
	Lock   Lock
}

// XDR implements xdr.Value.
func (a *UnlockArgs) XDR(c *xdr.Codec) {
	c.Opaque(&a.Cookie, ObjectLen)
	a.Lock.XDR(c)
}

// Res is nlm4_res, the answer to all but TEST, SHARE and UNSHARE.
type Res struct {
	Cookie []byte
	Stat   Stats
}

// XDR implements xdr.Value.
func (r *Res) XDR(c *xdr.Codec) {
	c.Opaque(&r.Cookie, ObjectLen)
	xdr.Enum(c, &r.Stat)
}
