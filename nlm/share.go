package nlm

import "github.com/gonfs/gonfs/xdr"

// Mode is fsh4_mode, what a share keeps others from: Deny… (RFC 1813 section
// 6.1.2).
type Mode uint32

// The values of Mode.
const (
	DenyNone      Mode = 0 // fsm_DN
	DenyRead      Mode = 1 // fsm_DR
	DenyWrite     Mode = 2 // fsm_DW
	DenyReadWrite Mode = 3 // fsm_DRW
)

// Access is fsh4_access, what the owner of a share wants to do.
type Access uint32

// The values of Access.
const (
	AccessNone      Access = 0 // fsa_NONE
	AccessRead      Access = 1 // fsa_R
	AccessWrite     Access = 2 // fsa_W
	AccessReadWrite Access = 3 // fsa_RW
)

// Share is nlm4_share, a DOS share of a whole file (RFC 1813 section 6.1.3). A
// host has one share of an owner oh on a file.
type Share struct {
	CallerName string
	FH         []byte
	OH         []byte
	Mode       Mode
	Access     Access
}

// XDR implements xdr.Value.
func (s *Share) XDR(c *xdr.Codec) {
	c.String(&s.CallerName, StringLen)
	c.Opaque(&s.FH, ObjectLen)
	c.Opaque(&s.OH, ObjectLen)
	xdr.Enum(c, &s.Mode)
	xdr.Enum(c, &s.Access)
}

// ShareArgs is nlm4_shareargs, of SHARE and UNSHARE.
type ShareArgs struct {
	Cookie  []byte
	Share   Share
	Reclaim bool
}

// XDR implements xdr.Value.
func (a *ShareArgs) XDR(c *xdr.Codec) {
	c.Opaque(&a.Cookie, ObjectLen)
	a.Share.XDR(c)
	c.Bool(&a.Reclaim)
}

// ShareRes is nlm4_shareres. Sequence is for DOS clients, which want the
// answers in order.
type ShareRes struct {
	Cookie   []byte
	Stat     Stats
	Sequence int32
}

// XDR implements xdr.Value.
func (r *ShareRes) XDR(c *xdr.Codec) {
	c.Opaque(&r.Cookie, ObjectLen)
	xdr.Enum(c, &r.Stat)
	c.Int32(&r.Sequence)
}

// Notify is nlm4_notify, of FREE_ALL: all locks of host Name are dropped. State
// is not used.
type Notify struct {
	Name  string
	State int32
}

// XDR implements xdr.Value.
func (n *Notify) XDR(c *xdr.Codec) {
	c.String(&n.Name, NameLen)
	c.Int32(&n.State)
}
