package fuse

import (
	"sync"

	"github.com/gonfs/gonfs/client"
)

// handle is an open file or an open directory.
type handle struct {
	node *node
	file *client.File // of a file
	dir  *dirStream   // of a directory
}

// handles is the table of open files and directories.
type handles struct {
	mu   sync.RWMutex // guards both below
	m    map[uint64]*handle
	next uint64 // counts up, so that a number is never used again
}

// put adds h and returns its number, which is never 0.
func (t *handles) put(h *handle) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = map[uint64]*handle{}
	}
	t.next++
	t.m[t.next] = h
	return t.next
}

// get returns the handle of a number, or nil.
func (t *handles) get(fh uint64) *handle {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.m[fh]
}

// file returns the open file of a number, or nil.
func (t *handles) file(fh uint64) *handle {
	if h := t.get(fh); h != nil && h.file != nil {
		return h
	}
	return nil
}

// take removes a handle and returns it, or nil.
func (t *handles) take(fh uint64) *handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.m[fh]
	delete(t.m, fh)
	return h
}

// clear removes all handles and returns them.
func (t *handles) clear() []*handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*handle, 0, len(t.m))
	for _, h := range t.m {
		all = append(all, h)
	}
	t.m = nil
	return all
}
