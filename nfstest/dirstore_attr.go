package nfstest

import (
	"io/fs"
	"os"
	"time"

	"github.com/gonfs/gonfs/nfs3"
)

// attr returns the attributes of a file.
func (d *dirStore) attr(n *dirNode, fi fs.FileInfo) nfs3.Fattr {
	a := nfs3.Fattr{
		Type: typeOf(fi.Mode()), Mode: modeOf(fi.Mode()), Nlink: 1, Size: uint64(max(0, fi.Size())),
		FSID: d.handles.fsid, FileID: n.id, Mtime: nfs3.TimeOf(fi.ModTime()),
	}
	a.Used, a.Atime, a.Ctime = a.Size, a.Mtime, a.Mtime
	hostAttr(fi, &a)
	return a
}

// post returns the attributes as they follow a reply, read anew from the host.
func (d *dirStore) post(n *dirNode, path string) nfs3.PostOpAttr {
	if n == nil {
		return nfs3.PostOpAttr{}
	}
	fi, err := d.root.Lstat(path)
	if err != nil {
		return nfs3.PostOpAttr{}
	}
	return nfs3.PostOpAttr{Present: true, Attr: d.attr(n, fi)}
}

// pre returns the attributes that wcc data compares.
func (d *dirStore) pre(n *dirNode, fi fs.FileInfo) nfs3.PreOpAttr {
	if n == nil {
		return nfs3.PreOpAttr{}
	}
	a := d.attr(n, fi)
	return nfs3.PreOpAttr{Present: true, Attr: nfs3.WccAttr{Size: a.Size, Mtime: a.Mtime, Ctime: a.Ctime}}
}

func typeOf(m fs.FileMode) nfs3.FileType {
	switch {
	case m.IsDir():
		return nfs3.TypeDir
	case m&fs.ModeSymlink != 0:
		return nfs3.TypeLnk
	case m&fs.ModeNamedPipe != 0:
		return nfs3.TypeFifo
	case m&fs.ModeSocket != 0:
		return nfs3.TypeSock
	case m&fs.ModeCharDevice != 0:
		return nfs3.TypeChr
	case m&fs.ModeDevice != 0:
		return nfs3.TypeBlk
	}
	return nfs3.TypeReg
}

// specialBits are the mode bits that os.FileMode has elsewhere.
var specialBits = [...]struct {
	host fs.FileMode
	nfs  uint32
}{{fs.ModeSetuid, 04000}, {fs.ModeSetgid, 02000}, {fs.ModeSticky, 01000}}

func modeOf(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	for _, b := range specialBits {
		if m&b.host != 0 {
			mode |= b.nfs
		}
	}
	return mode
}

func hostMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0777)
	for _, b := range specialBits {
		if mode&b.nfs != 0 {
			m |= b.host
		}
	}
	return m
}

// getattr is GETATTR (RFC 1813 section 3.3.1).
func (d *dirStore) getattr(fh nfs3.FH, r *nfs3.GetattrReply) {
	n, _, fi, st := d.find(fh)
	if r.Status = st; st == nfs3.OK {
		r.Attr = d.attr(n, fi)
	}
}

// setattr is SETATTR (RFC 1813 section 3.3.2). A guard is compared with the
// ctime of the host.
func (d *dirStore) setattr(_ *ident, fh nfs3.FH, s *nfs3.Sattr, guard *nfs3.Time, r *nfs3.SetattrReply) {
	n, p, fi, st := d.find(fh)
	if r.Status = st; st != nfs3.OK {
		return
	}
	r.Wcc.Before = d.pre(n, fi)
	if guard != nil && *guard != r.Wcc.Before.Attr.Ctime {
		r.Status = nfs3.ErrNotSync
	} else {
		r.Status = statusOf(d.change(n, p, fi, s))
	}
	r.Wcc.After = d.post(n, p)
}

