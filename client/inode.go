package client

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gonfs/gonfs/nfs3"
)

// Inode is one object of the server: there is one per file handle for as long
// as anybody holds a pointer to it, so pointers may be compared. It carries
// all that is cached of the object.
//
// A file that is only looked up takes 512 bytes, the names of a directory and
// the file data path (data) apart: more would cost each LOOKUP of a new file
// time, for the collector of garbage above all (11 % with 900 bytes).
//
// Order of locks: data's mutex, then the inode's; neither is held across a call.
type Inode struct {
	id     uint64                  // never used again
	fh     atomic.Pointer[nfs3.FH] // what it points to never changes; see renew
	typ    nfs3.FileType
	gone   atomic.Bool // the handle means another object now: all operations fail with NFS3ERR_STALE
	fileid uint64      // as the server says it
	number uint64      // as callers see it (Inode.FileID)

	lookups atomic.Int64  // references of FUSE's kernel side
	version atomic.Uint64 // changes by others so far

	hash         uint64 // of the first handle: which of the table's lists the inode is on
	newer, older *Inode // guarded by the mutex of the list's shard

	mu     sync.Mutex // guards all below but the last two
	cache  attrCache
	access accessCache
	acl    aclCache
	parent *Inode // where the object was seen last, and under which name; nil if unknown
	name   string
	silly  *sillyName // the object was removed while it was open here
	names  *nameCache // of a directory; nil of all else
	target *string    // the text of a symbolic link; nil if unknown (Readlink)
	lockFH *nfs3.FH   // the handle that locks were asked for with; nil if there were none

	file    atomic.Pointer[fileData] // see data
	firstFH nfs3.FH                  // what fh points to, mostly
}

// ID returns a number that no other Inode of this FS has or will have. The
// root's is 1.
func (n *Inode) ID() uint64 { return n.id }

// FH returns the file handle. A server that comes back with other handles
// changes it (see stale.go).
func (n *Inode) FH() nfs3.FH { return *n.fh.Load() }

// Type returns the type, which never changes.
func (n *Inode) Type() nfs3.FileType { return n.typ }

// FileID returns the inode number for st_ino. It is the server's fileid,
// except below a server-side mount point: there the file system id is mixed
// in, because to the local system everything is one file system, and two files
// of one number would look like hard links. Attributes that the FS returns
// have the same number.
func (n *Inode) FileID() uint64 { return n.number }

// Version returns a number that changes whenever others are found to have
// changed the object. It tells whether data that was read under an older
// version, and is cached elsewhere, is still good; the callback of FS.Changes
// comes a moment later.
func (n *Inode) Version() uint64 { return n.version.Load() }

// mixFileID returns the number by which an object is known here.
func mixFileID(fileid, fsid, rootFSID uint64) uint64 {
	if fsid == rootFSID {
		return fileid
	}
	x := fsid ^ rootFSID // splitmix64, so that near fsids do not give near numbers
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return fileid ^ x ^ x>>31
}

// Ref adds a reference to ino: the kernel was told its number. It keeps the
// inode from being forgotten; any pointer to it does as well.
func (fs *FS) Ref(ino *Inode) {
	if ino.lookups.Add(1) == 1 {
		fs.table.pin(ino)
	}
}

// Forget takes n references of Ref away.
func (fs *FS) Forget(ino *Inode, n uint64) {
	if left := ino.lookups.Add(-int64(n)); left <= 0 {
		ino.lookups.CompareAndSwap(left, 0)
		if left+int64(n) > 0 {
			fs.table.unpin(ino)
		}
	}
}

// alive returns why operations on ino cannot be: the FS was closed, or the
// handle means another object now.
func (fs *FS) alive(ino *Inode) error {
	if fs.closed.Load() {
		return ErrClosed
	}
	if ino.gone.Load() {
		return nfs3.ErrStale
	}
	return nil
}

// begin is called before a call is sent; what comes back is booked with the
// stamp that it returns.
func (fs *FS) begin() stamp { return stamp{at: fs.clock.now(), gen: fs.gen.Add(1)} }

// beginChange is begin for a call that will change ino's ctime. Until its
// reply is booked by applyWcc or endChange, ctimes that nobody explained yet
// may be its doing. (WRITEs need it not: dirty data has the same effect.)
func (fs *FS) beginChange(ino *Inode) stamp {
	st := stamp{at: fs.clock.now(), gen: fs.gen.Add(1), own: true}
	ino.mu.Lock()
	ino.cache.begin(st.gen)
	ino.mu.Unlock()
	return st
}

