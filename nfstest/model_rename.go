package nfstest

import "github.com/gonfs/gonfs/nfs3"

// rename is RENAME (RFC 1813 section 3.3.14), with what rename(2) adds: the
// target must be of the same kind and, if a directory, empty; two names of one
// file stay as they are.
func (m *memory) rename(w *ident, fromDir nfs3.FH, from string, toDir nfs3.FH, to string, r *nfs3.RenameReply) {
	fd, n, st := m.edit(w, fromDir, from, &r.FromWcc)
	td, was, st2 := m.edit(w, toDir, to, &r.ToWcc)
	switch {
	case st == nfs3.ErrExist: // "." or ".."
		st = nfs3.ErrInval
	case st == nfs3.OK && st2 == nfs3.ErrExist:
		st = nfs3.ErrInval
	case st == nfs3.OK && st2 != nfs3.OK:
		st = st2
	}
	if st == nfs3.OK {
		st = m.mayRename(w, fd, n, td, was)
	}
	if st == nfs3.OK && n != was {
		m.move(fd, from, n, td, to, was)
	}
	r.Status, r.FromWcc.After, r.ToWcc.After = st, m.post(fd), m.post(td)
}

// mayRename checks everything that could refuse to put n of fd in the place of
// was, which may be nil, in td.
func (m *memory) mayRename(w *ident, fd, n, td, was *inode) nfs3.Status {
	switch {
	case n == nil:
		return nfs3.ErrNoent
	case !w.may(fd, mayWrite) || !w.may(td, mayWrite):
		return nfs3.ErrAcces
	case n.dir != nil && td.within(n):
		return nfs3.ErrInval
	case n == was:
		return nfs3.OK
	case !w.mayRemove(fd, n):
		return nfs3.ErrPerm
	case n.dir != nil && fd != td && w.uid != 0 && !w.may(n, mayWrite):
		return nfs3.ErrAcces // its ".." changes
	case was == nil:
		return nfs3.OK
	case !w.mayRemove(td, was):
		return nfs3.ErrPerm
	case n.dir != nil && was.dir == nil:
		return nfs3.ErrNotdir
	case n.dir == nil && was.dir != nil:
		return nfs3.ErrIsdir
	case was.dir != nil && len(was.dir.names) > 0:
		return nfs3.ErrNotempty
	}
	return nfs3.OK
}

// move does the rename. n keeps its links throughout: no listing or lookup
// ever finds the target name missing.
func (m *memory) move(fd *inode, from string, n *inode, td *inode, to string, was *inode) {
	fd.dir.drop(from)
	td.dir.put(to, n)
	if was != nil {
		m.used -= inodeBytes
		if was.dir != nil {
			td.nlink--
		}
		m.unlink(was)
	}
	if n.dir != nil {
		n.dir.parent = td
		fd.nlink--
		td.nlink++
	}
	m.touched(fd)
	if td != fd {
		m.touched(td)
	}
	n.ctime = m.now()
}
