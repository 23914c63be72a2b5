package nfstest

import (
	"encoding/binary"

	"github.com/gonfs/gonfs/nfs3"
)

// create is CREATE (RFC 1813 section 3.3.8).
func (m *memory) create(w *ident, dir nfs3.FH, name string, how *nfs3.CreateHow, r *nfs3.CreateReply) {
	d, n, st := m.edit(w, dir, name, &r.DirWcc)
	switch {
	case st != nfs3.OK:
	case n != nil:
		st = m.recreate(w, n, how)
	case how.Mode == nfs3.Exclusive:
		if n, st = m.make(w, d, name, nfs3.TypeReg, &nfs3.Sattr{}); st == nfs3.OK {
			n.mode = 0 // the client's SETATTR brings the mode
			n.acl.access = n.acl.access.Chmod(0)
			n.holdVerf(how.Verf)
		}
	default:
		if n, st = m.make(w, d, name, nfs3.TypeReg, &how.Attr); st == nfs3.OK && how.Attr.Size.Set {
			if st = m.setSize(n, how.Attr.Size.Value); st != nfs3.OK {
				m.detach(d, name, n)
			}
		}
	}
	if r.Status = st; st == nfs3.OK {
		r.Object, r.Attr = m.handle(n), m.post(n)
	}
	r.DirWcc.After = m.post(d)
}

// recreate is CREATE where the name exists. UNCHECKED applies the size, which
// is how O_TRUNC comes, and leaves the other attributes alone.
func (m *memory) recreate(w *ident, n *inode, how *nfs3.CreateHow) nfs3.Status {
	switch {
	case how.Mode == nfs3.Exclusive && n.verfHeld && n.verf == how.Verf:
		return nfs3.OK // the same call came twice
	case how.Mode != nfs3.Unchecked:
		return nfs3.ErrExist
	case n.dir != nil:
		return nfs3.ErrIsdir
	case n.data == nil:
		return nfs3.ErrExist
	case !how.Attr.Size.Set:
		return nfs3.OK
	}
	return m.change(w, n, &nfs3.Sattr{Size: how.Attr.Size})
}

// holdVerf stores the verifier of an EXCLUSIVE create as servers do that have
// no other place: in the times. A client that does not set them afterwards
// leaves a file from a strange year.
func (n *inode) holdVerf(verf [8]byte) {
	n.verf, n.verfHeld = verf, true
	n.atime = nfs3.Time{Sec: binary.BigEndian.Uint32(verf[:4]) & 0x7fffffff}
	n.mtime = nfs3.Time{Sec: binary.BigEndian.Uint32(verf[4:]) & 0x7fffffff}
}

// mkdir is MKDIR (RFC 1813 section 3.3.9).
func (m *memory) mkdir(w *ident, dir nfs3.FH, name string, s *nfs3.Sattr, r *nfs3.MkdirReply) {
	r.Object, r.Attr, r.Status = m.makeNew(w, dir, name, nfs3.TypeDir, s, &r.DirWcc, nil)
}

// symlink is SYMLINK (RFC 1813 section 3.3.10).
func (m *memory) symlink(w *ident, dir nfs3.FH, name, target string, s *nfs3.Sattr, r *nfs3.SymlinkReply) {
	if len(target) > targetMax {
		r.Status = nfs3.ErrNametoolong
		return
	}
	r.Object, r.Attr, r.Status = m.makeNew(w, dir, name, nfs3.TypeLnk, s, &r.DirWcc, func(n *inode) {
		n.target, n.mode = target, 0777
	})
}

// mknod is MKNOD (RFC 1813 section 3.3.11).
func (m *memory) mknod(w *ident, dir nfs3.FH, name string, typ nfs3.FileType, s *nfs3.Sattr, dev nfs3.Specdata, r *nfs3.MknodReply) {
	switch typ {
	case nfs3.TypeSock, nfs3.TypeFifo:
		dev = nfs3.Specdata{}
	case nfs3.TypeBlk, nfs3.TypeChr:
		if w.uid != 0 {
			r.Status = nfs3.ErrPerm
			return
		}
	default:
		r.Status = nfs3.ErrBadtype
		return
	}
	r.Object, r.Attr, r.Status = m.makeNew(w, dir, name, typ, s, &r.DirWcc, func(n *inode) { n.rdev = dev })
}

// makeNew makes a file where there must be none yet; finish completes it.
func (m *memory) makeNew(w *ident, dir nfs3.FH, name string, typ nfs3.FileType, s *nfs3.Sattr, wcc *nfs3.WccData, finish func(*inode)) (fh nfs3.PostOpFH, attr nfs3.PostOpAttr, st nfs3.Status) {
	d, n, st := m.edit(w, dir, name, wcc)
	if st == nfs3.OK && n != nil {
		st = nfs3.ErrExist
	}
	if st == nfs3.OK {
		n, st = m.make(w, d, name, typ, s)
	}
	if st == nfs3.OK {
		if finish != nil {
			finish(n)
		}
		fh, attr = m.handle(n), m.post(n)
	}
	wcc.After = m.post(d)
	return fh, attr, st
}

// make adds a file to d, whose name is free. In a set-group-id directory the
// file gets the directory's group, and a directory the bit too.
func (m *memory) make(w *ident, d *inode, name string, typ nfs3.FileType, s *nfs3.Sattr) (*inode, nfs3.Status) {
	switch {
	case !w.may(d, mayWrite):
		return nil, nfs3.ErrAcces
	case m.full(2 * inodeBytes):
		return nil, nfs3.ErrNospc
	case typ == nfs3.TypeDir && d.nlink >= linkMax:
		return nil, nfs3.ErrMlink
	}
	mode := uint32(0644)
	if typ == nfs3.TypeDir {
		mode = 0755
	}
	n := m.newInode(typ, mode, w)
	first := *s
	first.Size.Set = false
	if d.mode&02000 != 0 {
		n.gid = d.gid
		if typ == nfs3.TypeDir {
			first.Mode.Value |= 02000
			n.mode |= 02000
		}
	}
	if st := w.mayChange(n, &first); st != nfs3.OK {
		m.free(n)
		return nil, st
	}
	m.set(w, n, &first)
	n.inherit(d)
	m.attach(d, name, n)
	return n, nfs3.OK
}

// full reports whether n more bytes are too many.
func (m *memory) full(n int64) bool { return m.used+n > m.limit }
