package client

import (
	"hash/maphash"
	"runtime"
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

type shard struct {
	mu sync.Mutex // guards all below and the links of the inodes on its list; no other lock is taken under it
	m  map[nfs3.FH]weak.Pointer[Inode]

	newest, oldest *Inode // list of the inodes that are held
	held           int
}

func (t *table) init() {
	t.seed = maphash.MakeSeed()
	for i := range t.shards {
		t.shards[i].m = map[nfs3.FH]weak.Pointer[Inode]{}
	}
}

// find returns the Inode of fh if there is one of that type and fileid.
// Otherwise it makes one by calling fresh; an Inode that was there, but of
// another object (the server used the handle again), is put aside: whoever has
// it will be told ESTALE by the next reply.
func (t *table) find(fh nfs3.FH, typ nfs3.FileType, fileid uint64, fresh func() *Inode) *Inode {
	s := t.shardOf(fh)
	s.mu.Lock()
	ino := s.m[fh].Value()
	if ino != nil && (ino.typ != typ || ino.fileid != fileid) {
		old := ino
		defer t.pin(old) // after the lock is given up: it may be on another shard's list
		ino = nil
	}
	if ino != nil {
		s.mu.Unlock()
		t.unpin(ino)
		return ino
	}
	ino = fresh()
	ino.shard = s
	own := fh // the address of fh itself would make each call allocate
	ino.fh.Store(&own)
	s.enterLocked(fh, ino)
	s.touchLocked(ino)
	s.mu.Unlock()
	return ino
}

// known returns the Inode of fh, or nil if there is none.
func (t *table) known(fh nfs3.FH) *Inode {
	s := t.shardOf(fh)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m[fh].Value()
}

func (t *table) shardOf(fh nfs3.FH) *shard {
	return &t.shards[maphash.Comparable(t.seed, fh)%tableShards]
}

// enterLocked makes fh mean ino until ino is collected as garbage.
func (s *shard) enterLocked(fh nfs3.FH, ino *Inode) {
	w := weak.Make(ino)
	s.m[fh] = w
	runtime.AddCleanup(ino, func(w weak.Pointer[Inode]) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.m[fh] == w {
			delete(s.m, fh)
		}
	}, w)
}

// move gives ino another handle. It reports false, and does nothing, if that
// handle has an Inode already: there must not be two that cache one object.
func (t *table) move(ino *Inode, fh nfs3.FH) bool {
	s := t.shardOf(fh)
	s.mu.Lock()
	switch s.m[fh].Value() {
	case nil:
		s.enterLocked(fh, ino)
	case ino: // somebody else was here first
	default:
		s.mu.Unlock()
		return false
	}
	s.mu.Unlock()
	if old := *ino.fh.Swap(&fh); old != fh {
		t.forget(old, ino)
	}
	return true
}

// forget makes fh mean nothing, if it meant ino.
func (t *table) forget(fh nfs3.FH, ino *Inode) {
	s := t.shardOf(fh)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[fh].Value() == ino {
		delete(s.m, fh)
	}
}

// drop makes the table forget ino.
func (t *table) drop(ino *Inode) {
	t.forget(ino.FH(), ino)
	t.pin(ino)
}

// pin takes ino from the list: something else holds it, or nobody shall.
func (t *table) pin(ino *Inode) {
	ino.shard.mu.Lock()
	defer ino.shard.mu.Unlock()
	ino.shard.unlinkLocked(ino)
}

// unpin puts ino on the list, as the newest, unless something else holds it.
func (t *table) unpin(ino *Inode) {
	ino.shard.mu.Lock()
	defer ino.shard.mu.Unlock()
	ino.shard.touchLocked(ino)
}

// count returns how many inodes there are, and how many of them are held.
func (t *table) count() (all, held int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		all, held = all+len(s.m), held+s.held
		s.mu.Unlock()
	}
	return all, held
}

// touchLocked makes ino the newest of the list, which may push the oldest out.
func (s *shard) touchLocked(ino *Inode) {
	if s.newest == ino {
		return
	}
	s.unlinkLocked(ino)
	if ino.lookups.Load() > 0 {
		return
	}
	ino.older = s.newest
	if s.newest != nil {
		s.newest.newer = ino
	}
	s.newest = ino
	if s.oldest == nil {
		s.oldest = ino
	}
	if s.held++; s.held > shardLimit {
		s.unlinkLocked(s.oldest)
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
