package nfstest

import (
	"encoding/binary"
	"path"
	"slices"

	"github.com/gonfs/gonfs/nfs3"
)

// dirList gives the entries of a host's directory cookies that never change:
// the host's own order may.
type dirList struct {
	cookies map[string]uint64
	order   []named // by ascending cookie
	next    uint64
}

type named struct {
	name   string
	cookie uint64
}

// refresh brings l up to date with the names that there are.
func (l *dirList) refresh(names []string) {
	there := make(map[string]bool, len(names))
	for _, name := range names {
		if there[name] = true; l.cookies[name] == 0 {
			l.cookies[name] = l.next
			l.order = append(l.order, named{name, l.next})
			l.next++
		}
	}
	l.order = slices.DeleteFunc(l.order, func(e named) bool {
		if there[e.name] {
			return false
		}
		delete(l.cookies, e.name)
		return true
	})
}

// entries returns the entries of directory n behind cookie, "." and ".."
// first.
func (d *dirStore) entries(n *dirNode, p string, cookie uint64, verf [8]byte) ([]named, nfs3.Status) {
	if n.list == nil {
		n.list = &dirList{cookies: make(map[string]uint64), next: cookieDotDot + 1}
	}
	if cookie != 0 && verf != n.verifier() || cookie >= n.list.next {
		return nil, nfs3.ErrBadCookie
	}
	f, err := d.root.Open(p)
	if err != nil {
		return nil, statusOf(err)
	}
	names, err := f.Readdirnames(-1)
	f.Close()
	if err != nil {
		return nil, statusOf(err)
	}
	slices.Sort(names)
	n.list.refresh(names)
	all := append([]named{{".", cookieDot}, {"..", cookieDotDot}}, n.list.order...)
	i := slices.IndexFunc(all, func(e named) bool { return e.cookie > cookie })
	if i < 0 {
		return nil, nfs3.OK
	}
	return all[i:], nfs3.OK
}

func (n *dirNode) verifier() (v [8]byte) {
	binary.BigEndian.PutUint64(v[:], n.id)
	return v
}

// readdir is READDIR (RFC 1813 section 3.3.16).
func (d *dirStore) readdir(_ *ident, dir nfs3.FH, cookie uint64, verf [8]byte, count uint32, r *nfs3.ReaddirReply) {
	left := int(min(count, maxList)) - listBytes
	n, p, st := d.each(dir, cookie, verf, &r.EOF, func(e nfs3.EntryPlus) bool {
		if left -= entrySize(e.Name); left < 0 {
			return false
		}
		r.Entries = append(r.Entries, nfs3.Entry{FileID: e.FileID, Name: e.Name, Cookie: e.Cookie})
		return true
	})
	if st == nfs3.OK {
		if r.Verf = n.verifier(); len(r.Entries) == 0 && !r.EOF {
			st = nfs3.ErrToosmall
		}
	}
	r.Status, r.DirAttr = st, d.post(n, p)
}

// readdirplus is READDIRPLUS (RFC 1813 section 3.3.17).
func (d *dirStore) readdirplus(_ *ident, dir nfs3.FH, cookie uint64, verf [8]byte, dircount, maxcount uint32, r *nfs3.ReaddirplusReply) {
	names, left := int(min(dircount, maxList)), int(min(maxcount, maxList))-listBytes
	n, p, st := d.each(dir, cookie, verf, &r.EOF, func(e nfs3.EntryPlus) bool {
		left -= entrySize(e.Name) + plusBytes + handleLen
		if left < 0 || names <= 0 {
			return false
		}
		names -= entrySize(e.Name)
		r.Entries = append(r.Entries, e)
		return true
	})
	if st == nfs3.OK {
		if r.Verf = n.verifier(); len(r.Entries) == 0 && !r.EOF {
			st = nfs3.ErrToosmall
		}
	}
	r.Status, r.DirAttr = st, d.post(n, p)
}

// each calls f for the entries behind cookie until f returns false; eof is set
// when there are no more. What vanished meanwhile is left out.
func (d *dirStore) each(dir nfs3.FH, cookie uint64, verf [8]byte, eof *bool, f func(nfs3.EntryPlus) bool) (*dirNode, string, nfs3.Status) {
	n, p, _, st := d.findDir(dir)
	if st != nfs3.OK {
		return n, p, st
	}
	list, st := d.entries(n, p, cookie, verf)
	if st != nfs3.OK {
		return n, p, st
	}
	for _, e := range list {
		c, at := n, p
		switch {
		case e.name == ".." && n != d.top:
			c = n.names[0].dir
			at = c.names[0].path()
		case e.cookie > cookieDotDot:
			at = path.Join(p, e.name)
			fi, err := d.root.Lstat(at)
			if err != nil {
				continue
			}
			c = d.node(n, e.name, fi)
		}
		a := d.post(c, at)
		if !f(nfs3.EntryPlus{FileID: a.Attr.FileID, Name: e.name, Cookie: e.cookie, Attr: a, FH: nfs3.PostOpFH{Present: true, FH: d.fh(c)}}) {
			return n, p, nfs3.OK
		}
	}
	*eof = true
	return n, p, nfs3.OK
}
