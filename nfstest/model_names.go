package nfstest

import "github.com/gonfs/gonfs/nfs3"

// lookup is LOOKUP (RFC 1813 section 3.3.3).
func (m *memory) lookup(w *ident, dir nfs3.FH, name string, r *nfs3.LookupReply) {
	d, st := m.findDir(dir)
	if r.DirAttr = m.post(d); st != nfs3.OK {
		r.Status = st
		return
	}
	n, st := m.walk(w, d, name)
	if r.Status = st; st == nfs3.OK {
		r.Object, r.Attr = m.fh(n), m.post(n)
	}
}

// walk returns what name is in d, if w may search d.
func (m *memory) walk(w *ident, d *inode, name string) (*inode, nfs3.Status) {
	switch {
	case !w.may(d, mayExec):
		return nil, nfs3.ErrAcces
	case name == ".":
		return d, nfs3.OK
	case name == "..":
		return d.dir.parent, nfs3.OK
	}
	if st := checkName(name); st != nfs3.OK {
		return nil, st
	}
	n := d.dir.lookup(name)
	if n == nil {
		return nil, nfs3.ErrNoent
	}
	return n, nfs3.OK
}

// edit begins a procedure that changes directory fh at name: it returns the
// directory and what name is there now, or nil. The pre-op attributes are set
// even on failure.
func (m *memory) edit(w *ident, fh nfs3.FH, name string, wcc *nfs3.WccData) (d, n *inode, st nfs3.Status) {
	d, st = m.findDir(fh)
	wcc.Before = m.pre(d)
	if st != nfs3.OK {
		return d, nil, st
	}
	if !w.may(d, mayExec) {
		return d, nil, nfs3.ErrAcces
	}
	if st := checkName(name); st != nfs3.OK {
		return d, nil, st
	}
	return d, d.dir.lookup(name), nfs3.OK
}

// remove is REMOVE (RFC 1813 section 3.3.12).
func (m *memory) remove(w *ident, dir nfs3.FH, name string, r *nfs3.RemoveReply) {
	d, n, st := m.edit(w, dir, name, &r.DirWcc)
	switch {
	case st == nfs3.ErrExist: // "." or ".."
		st = nfs3.ErrInval
	case st != nfs3.OK:
	case n == nil:
		st = nfs3.ErrNoent
	case !w.may(d, mayWrite):
		st = nfs3.ErrAcces
	case !w.mayRemove(d, n):
		st = nfs3.ErrPerm
	case n.dir != nil:
		st = nfs3.ErrIsdir
	default:
		m.detach(d, name, n)
	}
	r.Status, r.DirWcc.After = st, m.post(d)
}

// rmdir is RMDIR (RFC 1813 section 3.3.13).
func (m *memory) rmdir(w *ident, dir nfs3.FH, name string, r *nfs3.RmdirReply) {
	d, n, st := m.edit(w, dir, name, &r.DirWcc)
	switch {
	case st == nfs3.ErrExist && name == ".":
		st = nfs3.ErrInval
	case st != nfs3.OK: // ".." is EXIST, as RFC 1813 has it
	case n == nil:
		st = nfs3.ErrNoent
	case !w.may(d, mayWrite):
		st = nfs3.ErrAcces
	case !w.mayRemove(d, n):
		st = nfs3.ErrPerm
	case n.dir == nil:
		st = nfs3.ErrNotdir
	case len(n.dir.names) > 0:
		st = nfs3.ErrNotempty
	default:
		m.detach(d, name, n)
	}
	r.Status, r.DirWcc.After = st, m.post(d)
}

// attach makes name in d stand for n.
func (m *memory) attach(d *inode, name string, n *inode) {
	d.dir.put(name, n)
	m.used += inodeBytes
	if n.dir != nil {
		n.dir.parent = d
		d.nlink++
	} else {
		n.nlink++
	}
	m.touched(d)
}

// detach removes name from d, and with it a link of n.
func (m *memory) detach(d *inode, name string, n *inode) {
	d.dir.drop(name)
	m.used -= inodeBytes
	if n.dir != nil {
		d.nlink--
	}
	m.touched(d)
	m.unlink(n)
}

// link is LINK (RFC 1813 section 3.3.15).
func (m *memory) link(w *ident, file, dir nfs3.FH, name string, r *nfs3.LinkReply) {
	n, st := m.find(file)
	if st != nfs3.OK {
		r.Status = st
		return
	}
	d, was, st := m.edit(w, dir, name, &r.LinkWcc)
	switch {
	case st != nfs3.OK:
	case n.dir != nil:
		st = nfs3.ErrPerm // as link(2) has it
	case was != nil:
		st = nfs3.ErrExist
	case !w.may(d, mayWrite):
		st = nfs3.ErrAcces
	case n.nlink >= linkMax:
		st = nfs3.ErrMlink
	case m.full(inodeBytes):
		st = nfs3.ErrNospc
	default:
		m.attach(d, name, n)
		n.ctime = m.now()
	}
	r.Status, r.Attr, r.LinkWcc.After = st, m.post(n), m.post(d)
}
