package client

import (
	"hash/maphash"
	"maps"
	"sync"
	"weak"

	"github.com/gonfs/gonfs/nfs3"
)

// The inode table finds the one Inode of a file handle. It refers to inodes
// weakly: who holds a pointer keeps the inode, and nobody has to give
// references back. So that attributes and names survive between operations,
// each shard also holds its most recently used inodes strongly.
const (
	tableShards = 32
	shardLimit  = 512 // × 32 shards = 16,384 inodes that nobody else refers to
)

type table struct {
	seed   maphash.Seed
	shards [tableShards]shard
}

// shard has its inodes by the hash of their handle: a slot of 24 bytes where
// the handle itself would make it 88. Two handles of one hash are not to be
// expected within the age of the universe, but must not be one file either:
// the second has its place in twins.
type shard struct {
	mu    sync.Mutex // guards all below and the links of the inodes on its list; no other lock is taken under it
	m     map[uint64]slot
	twins map[nfs3.FH]weak.Pointer[Inode]
	sweep int // at that many entries, those of inodes that are no more are removed

	newest, oldest *Inode // list of the inodes that are held
	held           int
}

// slot refers to an inode: strongly until that leaves the list for the first
// time. A weak pointer costs 200 ns, 4 % of what LOOKUP and GETATTR take, and
// where no names are cached most inodes never need one.
type slot struct {
	held *Inode // nil: see weak
	weak weak.Pointer[Inode]
}

func (s slot) inode() *Inode {
	if s.held != nil {
		return s.held
	}
	return s.weak.Value()
}

func (t *table) init() {
	t.seed = maphash.MakeSeed()
	for i := range t.shards {
		s := &t.shards[i]
		s.m, s.sweep = map[uint64]slot{}, 2*shardLimit
	}
}

// find returns the Inode of fh if there is one of that type and fileid.
// Otherwise it makes one by calling fresh; an Inode that was there, but of
// another object (the server used the handle again), is put aside: whoever has
// it will be told ESTALE by the next reply.
func (t *table) find(fh *nfs3.FH, typ nfs3.FileType, fileid uint64, fresh func() *Inode) *Inode {
	s, hash := t.place(fh)
	s.mu.Lock()
	ino := s.getLocked(hash, fh)
	if ino != nil && (ino.typ != typ || ino.fileid != fileid) {
		old := ino
		defer t.pin(old) // after the lock is given up: it may be on another shard's list
		ino = nil
	}
	if ino != nil {
		if ino.hash == hash {
			s.touchLocked(ino)
			s.mu.Unlock()
			return ino
		}
		s.mu.Unlock()
		t.unpin(ino) // it had another handle once
		return ino
	}
	ino = fresh()
	ino.hash = hash
	ino.firstFH = *fh
	ino.fh.Store(&ino.firstFH)
	s.enterLocked(hash, ino, slot{held: ino})
	s.touchLocked(ino)
	s.mu.Unlock()
	return ino
}

// known returns the Inode of fh, or nil if there is none.
func (t *table) known(fh *nfs3.FH) *Inode {
	s, hash := t.place(fh)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.getLocked(hash, fh)
}

// place returns where fh is to be looked for.
func (t *table) place(fh *nfs3.FH) (s *shard, hash uint64) {
	hash = maphash.Bytes(t.seed, fh.Bytes())
	return &t.shards[hash%tableShards], hash
}

// getLocked returns the Inode of fh, whose hash is given.
func (s *shard) getLocked(hash uint64, fh *nfs3.FH) *Inode {
	if ino := s.m[hash].inode(); ino != nil && *ino.fh.Load() == *fh {
		return ino
	}
	if s.twins == nil {
		return nil
	}
	return s.twins[*fh].Value()
}

// enterLocked makes ino's handle, whose hash is given, mean ino until ino is
// collected as garbage. to refers to ino.
func (s *shard) enterLocked(hash uint64, ino *Inode, to slot) {
	if len(s.m)+len(s.twins) >= s.sweep {
		s.sweepLocked()
	}
	fh := ino.FH()
	if other := s.m[hash].inode(); other != nil && other.FH() != fh {
		if s.twins == nil {
			s.twins = map[nfs3.FH]weak.Pointer[Inode]{}
		}
		s.twins[fh] = weak.Make(ino)
		return
	}
	delete(s.twins, fh)
	s.m[hash] = to
}

