package nfstest

import (
	"encoding/binary"
	"hash/maphash"
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

// handleLen is the length of a file handle: file system, inode, generation,
// and a keyed checksum, so that a guessed handle is told from a stale one.
const handleLen = 24

// memory is the file system: a tree of inodes in memory. It knows nothing of
// RPC; each NFS procedure has one method, which fills the reply. Handles hold
// the inode's number and are all that a client keeps, as RFC 1813 section 1.6
// wants it: an inode whose last link goes is gone at once, and its handles are
// stale. It is not safe for concurrent use: Server.fsMu guards it.
type memory struct {
	fsid  uint64
	seed  maphash.Seed // keys the checksum in file handles
	clock func() time.Time
	grain time.Duration // granularity of times; 0 makes each time a new one
	limit int64         // bytes of memory that may be used

	root   *inode
	inodes map[uint64]*inode
	nextID uint64
	used   int64 // bytes charged
	last   time.Time
}

// newMemory returns a file system that holds an empty root directory.
func newMemory(o *Options) *memory {
	m := &memory{
		fsid: o.FSID, seed: maphash.MakeSeed(), clock: o.Now, grain: o.Granularity,
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
func (m *memory) fh(n *inode) nfs3.FH {
	var b [handleLen]byte
	binary.BigEndian.PutUint32(b[:], uint32(m.fsid))
	binary.BigEndian.PutUint64(b[4:], n.id)
	binary.BigEndian.PutUint32(b[12:], n.gen)
	binary.BigEndian.PutUint64(b[16:], maphash.Bytes(m.seed, b[:16]))
	fh, _ := nfs3.MakeFH(b[:]) // cannot fail: the length is right
	return fh
}

// find returns the inode that fh names: BADHANDLE if it was never a handle of
// this server, STALE if the file is gone.
func (m *memory) find(fh nfs3.FH) (*inode, nfs3.Status) {
	b := fh.Bytes()
	if len(b) != handleLen || maphash.Bytes(m.seed, b[:16]) != binary.BigEndian.Uint64(b[16:]) {
		return nil, nfs3.ErrBadhandle
	}
	n := m.inodes[binary.BigEndian.Uint64(b[4:])]
	if n == nil || n.gen != binary.BigEndian.Uint32(b[12:]) {
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

// charge takes n bytes from what is left, or reports that there are not enough.
func (m *memory) charge(n int64) bool {
	if n > 0 && m.used+n > m.limit {
		return false
	}
	m.used += n
	return true
}

// resize runs f, which changes the data of n, and charges the difference.
func (m *memory) resize(n *inode, f func(*fileData)) {
	before := n.data.bytes()
	f(n.data)
	m.used += n.data.bytes() - before
}

// rootFH is the handle of the root directory.
func (m *memory) rootFH() nfs3.FH { return m.fh(m.root) }

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
