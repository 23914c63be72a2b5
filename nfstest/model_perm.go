package nfstest

import (
	"slices"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// nobody is who calls without AUTH_SYS, and a squashed root, act as.
const nobody = 65534

// ident is who a procedure is executed as.
type ident struct {
	uid, gid uint32
	groups   []uint32
}

// identOf applies the export's squash rule to the credential of a call; a nil
// credential is AUTH_NONE.
func identOf(c *rpc.Cred, o *Options) *ident {
	if c == nil || o.AllSquash {
		return &ident{uid: o.AnonUID, gid: o.AnonGID}
	}
	id := &ident{uid: c.UID, gid: c.GID, groups: c.Groups()}
	if o.RootSquash {
		if id.uid == 0 {
			id.uid = o.AnonUID
		}
		if id.gid == 0 {
			id.gid = o.AnonGID
		}
	}
	return id
}

func (w *ident) inGroup(gid uint32) bool { return w.gid == gid || slices.Contains(w.groups, gid) }

// Permission bits of one class, as in a mode.
const (
	mayExec  = 1
	mayWrite = 2
	mayRead  = 4
)

// may reports whether w has the permissions want on n by its mode, or by its
// access list where it has one.
func (w *ident) may(n *inode, want uint32) bool {
	if w.uid == 0 {
		// Root may all, but execute only what someone may execute.
		return want&mayExec == 0 || n.dir != nil || n.mode&0111 != 0
	}
	bits := n.mode
	switch {
	case w.uid == n.uid:
		bits >>= 6
	case n.acl.access != nil:
		return w.mayByList(n.acl.access, n.gid, want)
	case w.inGroup(n.gid):
		bits >>= 3
	}
	return bits&want == want
}

// mayIO is may for READ and WRITE. The owner may always, since he could open
// the file before its mode changed, and the server knows of no open files; who
// may execute may read, since execution begins by reading (RFC 1813 section
// 4.4).
func (w *ident) mayIO(n *inode, want uint32) bool {
	return w.uid == n.uid || w.may(n, want) || want == mayRead && w.may(n, mayExec)
}

// mayRemove reports whether w may take the entry n out of dir, or replace it:
// the sticky bit leaves that to the owners.
func (w *ident) mayRemove(dir, n *inode) bool {
	return dir.mode&01000 == 0 || w.uid == 0 || w.uid == dir.uid || w.uid == n.uid
}

// access returns which of the ACCESS bits want w has on n (RFC 1813 section
// 3.3.4). DELETE is a matter of the parent's entry, and means something for
// directories only; LOOKUP likewise, and EXECUTE for the others.
func (w *ident) access(n *inode, want uint32) (granted uint32) {
	if w.may(n, mayRead) {
		granted |= nfs3.AccessRead
	}
	if w.may(n, mayWrite) {
		granted |= nfs3.AccessModify | nfs3.AccessExtend
		if n.dir != nil {
			granted |= nfs3.AccessDelete
		}
	}
	if w.may(n, mayExec) {
		if n.dir != nil {
			granted |= nfs3.AccessLookup
		} else {
			granted |= nfs3.AccessExecute
		}
	}
	return granted & want
}