// sweepLocked removes the entries of inodes that were collected as garbage. It
// is called when there are twice as many entries as it left the last time, so
// that it costs each inode a few ns. To be told of each inode's end by the
// runtime (AddCleanup) costs 500 ns and three allocations.
func (s *shard) sweepLocked() {
	maps.DeleteFunc(s.m, func(_ uint64, to slot) bool { return to.inode() == nil })
	maps.DeleteFunc(s.twins, func(_ nfs3.FH, w weak.Pointer[Inode]) bool { return w.Value() == nil })
	s.sweep = 2 * max(len(s.m)+len(s.twins), shardLimit)
}

// move gives ino another handle. It reports false, and does nothing, if that
// handle has an Inode already: there must not be two that cache one object.
func (t *table) move(ino *Inode, fh nfs3.FH) bool {
	s, hash := t.place(&fh)
	s.mu.Lock()
	if there := s.getLocked(hash, &fh); there != nil {
		s.mu.Unlock()
		return there == ino // somebody else was here first
	}
	old := *ino.fh.Swap(&fh)
	s.enterLocked(hash, ino, slot{weak: weak.Make(ino)})
	s.mu.Unlock()
	if old != fh {
		t.forget(&old, ino)
	}
	return true
}

// forget makes fh mean nothing, if it meant ino.
func (t *table) forget(fh *nfs3.FH, ino *Inode) {
	s, hash := t.place(fh)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[hash].inode() == ino {
		delete(s.m, hash)
	}
	if s.twins[*fh].Value() == ino {
		delete(s.twins, *fh)
	}
}

// drop makes the table forget ino.
func (t *table) drop(ino *Inode) {
	t.forget(ino.fh.Load(), ino)
	t.pin(ino)
}

// pin takes ino from the list: something else holds it, or nobody shall.
func (t *table) pin(ino *Inode) {
	s := t.listOf(ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLocked(ino)
}

// unpin puts ino on the list, as the newest, unless something else holds it.
func (t *table) unpin(ino *Inode) {
	s := t.listOf(ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touchLocked(ino)
}

// listOf returns the shard whose list ino is on, if it is on one.
func (t *table) listOf(ino *Inode) *shard { return &t.shards[ino.hash%tableShards] }

// count returns how many inodes there are, and how many of them are held.
func (t *table) count() (all, held int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.sweepLocked()
		all, held = all+len(s.m)+len(s.twins), held+s.held
		s.mu.Unlock()
	}
	return all, held
}

// touchLocked makes ino the newest of the list, which may push the oldest out.
func (s *shard) touchLocked(ino *Inode) {
	if s.newest == ino {
		return
	}
	if ino.lookups.Load() > 0 {
		s.dropLocked(ino)
		return
	}
	s.unlinkLocked(ino)
	ino.older = s.newest
	if s.newest != nil {
		s.newest.newer = ino
	}
	s.newest = ino
	if s.oldest == nil {
		s.oldest = ino
	}
	if s.held++; s.held > shardLimit {
		s.dropLocked(s.oldest)
	}
}

// dropLocked takes ino from the list if it is on it, and holds it no more.
func (s *shard) dropLocked(ino *Inode) {
	s.unlinkLocked(ino)
	if s.m[ino.hash].held == ino {
		s.m[ino.hash] = slot{weak: weak.Make(ino)}
	}
}

// unlinkLocked takes ino from the list if it is on it.
func (s *shard) unlinkLocked(ino *Inode) {
	if ino.newer == nil && ino.older == nil && s.newest != ino {
		return
	}
	if ino.newer != nil {
		ino.newer.older = ino.older
	} else {
		s.newest = ino.older
	}
	if ino.older != nil {
		ino.older.newer = ino.newer
	} else {
		s.oldest = ino.newer
	}
	ino.newer, ino.older = nil, nil
	s.held--
}
