package rpc

// Cred is the identity that a call is made with: what AUTH_SYS sends (RFC 5531
// section 8.2 and appendix A) and what other flavours choose their context by.
// It is comparable.
type Cred struct {
	UID, GID uint32
	// GIDs are the supplementary groups, the first NGIDs of them; AUTH_SYS
	// carries 16 at most.
	NGIDs uint8
	GIDs  [MaxGIDs]uint32
}

// MaxGIDs is the most supplementary groups that AUTH_SYS carries.
const MaxGIDs = 16

// NewCred returns a credential with the first MaxGIDs of gids.
func NewCred(uid, gid uint32, gids []uint32) *Cred {
	c := &Cred{UID: uid, GID: gid}
	c.NGIDs = uint8(copy(c.GIDs[:], gids))
	return c
}

// Groups returns the supplementary groups, aliasing c.
func (c *Cred) Groups() []uint32 { return c.GIDs[:c.NGIDs] }
