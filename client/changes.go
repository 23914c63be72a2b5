package client

import "sync"

// changes tells whoever registered that others changed an object.
type changes struct {
	mu      sync.Mutex // guards all below; never held while fn runs
	fn      func(*Inode)
	queue   []*Inode
	queued  map[*Inode]bool
	telling bool
}

// Changes registers fn, which is then called after each change of an object
// that was not made here: its data, or the entries of a directory, are not
// what they were, and what was cached of them outside should be dropped. The
// FS has dropped its own caches by then. Changes of one object that come close
// together make one call. fn is called from one goroutine at a time, which
// holds no lock, and may block; nil ends the calls.
func (fs *FS) Changes(fn func(*Inode)) {
	fs.changes.mu.Lock()
	defer fs.changes.mu.Unlock()
	fs.changes.fn = fn
}

// post queues ino for fn.
func (c *changes) post(fs *FS, ino *Inode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fn == nil || c.queued[ino] || fs.life.Err() != nil {
		return
	}
	if c.queued == nil {
		c.queued = map[*Inode]bool{}
	}
	c.queued[ino] = true
	c.queue = append(c.queue, ino)
	if !c.telling {
		c.telling = true
		fs.goroutine(func() { c.tell(fs) }) // ends when the queue is empty, or with the file system's life
	}
}

func (c *changes) tell(fs *FS) {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 || fs.life.Err() != nil {
			c.queue, c.queued, c.telling = nil, nil, false
			c.mu.Unlock()
			return
		}
		ino, fn := c.queue[0], c.fn
		c.queue = c.queue[1:]
		delete(c.queued, ino) // a change from now on is told again
		c.mu.Unlock()
		if fn != nil {
			fn(ino)
		}
	}
}
