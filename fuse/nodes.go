package fuse

import (
	"sync"
	"sync/atomic"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
)

// node is an object that the kernel knows. Its number is the Inode's ID: never
// used for another object, which would show the kernel one object with the
// type and the pages of another.
type node struct {
	ino  *client.Inode
	refs uint64        // entries that the kernel was sent less those it forgot; guarded by its shard
	up   atomic.Uint64 // of a directory: FileID of the directory above, 0 if unknown; for ".."
	keep keeper
	seen sighting
}

// nodes is the table of what the kernel knows. An object is in it for as long
// as the kernel has references, and its Inode as well.
type nodes struct {
	fs     *client.FS
	root   *node // always there; the kernel does not count references to it
	shards [64]nodeShard
}

type nodeShard struct {
	mu sync.Mutex // guards m and the refs of its nodes
	m  map[uint64]*node
}

func (t *nodes) init(fs *client.FS) {
	t.fs = fs
	t.root = &node{ino: fs.Root()}
	t.root.up.Store(fs.Root().FileID())
	for i := range t.shards {
		t.shards[i].m = map[uint64]*node{}
	}
}

func (t *nodes) shard(id uint64) *nodeShard { return &t.shards[id%uint64(len(t.shards))] }

// get returns the node of a number, or nil if the kernel cannot know it.
func (t *nodes) get(id uint64) *node {
	if id == gofuse.FUSE_ROOT_ID {
		return t.root
	}
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m[id]
}

// ref returns the node of ino, after noting that the kernel is sent one more
// entry with its number.
func (t *nodes) ref(ino *client.Inode) *node {
	if ino == t.root.ino {
		return t.root
	}
	id := ino.ID()
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.m[id]
	if n == nil {
		n = &node{ino: ino}
		s.m[id] = n
		t.fs.Ref(ino)
	}
	n.refs++
	return n
}

// forget takes n references away. It makes no call, and is quick: go-fuse does
// not go on reading requests meanwhile.
func (t *nodes) forget(id, n uint64) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.m[id]
	if x == nil {
		return
	}
	if x.refs > n {
		x.refs -= n
		return
	}
	delete(s.m, id)
	t.fs.Forget(x.ino, 1)
}

// clear forgets everything: the mount is gone, and the kernel sends no FORGET
// then.
func (t *nodes) clear() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for id, n := range s.m {
			delete(s.m, id)
			t.fs.Forget(n.ino, 1)
		}
		s.mu.Unlock()
	}
}
