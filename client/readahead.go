package client

import (
	"context"
	"sync"
	"time"
)

// Read-ahead of one File. It begins when the second read in a row goes on
// where the last one ended, and then keeps a window of READs of rsize bytes
// under way in front of the reader, doubling it as the reader goes on. Random
// readers pay nothing. A block is dropped once it was served, and all are
// dropped on a seek or when the file changes.
const (
	minWindow = 256 << 10
	maxWindow = 16 << 20 // 15 × rsize was the Linux client's rule
	maxAhead  = 64 << 20 // of all files of a mount together
)

type readAhead struct {
	mu     sync.Mutex // guards all below; never held while waiting for a block
	next   uint64     // where a sequential reader goes on
	run    int        // reads in a row that did
	window uint64     // how far ahead blocks are read
	ahead  uint64     // end of the last block
	blocks []*raBlock // in order of offset, adjoining
	fs     *FS        // set with the first block
	cancel context.CancelFunc
	life   context.Context // of the blocks' READs
	closed bool
}

// raBlock is one READ ahead. done is closed when n and err are set.
type raBlock struct {
	off  uint64
	data []byte
	n    int
	err  error
	gen  uint64    // of the fileData when the READ was sent
	at   time.Time // when it was sent
	done chan struct{}
}

// take copies what read-ahead has from off on into p, waiting for READs that
// are under way, and returns how many bytes that were. It leaves an error to
// the READ that the caller makes itself.
func (r *readAhead) take(ctx context.Context, f *File, p []byte, off uint64) (n int) {
	for n < len(p) {
		at := off + uint64(n)
		b := r.block(f, at)
		if b == nil {
			return n
		}
		if waitFor(ctx, b.done) != nil {
			return n
		}
		if b.err != nil || at-b.off >= uint64(b.n) || !f.fresh(b) {
			r.drop()
			return n
		}
		n += copy(p[n:], b.data[at-b.off:b.n])
		if b.n < len(b.data) {
			return n // the end of the file, as it was then
		}
	}
	return n
}

// fresh reports whether nothing changed the file since b was asked for, as far
// as is known: what others wrote is heard of by the next reply about the file,
// so a block that waited for its reader longer than attributes count (acregmax)
// is asked for again. Under noac that is at once, and nothing is read ahead.
func (f *File) fresh(b *raBlock) bool {
	if time.Since(b.at) >= f.fs.reg.max {
		return false
	}
	d := &f.ino.data
	d.mu.Lock()
	defer d.mu.Unlock()
	return b.gen == d.gen
}

// block returns the block that holds offset at, dropping those before it, or
// nil. A reader that went elsewhere drops them all.
func (r *readAhead) block(f *File, at uint64) *raBlock {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, b := range r.blocks {
		if at >= b.off && at < b.off+uint64(len(b.data)) {
			r.forgetLocked(i)
			return b
		}
	}
	return nil
}

// advance notes that [off, off+n) was read and starts READs for what comes
// next. more says that the file may go on.
func (r *readAhead) advance(f *File, off uint64, n int, more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	end := off + uint64(n)
	if off != r.next {
		r.dropLocked()
		r.run, r.window = 0, 0
	}
	r.next = end
	r.run++
	if r.run < 2 || !more || r.closed || f.fs.reg.max == 0 {
		return
	}
	if r.window == 0 {
		r.window = minWindow
	} else if end+r.window/2 >= r.ahead {
		r.window = min(2*r.window, maxWindow)
	}
	r.window = max(r.window, min(2*uint64(f.fs.rsize), maxWindow))
	if r.ahead < end {
		r.ahead = end
	}
	size := f.fs.size(f.ino)
	for r.ahead < end+r.window && r.ahead < size {
		if !r.startLocked(f, min(uint64(f.fs.rsize), size-r.ahead)) {
			return
		}
	}
}

// startLocked sends the READ of the next block, if the mount's memory for
// read-ahead allows.
func (r *readAhead) startLocked(f *File, n uint64) bool {
	if !f.fs.raBudget.tryAcquire(int64(n)) {
		return false
	}
	if r.life == nil {
		r.fs = f.fs
		r.life, r.cancel = context.WithCancel(f.fs.life)
	}
	d := &f.ino.data
	d.mu.Lock()
	b := &raBlock{off: r.ahead, data: make([]byte, n), gen: d.gen, at: time.Now(), done: make(chan struct{})}
	busy := !d.cleanLocked()
	d.mu.Unlock()
	if busy { // what is written here is read from here; the server's bytes would be old
		f.fs.raBudget.release(int64(n))
		return false
	}
	life := r.life
	r.blocks = append(r.blocks, b)
	r.ahead += n
	f.fs.goroutine(func() { // ends with its READ, or when the read-ahead is dropped
		b.n, b.err = f.fs.readChunk(life, f, b.data, b.off)
		close(b.done)
	})
	return true
}

// close is drop for good: a read that is still under way starts no READs.
func (r *readAhead) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropLocked()
	r.closed = true
}

// drop forgets all blocks and cancels the READs that are under way.
func (r *readAhead) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropLocked()
}

func (r *readAhead) dropLocked() {
	if r.cancel != nil {
		r.cancel()
		r.life, r.cancel = nil, nil
	}
	r.forgetLocked(len(r.blocks))
	r.ahead = 0
}

// forgetLocked drops the first n blocks and gives their share of the mount's
// memory back.
func (r *readAhead) forgetLocked(n int) {
	for _, b := range r.blocks[:n] {
		r.fs.raBudget.release(int64(len(b.data)))
	}
	r.blocks = r.blocks[n:]
}
