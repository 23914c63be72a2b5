package nfsacl

import (
	"fmt"
	"slices"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/xdr"
)

// Lists are the lists of one object: secattr of nfs_acl.x.
type Lists struct {
	// Mask says which of the rest counts. A server may send less than it was
	// asked for.
	Mask uint32
	// Count and DefaultCount are how many entries the lists have on the
	// server. They are set when decoding; encoding takes the lists' own.
	Count, DefaultCount uint32
	// Access is nil, or of three entries, where the mode says it all.
	Access ACL
	// Default is nil for what has none: files, and most directories.
	Default ACL
}

// XDR implements xdr.Value. It encodes a list of three entries as one of four,
// with a mask, and decodes it to three again; the order of entries is undone as
// well.
func (l *Lists) XDR(c *xdr.Codec) {
	c.Uint32(&l.Mask)
	list(c, &l.Count, &l.Access, l.Mask&MaskACL != 0, 0)
	list(c, &l.DefaultCount, &l.Default, l.Mask&MaskDefault != 0, defaultFlag)
}

// list is a count and an array of that many entries, or of none if entries is
// false: then only the count was asked for.
func list(c *xdr.Codec, count *uint32, a *ACL, entries bool, flag Tag) {
	if c.Encoding() {
		wire := a.padded()
		n := uint32(len(wire))
		c.Uint32(&n)
		if !entries {
			wire = nil
		}
		xdr.Slice(c, (*[]Entry)(&wire), MaxEntries, entrySize, func(c *xdr.Codec, e *Entry) { entry(c, e, flag) })
		return
	}
	at := c.Offset()
	c.Uint32(count)
	if c.Err() == nil && *count > MaxEntries {
		c.Fail(&xdr.Error{Kind: xdr.TooLong, Offset: at, Length: *count, Limit: MaxEntries})
	}
	xdr.Slice(c, (*[]Entry)(a), MaxEntries, entrySize, func(c *xdr.Codec, e *Entry) { entry(c, e, flag) })
	if c.Err() == nil {
		*a = a.plain()
		*count = uint32(max(int(*count), len(*a)))
	}
}

// entrySize is the wire size of an entry in bytes.
const entrySize = 12

// entry is aclent of nfs_acl.x.
func entry(c *xdr.Codec, e *Entry, flag Tag) {
	w := *e // encoding must not write
	w.Tag |= flag
	at := c.Offset()
	xdr.Enum(c, &w.Tag)
	c.Uint32(&w.ID)
	c.Uint32(&w.Perm)
	if c.Encoding() || c.Err() != nil {
		return
	}
	switch w.Tag &^= defaultFlag; w.Tag {
	case User, Group:
	case Mask:
		w.Perm &= 7 // Solaris sets more bits
		fallthrough
	case UserObj, GroupObj, Other:
		w.ID = 0 // the owner's id, or anything
	default:
		c.Fail(&ValueError{Field: "tag", Offset: at, Value: uint32(w.Tag)})
		return
	}
	if w.Perm > 7 {
		c.Fail(&ValueError{Field: "permissions", Offset: at, Value: w.Perm})
		return
	}
	*e = w
}

// padded returns the list as it is on the wire: one of three entries gets a
// mask, in the place where Solaris looks for it.
func (a *ACL) padded() ACL {
	if !a.Minimal() {
		return *a
	}
	s := slices.Clone(*a)
	s.Sort()
	return ACL{s[0], s[1], {Mask, 0, s[1].Perm}, s[2]}
}

// plain sorts a list from the wire and takes a mask away that says nothing. An
// empty list is nil.
func (a ACL) plain() ACL {
	if len(a) == 0 {
		return nil
	}
	a.Sort()
	if len(a) == 4 {
		g, m := a.find(GroupObj), a.find(Mask)
		if g != nil && m != nil && g.Perm == m.Perm {
			a = slices.DeleteFunc(a, func(e Entry) bool { return e.Tag == Mask })
		}
	}
	return a
}

// ValueError tells that a field of a message has a value that does not exist.
type ValueError struct {
	Field  string
	Offset int // bytes from the start of the RPC message
	Value  uint32
}

// Error implements error.
func (e *ValueError) Error() string {
	return fmt.Sprintf("nfsacl: %s at byte %d is %#x, which an entry cannot have", e.Field, e.Offset, e.Value)
}

// GetaclArgs is GETACL3args of nfs_acl.x.
type GetaclArgs struct {
	Object nfs3.FH
	Mask   uint32 // which parts are wanted
}

// XDR implements xdr.Value.
func (a *GetaclArgs) XDR(c *xdr.Codec) {
	a.Object.XDR(c)
	c.Uint32(&a.Mask)
}

// GetaclReply is GETACL3res of nfs_acl.x.
type GetaclReply struct {
	Status nfs3.Status
	Attr   nfs3.PostOpAttr
	Lists  Lists // success only
}

// XDR implements xdr.Value.
func (r *GetaclReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Attr.XDR(c)
	if r.Status == nfs3.OK {
		r.Lists.XDR(c)
	}
}

// SetaclArgs is SETACL3args of nfs_acl.x. Lists.Mask says which lists are set;
// the default list is set to none by being empty.
type SetaclArgs struct {
	Object nfs3.FH
	Lists  Lists
}

// XDR implements xdr.Value.
func (a *SetaclArgs) XDR(c *xdr.Codec) {
	a.Object.XDR(c)
	a.Lists.XDR(c)
}

// SetaclReply is SETACL3res of nfs_acl.x.
type SetaclReply struct {
	Status nfs3.Status
	Attr   nfs3.PostOpAttr
}

// XDR implements xdr.Value.
func (r *SetaclReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.Attr.XDR(c)
}
