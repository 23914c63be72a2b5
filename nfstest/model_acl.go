package nfstest

import (
	"slices"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
)

// lists are the access control lists of an inode. Access is nil where the mode
// says it all.
type lists struct{ access, initial nfsacl.ACL }

// getacl is GETACL of NFSACL. As Linux's server does it, an object without an
// access list has the one that its mode says.
func (m *memory) getacl(fh nfs3.FH, mask uint32, r *nfsacl.GetaclReply) {
	n, st := m.find(fh)
	if r.Status = st; st == nfs3.OK {
		r.Attr = m.post(n)
		r.Lists = n.acl.wire(n.mode, mask)
	}
}

// wire returns the lists as GETACL sends them.
func (l *lists) wire(mode, mask uint32) nfsacl.Lists {
	out := nfsacl.Lists{Mask: mask, Default: l.initial}
	if out.Access = l.access; out.Access == nil {
		out.Access = nfsacl.FromMode(mode)
	}
	return out
}

// setacl is SETACL of NFSACL. As Linux's server does it, a list that the call
// does not name is taken away.
func (m *memory) setacl(w *ident, fh nfs3.FH, l *nfsacl.Lists, r *nfsacl.SetaclReply) {
	n, st := m.find(fh)
	if r.Status = st; st != nfs3.OK {
		return
	}
	if r.Status = w.maySetACL(n, l); r.Status == nfs3.OK {
		n.acl = lists{}
		if l.Mask&nfsacl.MaskACL != 0 && len(l.Access) > 0 {
			n.mode = l.Access.Mode(n.mode)
			if w.uid != 0 && !w.inGroup(n.gid) {
				n.mode &^= 02000
			}
			if !l.Access.Minimal() {
				n.acl.access = slices.Clone(l.Access)
			}
		}
		if l.Mask&nfsacl.MaskDefault != 0 {
			n.acl.initial = slices.Clone(l.Default)
		}
		n.ctime = m.now()
	}
	r.Attr = m.post(n)
}

// maySetACL checks a SETACL before anything is done.
func (w *ident) maySetACL(n *inode, l *nfsacl.Lists) nfs3.Status {
	switch {
	case w.uid != 0 && w.uid != n.uid:
		return nfs3.ErrPerm
	case n.typ == nfs3.TypeLnk:
		return nfs3.ErrNotsupp
	case len(l.Access) > 0 && l.Access.Valid() != nil, len(l.Default) > 0 && l.Default.Valid() != nil:
		return nfs3.ErrInval
	case len(l.Default) > 0 && n.dir == nil:
		return nfs3.ErrAcces
	}
	return nfs3.OK
}

// inherit gives a new inode what the default list of its directory says.
func (n *inode) inherit(d *inode) {
	if d.acl.initial == nil || n.typ == nfs3.TypeLnk {
		return
	}
	n.acl.access, n.mode = d.acl.initial.Inherit(n.mode)
	if n.dir != nil {
		n.acl.initial = slices.Clone(d.acl.initial)
	}
}

// mayByList is may for an object with an access list, asked by who is neither
// root nor the owner (acl(5), "Access check algorithm").
func (w *ident) mayByList(a nfsacl.ACL, gid uint32, want uint32) bool {
	member := false
	for _, e := range a {
		switch {
		case e.Tag == nfsacl.User && e.ID == w.uid:
			return a.Effective(e)&want == want
		case e.Tag == nfsacl.GroupObj && w.inGroup(gid), e.Tag == nfsacl.Group && w.inGroup(e.ID):
			if member = true; a.Effective(e)&want == want {
				return true
			}
		case e.Tag == nfsacl.Other:
			return !member && e.Perm&want == want
		}
	}
	return false
}