// change applies s. Mode and times of a symbolic link mean nothing and stay.
func (d *dirStore) change(n *dirNode, p string, fi fs.FileInfo, s *nfs3.Sattr) error {
	if s.Size.Set {
		if err := d.truncate(n, p, fi, s.Size.Value); err != nil {
			return err
		}
	}
	if s.UID.Set || s.GID.Set {
		uid, gid := -1, -1
		if s.UID.Set {
			uid = int(s.UID.Value)
		}
		if s.GID.Set {
			gid = int(s.GID.Value)
		}
		if err := d.root.Lchown(p, uid, gid); err != nil {
			return err
		}
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	if s.Mode.Set {
		if err := d.root.Chmod(p, hostMode(s.Mode.Value)); err != nil {
			return err
		}
	}
	atime, mtime := hostTime(&s.Atime), hostTime(&s.Mtime)
	if atime.IsZero() && mtime.IsZero() {
		return nil
	}
	n.verf = nil
	return d.root.Chtimes(p, atime, mtime)
}

// hostTime returns the time to set; the zero time leaves it as it is.
func hostTime(s *nfs3.SetTime) time.Time {
	switch s.How {
	case nfs3.SetToServerTime:
		return time.Now()
	case nfs3.SetToClientTime:
		return s.Time.Time()
	}
	return time.Time{}
}

func (d *dirStore) truncate(n *dirNode, p string, fi fs.FileInfo, size uint64) error {
	switch {
	case fi.IsDir():
		return nfs3.ErrIsdir
	case !fi.Mode().IsRegular():
		return nfs3.ErrInval
	case size > maxSize:
		return nfs3.ErrFbig
	}
	f, done, err := d.open(n, p, os.O_WRONLY)
	if err != nil {
		return err
	}
	defer done()
	return f.Truncate(int64(size))
}

// access asks the mode bits and the access list, for the user that this process
// is: whatever the client claims to be, everything happens as that user.
func (d *dirStore) access(_ *ident, fh nfs3.FH, want uint32, r *nfs3.AccessReply) {
	n, p, fi, st := d.find(fh)
	if r.Status = st; st != nfs3.OK {
		return
	}
	a := d.attr(n, fi)
	r.Attr = nfs3.PostOpAttr{Present: true, Attr: a}
	like := &inode{mode: a.Mode, uid: a.UID, gid: a.GID}
	if l, err := d.lists(p, fi); err == nil { // what cannot be read has its mode
		like.acl = l
	}
	if fi.IsDir() {
		like.dir = &directory{}
	}
	r.Access = self().access(like, want)
}

// self is the user that this process is.
func self() *ident {
	w := &ident{uid: uint32(max(0, os.Geteuid())), gid: uint32(max(0, os.Getegid()))}
	groups, err := os.Getgroups()
	if err != nil {
		return w // without groups: fewer rights
	}
	for _, g := range groups {
		w.groups = append(w.groups, uint32(g))
	}
	return w
}

// readlink is READLINK (RFC 1813 section 3.3.5). The target is handed out as
// it is: it is for the client to follow, and leads out of the directory only
// on the client's own host.
func (d *dirStore) readlink(fh nfs3.FH, r *nfs3.ReadlinkReply) {
	n, p, fi, st := d.find(fh)
	if r.Status = st; st != nfs3.OK {
		return
	}
	r.Attr = nfs3.PostOpAttr{Present: true, Attr: d.attr(n, fi)}
	if fi.Mode()&fs.ModeSymlink == 0 {
		r.Status = nfs3.ErrInval
		return
	}
	target, err := d.root.Readlink(p)
	r.Status, r.Target = statusOf(err), target
}

// fsstat is FSSTAT (RFC 1813 section 3.3.18).
func (d *dirStore) fsstat(fh nfs3.FH, r *nfs3.FsstatReply) {
	n, p, _, st := d.find(fh)
	if r.Status = st; st == nfs3.OK {
		r.Attr = d.post(n, p)
		r.Status = statusOf(hostSpace(d.root, r))
	}
}
