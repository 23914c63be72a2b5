package nfstest

import "github.com/gonfs/gonfs/nfs3"

// getattr is GETATTR (RFC 1813 section 3.3.1).
func (m *memory) getattr(fh nfs3.FH, r *nfs3.GetattrReply) {
	n, st := m.find(fh)
	if r.Status = st; st == nfs3.OK {
		r.Attr = m.attr(n)
	}
}

// setattr is SETATTR (RFC 1813 section 3.3.2). guard is the ctime that the
// file must have, or nil.
func (m *memory) setattr(w *ident, fh nfs3.FH, s *nfs3.Sattr, guard *nfs3.Time, r *nfs3.SetattrReply) {
	n, st := m.find(fh)
	if r.Status = st; st != nfs3.OK {
		return
	}
	r.Wcc.Before = m.pre(n)
	switch {
	case guard != nil && *guard != n.ctime:
		r.Status = nfs3.ErrNotSync
	default:
		r.Status = m.change(w, n, s)
	}
	r.Wcc.After = m.post(n)
}

// change applies s to n if w may do all of it.
func (m *memory) change(w *ident, n *inode, s *nfs3.Sattr) nfs3.Status {
	if st := w.mayChange(n, s); st != nfs3.OK {
		return st
	}
	if s.Size.Set {
		if st := m.setSize(n, s.Size.Value); st != nfs3.OK {
			return st
		}
	}
	m.set(w, n, s)
	n.ctime = m.now()
	return nfs3.OK
}

// mayChange checks every part of s, so that nothing is done unless all is.
func (w *ident) mayChange(n *inode, s *nfs3.Sattr) nfs3.Status {
	owner := w.uid == 0 || w.uid == n.uid
	switch {
	case s.Mode.Set && !owner,
		s.UID.Set && w.uid != 0 && !(owner && s.UID.Value == n.uid),
		s.GID.Set && w.uid != 0 && !(owner && (s.GID.Value == n.gid || w.inGroup(s.GID.Value))),
		s.Atime.How == nfs3.SetToClientTime && !owner,
		s.Mtime.How == nfs3.SetToClientTime && !owner:
		return nfs3.ErrPerm
	case s.Atime.How == nfs3.SetToServerTime && !owner && !w.may(n, mayWrite),
		s.Mtime.How == nfs3.SetToServerTime && !owner && !w.may(n, mayWrite),
		s.Size.Set && !w.mayIO(n, mayWrite):
		return nfs3.ErrAcces
	}
	return nfs3.OK
}

// setSize is truncate(2).
func (m *memory) setSize(n *inode, size uint64) nfs3.Status {
	switch {
	case n.dir != nil:
		return nfs3.ErrIsdir
	case n.data == nil:
		return nfs3.ErrInval
	case size > maxSize:
		return nfs3.ErrFbig
	}
	m.resize(n, func(d *fileData) { d.truncate(size) })
	n.mtime = m.now()
	return nfs3.OK
}

// set stores the attributes of s but for the size. As on Linux, a change of
// owner or size takes the set-id bits away, and a mode given by who is not of
// the file's group loses the set-group-id bit.
func (m *memory) set(w *ident, n *inode, s *nfs3.Sattr) {
	if n.dir == nil && (s.UID.Set || s.GID.Set || s.Size.Set && w.uid != 0) {
		n.clearSetID()
	}
	if s.UID.Set {
		n.uid = s.UID.Value
	}
	if s.GID.Set {
		n.gid = s.GID.Value
	}
	if s.Mode.Set {
		n.mode = s.Mode.Value & 07777
		if w.uid != 0 && n.dir == nil && !w.inGroup(n.gid) {
			n.mode &^= 02000
		}
		n.acl.access = n.acl.access.Chmod(n.mode)
	}
	m.setTime(&n.atime, &s.Atime)
	m.setTime(&n.mtime, &s.Mtime)
	if s.Atime.How != nfs3.DontChange || s.Mtime.How != nfs3.DontChange {
		n.verfHeld = false
	}
}

func (m *memory) setTime(t *nfs3.Time, s *nfs3.SetTime) {
	switch s.How {
	case nfs3.SetToServerTime:
		*t = m.now()
	case nfs3.SetToClientTime:
		*t = s.Time
	}
}

// clearSetID takes the bits away that a change of content or owner must not
// leave: set-user-id, and set-group-id where it is not a lock mark.
func (n *inode) clearSetID() {
	n.mode &^= 04000
	if n.mode&010 != 0 {
		n.mode &^= 02000
	}
}

// readlink is READLINK (RFC 1813 section 3.3.5).
func (m *memory) readlink(fh nfs3.FH, r *nfs3.ReadlinkReply) {
	n, st := m.find(fh)
	if r.Status = st; st != nfs3.OK {
		return
	}
	r.Attr = m.post(n)
	if n.typ != nfs3.TypeLnk {
		r.Status = nfs3.ErrInval
		return
	}
	r.Target = n.target
}

// access is ACCESS (RFC 1813 section 3.3.4).
func (m *memory) access(w *ident, fh nfs3.FH, want uint32, r *nfs3.AccessReply) {
	n, st := m.find(fh)
	if r.Status = st; st == nfs3.OK {
		r.Attr = m.post(n)
		r.Access = w.access(n, want)
	}
}
