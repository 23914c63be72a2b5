package nfstest

import (
	"github.com/gonfs/gonfs/nfs3"
)

// inode is one file of the memory file system.
type inode struct {
	id    uint64
	gen   uint32
	typ   nfs3.FileType
	mode  uint32 // permission bits, 07777
	nlink uint32
	uid   uint32
	gid   uint32
	rdev  nfs3.Specdata

	atime, mtime, ctime nfs3.Time

	data   *fileData  // regular files
	dir    *directory // directories
	target string     // symbolic links
	acl    lists

	// verf is the verifier of the EXCLUSIVE create that made the file, until
	// a SETATTR of its times: servers have only the times to keep it in.
	verf     [8]byte
	verfHeld bool
}

// newInode makes an inode with no link yet, or one link and "." for a
// directory.
func (m *memory) newInode(typ nfs3.FileType, mode uint32, who *ident) *inode {
	n := &inode{id: m.nextID, gen: uint32(m.nextID*2654435761) | 1, typ: typ, mode: mode & 07777, uid: who.uid, gid: who.gid}
	m.nextID++
	n.atime = m.now()
	n.mtime, n.ctime = n.atime, n.atime
	switch typ {
	case nfs3.TypeReg:
		n.data = newFileData()
	case nfs3.TypeDir:
		n.dir = newDirectory()
		n.nlink = 2
	}
	m.inodes[n.id] = n
	m.used += inodeBytes
	return n
}

// unlink takes one link from n, and n itself with the last one.
func (m *memory) unlink(n *inode) {
	n.nlink--
	n.ctime = m.now()
	if n.nlink == 0 || n.dir != nil {
		m.free(n)
	}
}

// free forgets n: its handles are stale from now on.
func (m *memory) free(n *inode) {
	delete(m.inodes, n.id)
	m.used -= inodeBytes
	if n.data != nil {
		m.used -= n.data.bytes()
	}
}

// size returns what the size attribute says.
func (n *inode) size() uint64 {
	switch {
	case n.data != nil:
		return n.data.size
	case n.dir != nil:
		return uint64(pageSize * (1 + len(n.dir.order)/64))
	}
	return uint64(len(n.target))
}

// attr returns the attributes of n (RFC 1813 section 2.6, fattr3).
func (m *memory) attr(n *inode) nfs3.Fattr {
	a := nfs3.Fattr{
		Type: n.typ, Mode: n.mode, Nlink: n.nlink, UID: n.uid, GID: n.gid,
		Size: n.size(), Rdev: n.rdev, FSID: m.handles.fsid, FileID: n.id,
		Atime: n.atime, Mtime: n.mtime, Ctime: n.ctime,
	}
	a.Used = a.Size
	if n.data != nil {
		a.Used = uint64(len(n.data.pages)) * pageSize
	}
	return a
}

// post returns the attributes as they follow a reply; n may be nil.
func (m *memory) post(n *inode) nfs3.PostOpAttr {
	if n == nil {
		return nfs3.PostOpAttr{}
	}
	return nfs3.PostOpAttr{Present: true, Attr: m.attr(n)}
}

// pre returns the attributes that wcc data compares; n may be nil.
func (m *memory) pre(n *inode) nfs3.PreOpAttr {
	if n == nil {
		return nfs3.PreOpAttr{}
	}
	return nfs3.PreOpAttr{Present: true, Attr: nfs3.WccAttr{Size: n.size(), Mtime: n.mtime, Ctime: n.ctime}}
}

// handle returns the handle as CREATE and its like return it.
func (m *memory) handle(n *inode) nfs3.PostOpFH {
	return nfs3.PostOpFH{Present: true, FH: m.fh(n)}
}

// touched marks a change of n's content and of n itself.
func (m *memory) touched(n *inode) {
	n.mtime = m.now()
	n.ctime = n.mtime
}
