package nfstest

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/gonfs/gonfs/nfs3"
)

// lookup is LOOKUP (RFC 1813 section 3.3.3). ".." of the root is the root:
// os.Root would refuse to go there.
func (d *dirStore) lookup(_ *ident, dir nfs3.FH, name string, r *nfs3.LookupReply) {
	n, p, _, st := d.findDir(dir)
	r.DirAttr = d.post(n, p)
	if r.Status = st; st != nfs3.OK {
		return
	}
	switch {
	case name == "." || name == ".." && n == d.top:
		r.Object, r.Attr = d.fh(n), r.DirAttr
	case name == "..":
		up := n.names[0].dir
		r.Object, r.Attr = d.fh(up), d.post(up, up.names[0].path())
	default:
		if r.Status = checkName(name); r.Status == nfs3.OK {
			r.Object, r.Attr, r.Status = d.child(n, p, name)
		}
	}
}

// child returns what name in directory n, which is at p, is.
func (d *dirStore) child(n *dirNode, p, name string) (fh nfs3.FH, a nfs3.PostOpAttr, st nfs3.Status) {
	fi, err := d.root.Lstat(path.Join(p, name))
	if err != nil {
		return fh, a, statusOf(err)
	}
	c := d.node(n, name, fi)
	return d.fh(c), nfs3.PostOpAttr{Present: true, Attr: d.attr(c, fi)}, nfs3.OK
}

// edit runs f, which changes what name in directory fh is, between the
// attributes of wcc.
func (d *dirStore) edit(fh nfs3.FH, name string, wcc *nfs3.WccData, f func(n *dirNode, dir, path string) error) nfs3.Status {
	n, p, fi, st := d.findDir(fh)
	if st != nfs3.OK {
		return st
	}
	wcc.Before = d.pre(n, fi)
	if st = checkName(name); st == nfs3.OK {
		st = statusOf(f(n, p, path.Join(p, name)))
	}
	wcc.After = d.post(n, p)
	return st
}

// create is CREATE (RFC 1813 section 3.3.8). The verifier of an EXCLUSIVE
// create is kept in memory: the times of the host's files stay true.
func (d *dirStore) create(_ *ident, dir nfs3.FH, name string, how *nfs3.CreateHow, r *nfs3.CreateReply) {
	r.Status = d.edit(dir, name, &r.DirWcc, func(n *dirNode, dp, p string) error {
		if how.Mode == nfs3.Exclusive {
			if fh, a, st := d.child(n, dp, name); st == nfs3.OK {
				id, _, _ := d.handles.split(fh)
				if v := d.nodes[id].verf; v == nil || *v != how.Verf {
					return nfs3.ErrExist
				}
				r.Object, r.Attr = nfs3.PostOpFH{Present: true, FH: fh}, a
				return nil // the same call came twice
			}
		}
		fi, err := d.root.Lstat(p)
		fresh := err != nil
		switch {
		case fresh:
		case how.Mode != nfs3.Unchecked || !fi.IsDir() && !fi.Mode().IsRegular():
			return nfs3.ErrExist
		case fi.IsDir():
			return nfs3.ErrIsdir
		}
		return d.makeFile(n, dp, p, name, fresh, how, r)
	})
}

// makeFile opens a file that CREATE makes or takes.
func (d *dirStore) makeFile(n *dirNode, dp, p, name string, fresh bool, how *nfs3.CreateHow, r *nfs3.CreateReply) error {
	if fresh {
		f, err := d.root.OpenFile(p, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0600)
		if err != nil {
			return err
		}
		fi, err := f.Stat()
		if err != nil {
			f.Close()
			return err
		}
		c := d.node(n, name, fi)
		d.keep(c, f)
		if how.Mode == nfs3.Exclusive {
			verf := how.Verf
			c.verf = &verf
		}
	}
	fh, _, st := d.child(n, dp, name)
	if st != nfs3.OK {
		return st
	}
	id, _, _ := d.handles.split(fh)
	c := d.nodes[id]
	s := how.Attr
	switch {
	case how.Mode == nfs3.Exclusive:
		s = nfs3.Sattr{} // the client's SETATTR brings the mode
	case !fresh:
		s = nfs3.Sattr{Size: how.Attr.Size}
	case !s.Mode.Set:
		s.Mode = nfs3.SetUint32{Set: true, Value: 0644}
	}
	fi, err := d.root.Lstat(p)
	if err == nil {
		err = d.change(c, p, fi, d.handedOn(dp, &s))
	}
	if err != nil {
		return err
	}
	r.Object, r.Attr = nfs3.PostOpFH{Present: true, FH: fh}, d.post(c, p)
	return nil
}

// makeNew makes what f makes, gives it the attributes, and fills the reply.
func (d *dirStore) makeNew(dir nfs3.FH, name string, s *nfs3.Sattr, r *nfs3.CreateReply, f func(path string) error) {
	r.Status = d.edit(dir, name, &r.DirWcc, func(n *dirNode, dp, p string) error {
		if err := f(p); err != nil {
			return err
		}
		fi, err := d.root.Lstat(p)
		if err != nil {
			return err
		}
		c := d.node(n, name, fi)
		if err := d.change(c, p, fi, d.handedOn(dp, s)); err != nil {
			return err
		}
		r.Object, r.Attr = nfs3.PostOpFH{Present: true, FH: d.fh(c)}, d.post(c, p)
		return nil
	})
}