// endChange ends what beginChange began when the reply told nothing of ino, or
// when there was none.
func (fs *FS) endChange(ino *Inode, st stamp) {
	fs.see(ino, observed{st: st, change: true})
}

// refused ends what beginChange began when the server refused the call: nothing
// was changed.
func (fs *FS) refused(ino *Inode, st stamp) {
	ino.mu.Lock()
	ino.cache.end(st.gen)
	ino.mu.Unlock()
}

// applyAttr books the attributes that a reply brought to a call that did not
// change ino.
func (fs *FS) applyAttr(ino *Inode, st stamp, a *nfs3.PostOpAttr) {
	if a.Present {
		fs.see(ino, observed{st: st, attr: &a.Attr})
	}
}

// applyWcc books the wcc data that a reply brought to a call that changed ino.
// Empty data, as of a call that failed, makes the attributes expire.
func (fs *FS) applyWcc(ino *Inode, st stamp, w *nfs3.WccData) {
	o := observed{st: st, change: true}
	if w.After.Present {
		o.attr = &w.After.Attr
	}
	if w.Before.Present {
		o.pre = &w.Before.Attr.Ctime
	}
	fs.see(ino, o)
}

// see books an observation and does what follows from it.
func (fs *FS) see(ino *Inode, o observed) {
	if o.attr != nil {
		fs.clock.saw(o.attr.Ctime)
	}
	dirty := ino.hasDirty()
	ino.mu.Lock()
	if a := o.attr; a != nil && (a.Type != ino.typ || a.FileID != ino.fileid) {
		ino.cache.end(o.st.gen)
		first := !ino.gone.Swap(true)
		ino.mu.Unlock()
		if first {
			fs.table.drop(ino)
			fs.log.Warn("file handle means another object now", "file", ino.FH(),
				"fileid", ino.fileid, "now", a.FileID, "type", ino.typ, "nowType", a.Type)
		}
		return
	}
	gen := fs.gen.Add(1)
	s := ino.cache.see(o, fs.limits(ino), gen, dirty)
	if s.others {
		ino.version.Add(1)
		ino.target = nil
		if n := ino.names; n != nil {
			n.drop()
			n.quiet, n.shared = time.Now(), true
		}
	}
	if s.others || s.rights {
		ino.access.drop(gen)
		ino.acl.drop(gen)
	}
	ino.mu.Unlock()
	if s.others {
		fs.dropReadahead(ino)
		fs.changes.post(fs, ino)
	}
}

// localChange notes that data of ino was changed here, and that the server
// will be told later. newSize is the size thereafter; grew says whether it may
// be more than before.
func (fs *FS) localChange(ino *Inode, newSize uint64, grew bool) {
	if !grew {
		newSize = 0
	}
	ino.mu.Lock()
	ino.cache.localChange(fs.gen.Add(1), newSize)
	ino.mu.Unlock()
}

// size returns the size of ino as far as it is known without asking, local
// changes included.
func (fs *FS) size(ino *Inode) uint64 {
	ino.mu.Lock()
	defer ino.mu.Unlock()
	return ino.cache.size()
}

// cached returns the attributes as callers see them if they count still. The
// clock, which costs 70 ns, is not read where they never do (noac).
func (fs *FS) cached(ino *Inode) (a nfs3.Fattr, fresh bool) {
	end := ino.dirtyEnd()
	ino.mu.Lock()
	defer ino.mu.Unlock()
	if ino.cache.timeo == 0 || !ino.cache.fresh(time.Now()) || ino.gone.Load() {
		return nfs3.Fattr{}, false
	}
	return ino.viewLocked(end), true
}

// view returns the attributes as callers see them, whether they count or not.
func (fs *FS) view(ino *Inode) nfs3.Fattr {
	end := ino.dirtyEnd()
	ino.mu.Lock()
	defer ino.mu.Unlock()
	return ino.viewLocked(end)
}

// viewLocked is view, of a file with dirty data up to end.
func (n *Inode) viewLocked(end uint64) nfs3.Fattr {
	a := n.cache.attr
	a.Size = max(n.cache.size(), end)
	a.FileID = n.number
	if n.silly != nil && a.Nlink > 0 {
		a.Nlink-- // the name that is left is one of our own making
	}
	return a
}
