package nfstest

import (
	"time"

	"github.com/gonfs/gonfs/nfs3"
)

// Limits of the memory file system.
const (
	nameMax    = 255   // PATHCONF name_max
	linkMax    = 32000 // PATHCONF linkmax
	targetMax  = 4095  // bytes of a symbolic link
	maxSize    = 1<<63 - 1
	inodeBytes = 512 // what an inode or an entry is charged, besides data
)

// memory is the file system: a tree of inodes in memory. It knows nothing of
// RPC; each NFS procedure has one method, which fills the reply. Handles hold
// the inode's number and are all that a client keeps, as RFC 1813 section 1.6
// wants it: an inode whose last link goes is gone at once, and its handles are
// stale. It is not safe for concurrent use: Server.fsMu guards it.
type memory struct {
	handles handles
	clock   func() time.Time
	grain   time.Duration // granularity of times; 0 makes each time a new one
	limit   int64         // bytes of memory that may be used

	root   *inode
	inodes map[uint64]*inode
	nextID uint64
	used   int64 // bytes charged
	last   time.Time
}

// newMemory returns a file system that holds an empty root directory.
func newMemory(o *Options) *memory {
	m := &memory{
		handles: newHandles(o.FSID), clock: o.Now, grain: o.Granularity,
		limit: o.MaxBytes, inodes: make(map[uint64]*inode), nextID: 2,
	}
	m.root = m.newInode(nfs3.TypeDir, o.RootMode, &ident{})
	m.root.dir.parent = m.root
	return m
}

// now returns the time of a change. Without a granularity no two changes have
// the same time: a client can tell them apart by ctime.
func (m *memory) now() nfs3.Time {
	t := m.clock()
	if m.grain > 0 {
		return nfs3.TimeOf(t.Truncate(m.grain))
	}
	if !t.After(m.last) {
		t = m.last.Add(1)
	}
	m.last = t
	return nfs3.TimeOf(t)
}

// fh returns the handle of n.
func (m *memory) fh(n *inode) nfs3.FH { return m.handles.fh(n.id, n.gen) }

// find returns the inode that fh names: BADHANDLE if it was never a handle of
// this server, STALE if the file is gone.
func (m *memory) find(fh nfs3.FH) (*inode, nfs3.Status) {
	id, gen, ok := m.handles.split(fh)
	if !ok {
		return nil, nfs3.ErrBadhandle
	}
	n := m.inodes[id]
	if n == nil || n.gen != gen {
		return nil, nfs3.ErrStale
	}
	return n, nfs3.OK
}

// findDir is find for what must be a directory.
func (m *memory) findDir(fh nfs3.FH) (*inode, nfs3.Status) {
	n, st := m.find(fh)
	if st == nfs3.OK && n.dir == nil {
		return n, nfs3.ErrNotdir
	}
	return n, st
}

// resize runs f, which changes the data of n, and charges the difference.
func (m *memory) resize(n *inode, f func(*fileData)) {
	before := n.data.bytes()
	f(n.data)
	m.used += n.data.bytes() - before
}

// rootFH is the handle of the root directory.
func (m *memory) rootFH() nfs3.FH { return m.fh(m.root) }

// rehandle makes all handles stale.
func (m *memory) rehandle() { m.handles.era++ }

// close is for stores that have something to close.
func (m *memory) close() error { return nil }

// restart does to all files what a crash does: UNSTABLE data is lost.
func (m *memory) restart() {
	for _, n := range m.inodes {
		if n.data != nil {
			m.resize(n, (*fileData).revert)
		}
	}
}