// mkdir is MKDIR (RFC 1813 section 3.3.9).
func (d *dirStore) mkdir(_ *ident, dir nfs3.FH, name string, s *nfs3.Sattr, r *nfs3.MkdirReply) {
	d.makeNew(dir, name, s, (*nfs3.CreateReply)(r), func(p string) error { return d.root.Mkdir(p, 0755) })
}

// symlink is SYMLINK (RFC 1813 section 3.3.10). os.Root does not follow the
// link, wherever it points.
func (d *dirStore) symlink(_ *ident, dir nfs3.FH, name, target string, s *nfs3.Sattr, r *nfs3.SymlinkReply) {
	d.makeNew(dir, name, s, (*nfs3.CreateReply)(r), func(p string) error { return d.root.Symlink(target, p) })
}

// mknod is not supported: os.Root makes no such files.
func (d *dirStore) mknod(_ *ident, _ nfs3.FH, _ string, _ nfs3.FileType, _ *nfs3.Sattr, _ nfs3.Specdata, r *nfs3.MknodReply) {
	r.Status = nfs3.ErrNotsupp
}

// remove is REMOVE (RFC 1813 section 3.3.12).
func (d *dirStore) remove(_ *ident, dir nfs3.FH, name string, r *nfs3.RemoveReply) {
	r.Status = d.unlink(dir, name, &r.DirWcc, func(fi fs.FileInfo) nfs3.Status {
		if fi.IsDir() {
			return nfs3.ErrIsdir
		}
		return nfs3.OK
	})
	if r.Status == nfs3.ErrExist { // "." or ".."
		r.Status = nfs3.ErrInval
	}
}

// rmdir is RMDIR (RFC 1813 section 3.3.13).
func (d *dirStore) rmdir(_ *ident, dir nfs3.FH, name string, r *nfs3.RmdirReply) {
	r.Status = d.unlink(dir, name, &r.DirWcc, func(fi fs.FileInfo) nfs3.Status {
		if !fi.IsDir() {
			return nfs3.ErrNotdir
		}
		return nfs3.OK
	})
	if r.Status == nfs3.ErrExist && name == "." {
		r.Status = nfs3.ErrInval
	}
}

func (d *dirStore) unlink(dir nfs3.FH, name string, wcc *nfs3.WccData, ok func(fs.FileInfo) nfs3.Status) nfs3.Status {
	return d.edit(dir, name, wcc, func(n *dirNode, _, p string) error {
		fi, err := d.root.Lstat(p)
		if err != nil {
			return err
		}
		if st := ok(fi); st != nfs3.OK {
			return st
		}
		if err := d.root.Remove(p); err != nil {
			return err
		}
		d.unname(d.byKey[fileKey(fi, loc{n, name})], loc{n, name})
		return nil
	})
}

// unname takes a name from a node, which is forgotten with the last one.
func (d *dirStore) unname(n *dirNode, l loc) {
	if n == nil {
		return
	}
	n.names = slices.DeleteFunc(n.names, func(x loc) bool { return x == l })
	if len(n.names) == 0 {
		d.forget(n)
	}
}

// rename is RENAME (RFC 1813 section 3.3.14). Both directories get their wcc
// data, even if they are one.
func (d *dirStore) rename(_ *ident, fromDir nfs3.FH, from string, toDir nfs3.FH, to string, r *nfs3.RenameReply) {
	r.Status = d.edit(fromDir, from, &r.FromWcc, func(fn *dirNode, _, fp string) error {
		st := d.edit(toDir, to, &r.ToWcc, func(tn *dirNode, _, tp string) error {
			return d.move(loc{fn, from}, fp, loc{tn, to}, tp)
		})
		if st != nfs3.OK {
			return st
		}
		return nil
	})
	if r.Status == nfs3.ErrExist && (from == "." || from == ".." || to == "." || to == "..") {
		r.Status = nfs3.ErrInval
	}
}

// move renames on the host and in the table.
func (d *dirStore) move(from loc, fp string, to loc, tp string) error {
	fi, err := d.root.Lstat(fp)
	if err != nil {
		return err
	}
	n := d.node(from.dir, from.name, fi)
	was, err := d.root.Lstat(tp)
	switch {
	case strings.HasPrefix(tp, fp+"/"):
		return nfs3.ErrInval // a directory into itself
	case err != nil:
	case os.SameFile(fi, was):
		return nil // two names of one file stay
	case was.IsDir() && !fi.IsDir():
		return nfs3.ErrIsdir // os.Root says EEXIST, which would be of no use
	case was.IsDir():
		// os.Root does not rename over a directory; what follows does, though
		// not at one blow.
		if err := d.root.Remove(tp); err != nil {
			return err
		}
	}
	if err := d.root.Rename(fp, tp); err != nil {
		return err
	}
	if was != nil {
		d.unname(d.byKey[fileKey(was, to)], to)
	}
	delete(d.byKey, n.key)
	n.key = fileKey(fi, to)
	d.byKey[n.key] = n
	n.names = append([]loc{to}, slices.DeleteFunc(n.names, func(x loc) bool { return x == from || x == to })...)
	return nil
}

// link is LINK (RFC 1813 section 3.3.15).
func (d *dirStore) link(_ *ident, file, dir nfs3.FH, name string, r *nfs3.LinkReply) {
	n, p, fi, st := d.find(file)
	if r.Status = st; st != nfs3.OK {
		return
	}
	r.Status = d.edit(dir, name, &r.LinkWcc, func(dn *dirNode, _, to string) error {
		if fi.IsDir() {
			return nfs3.ErrPerm
		}
		if err := d.root.Link(p, to); err != nil {
			return err
		}
		d.node(dn, name, fi)
		return nil
	})
	r.Attr = d.post(n, p)
}
