package nfstest

import "github.com/gonfs/gonfs/nfs3"

// findFile is find for what must be a regular file.
func (m *memory) findFile(fh nfs3.FH) (*inode, nfs3.Status) {
	n, st := m.find(fh)
	switch {
	case st != nfs3.OK:
		return nil, st
	case n.dir != nil:
		return n, nfs3.ErrIsdir
	case n.data == nil:
		return n, nfs3.ErrInval
	}
	return n, nfs3.OK
}

// read is READ (RFC 1813 section 3.3.6). The data is the reply's own.
func (m *memory) read(w *ident, fh nfs3.FH, off uint64, count uint32, r *nfs3.ReadReply) {
	n, st := m.findFile(fh)
	if st == nfs3.OK && !w.mayIO(n, mayRead) {
		st = nfs3.ErrAcces
	}
	if r.Status = st; st == nfs3.OK {
		if off < n.data.size {
			count = uint32(min(uint64(count), n.data.size-off))
		} else {
			count = 0
		}
		r.Data = make([]byte, count)
		_, r.EOF = n.data.read(r.Data, off)
		r.EOF = r.EOF || off+uint64(count) >= n.data.size
		r.Count = count
		n.atime = m.now()
	}
	r.Attr = m.post(n)
}

// write is WRITE (RFC 1813 section 3.3.7).
func (m *memory) write(w *ident, fh nfs3.FH, off uint64, p []byte, how nfs3.StableHow, r *nfs3.WriteReply) {
	n, st := m.findFile(fh)
	r.Wcc.Before = m.pre(n)
	if st == nfs3.OK {
		st = m.mayWrite(w, n, off, p, how)
	}
	if r.Status = st; st == nfs3.OK {
		if len(p) > 0 {
			m.resize(n, func(d *fileData) { d.write(p, off, how != nfs3.Unstable) })
			if w.uid != 0 {
				n.clearSetID()
			}
			m.touched(n)
		}
		r.Count, r.Committed = uint32(len(p)), how
	}
	r.Wcc.After = m.post(n)
}

func (m *memory) mayWrite(w *ident, n *inode, off uint64, p []byte, how nfs3.StableHow) nfs3.Status {
	switch {
	case !w.mayIO(n, mayWrite):
		return nfs3.ErrAcces
	case how > nfs3.FileSync:
		return nfs3.ErrInval
	case off > maxSize || uint64(len(p)) > maxSize-off:
		return nfs3.ErrFbig
	case m.full(n.data.need(off, len(p), how != nfs3.Unstable)):
		return nfs3.ErrNospc
	}
	return nfs3.OK
}

// commit is COMMIT (RFC 1813 section 3.3.21): a count of 0 means to the end
// of the file.
func (m *memory) commit(w *ident, fh nfs3.FH, off uint64, count uint32, r *nfs3.CommitReply) {
	n, st := m.findFile(fh)
	r.Wcc.Before = m.pre(n)
	if st == nfs3.OK && !w.mayIO(n, mayWrite) {
		st = nfs3.ErrAcces
	}
	if r.Status = st; st == nfs3.OK {
		end := ^uint64(0)
		if count != 0 && off <= end-uint64(count) {
			end = off + uint64(count)
		}
		m.resize(n, func(d *fileData) { d.commit(off, end) })
	}
	r.Wcc.After = m.post(n)
}

// unsaved returns the paths of the files that hold UNSTABLE data.
func (m *memory) unsaved() []string {
	var paths []string
	m.visit(m.root, "", func(path string, n *inode) {
		if n.data != nil && len(n.data.unstable) > 0 {
			paths = append(paths, path)
		}
	})
	return paths
}
