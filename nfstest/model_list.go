package nfstest

import (
	"encoding/binary"

	"github.com/gonfs/gonfs/nfs3"
)

// What READDIR and READDIRPLUS results take on the wire (RFC 1813 sections
// 3.3.16 and 3.3.17).
const (
	listBytes  = 4 + 4 + 84 + 8 + 4 + 4 // status, attributes, verifier, end of list, eof
	entryBytes = 4 + 8 + 4 + 8          // more, fileid, name length, cookie
	plusBytes  = 4 + 84 + 4 + 4         // attributes, handle without its bytes
)

// entrySize returns how many bytes an entry of READDIR takes.
func entrySize(name string) int { return entryBytes + (len(name)+3)&^3 }

// openList begins READDIR and READDIRPLUS.
func (m *memory) openList(w *ident, fh nfs3.FH, cookie uint64, verf [8]byte) (*inode, nfs3.Status) {
	d, st := m.findDir(fh)
	switch {
	case st != nfs3.OK:
		return d, st
	case !w.may(d, mayRead):
		return d, nfs3.ErrAcces
	case cookie != 0 && verf != d.verifier(), cookie >= d.dir.next:
		return d, nfs3.ErrBadCookie
	}
	return d, nfs3.OK
}

// verifier returns the cookie verifier. Cookies are good as long as the
// directory lives, so it never changes.
func (n *inode) verifier() (v [8]byte) {
	binary.BigEndian.PutUint32(v[:], uint32(n.id))
	binary.BigEndian.PutUint32(v[4:], n.gen)
	return v
}

// readdir is READDIR (RFC 1813 section 3.3.16).
func (m *memory) readdir(w *ident, fh nfs3.FH, cookie uint64, verf [8]byte, count uint32, r *nfs3.ReaddirReply) {
	d, st := m.openList(w, fh, cookie, verf)
	if st == nfs3.OK {
		r.Verf = d.verifier()
		left := int(min(count, maxList)) - listBytes
		r.EOF = d.dir.each(d, cookie, func(e dirent) bool {
			if left -= entrySize(e.name); left < 0 {
				return false
			}
			r.Entries = append(r.Entries, nfs3.Entry{FileID: e.node.id, Name: e.name, Cookie: e.cookie})
			return true
		})
		if len(r.Entries) == 0 && !r.EOF {
			st = nfs3.ErrToosmall
		}
		d.atime = m.now()
	}
	r.Status, r.DirAttr = st, m.post(d)
}

// readdirplus is READDIRPLUS (RFC 1813 section 3.3.17): dircount bounds what
// READDIR would return, maxcount the whole.
func (m *memory) readdirplus(w *ident, fh nfs3.FH, cookie uint64, verf [8]byte, dircount, maxcount uint32, r *nfs3.ReaddirplusReply) {
	d, st := m.openList(w, fh, cookie, verf)
	if st == nfs3.OK {
		r.Verf = d.verifier()
		names, left := int(min(dircount, maxList)), int(min(maxcount, maxList))-listBytes
		r.EOF = d.dir.each(d, cookie, func(e dirent) bool {
			left -= entrySize(e.name) + plusBytes + handleLen
			if left < 0 || names <= 0 {
				return false
			}
			names -= entrySize(e.name)
			r.Entries = append(r.Entries, nfs3.EntryPlus{
				FileID: e.node.id, Name: e.name, Cookie: e.cookie, Attr: m.post(e.node), FH: m.handle(e.node),
			})
			return true
		})
		if len(r.Entries) == 0 && !r.EOF {
			st = nfs3.ErrToosmall
		}
		d.atime = m.now()
	}
	r.Status, r.DirAttr = st, m.post(d)
}

// maxList bounds a page of a directory, whatever the client asks for.
const maxList = 1 << 20

// fsstat is FSSTAT (RFC 1813 section 3.3.18).
func (m *memory) fsstat(fh nfs3.FH, r *nfs3.FsstatReply) {
	n, st := m.find(fh)
	if r.Status = st; st != nfs3.OK {
		return
	}
	r.Attr = m.post(n)
	free := uint64(max(0, m.limit-m.used))
	r.Tbytes, r.Fbytes, r.Abytes = uint64(m.limit), free, free
	r.Tfiles = uint64(m.limit) / inodeBytes
	r.Ffiles, r.Afiles = free/inodeBytes, free/inodeBytes
}
