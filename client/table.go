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
	mu sync.Mutex // guards all below and the links of the inodes; no other lock is taken under it
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
	s := &t.shards[maphash.Comparable(t.seed, fh)%tableShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if ino := s.m[fh].Value(); ino != nil {
		if ino.typ == typ && ino.fileid == fileid {
			s.touchLocked(ino)
			return ino
		}
		s.unlinkLocked(ino)
	}
	ino := fresh()
	ino.shard = s
	w := weak.Make(ino)
	s.m[fh] = w
	runtime.AddCleanup(ino, func(w weak.Pointer[Inode]) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.m[fh] == w {
			delete(s.m, fh)
		}
	}, w)
	s.touchLocked(ino)
	return ino
}

// drop makes the table forget ino.
func (t *table) drop(ino *Inode) {
	s := ino.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[ino.fh].Value() == ino {
		delete(s.m, ino.fh)
	}
	s.unlinkLocked(ino)
}

// pin takes ino from the list: something else holds it.
func (t *table) pin(ino *Inode) {
	ino.shard.mu.Lock()
	defer ino.shard.mu.Unlock()
	ino.shard.unlinkLocked(ino)
}

// unpin puts ino back on the list.
func (t *table) unpin(ino *Inode) {
	ino.shard.mu.Lock()
	defer ino.shard.mu.Unlock()
	ino.shard.touchLocked(ino)
}

// len returns how many inodes there are.
func (t *table) len() (n int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.m)
		s.mu.Unlock()
	}
	return n
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
