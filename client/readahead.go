package client

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gonfs/gonfs/rpc"
)

// Read-ahead of one File. It begins when the second read in a row goes on
// where the last one ended, and then keeps a window of READs of rsize bytes
// under way in front of the reader; see pace for how wide that is. Random
// readers pay for one lock, and so do those who have several reads under way
// by themselves: these go straight to the memory of whoever asked (see merger).
// A block is dropped once it was served, and all are dropped on a seek or when
// the file changes.
const (
	defaultAhead = 16 << 20 // window of a file, in bytes, unless rahead= says otherwise
	maxAhead     = 64 << 20 // of all files of a mount together
	// maxLone is how many reads of a File may be under way for it to be one
	// reader's: the kernel's own read-ahead has two.
	maxLone = 2
)

type readAhead struct {
	readers atomic.Int32 // reads under way

	mu     sync.Mutex // guards all below; never held while waiting for a block
	trail  trail
	pace   pace
	ahead  uint64     // end of the last block
	blocks []*raBlock // in order of offset, none overlapping another
	cancel context.CancelFunc
	life   context.Context // of the blocks' READs
	files  *atomic.Int32   // counts this one while it has a life
	closed bool
}

// raBlock is one READ ahead. done is closed when n and err are set. Its memory
// belongs to all who hold it: the list, the READ, and replies that are made of
// it.
type raBlock struct {
	fs      *FS
	holders atomic.Int32
	off     uint64
	data    []byte
	n       int
	err     error
	gen     uint64    // of the fileData when the READ was sent
	at      time.Time // when it was sent
	left    int       // bytes that were not served yet; guarded by readAhead.mu
	done    chan struct{}
}

func (b *raBlock) end() uint64 { return b.off + uint64(len(b.data)) }

// release ends one holder's use of the block's memory.
func (b *raBlock) release() {
	if b.holders.Add(-1) == 0 {
		fs, n := b.fs, len(b.data)
		fs.blocks.put(b)
		fs.raBudget.release(int64(n))
	}
}

// begin notes that a read of [off, off+n) begins, and starts READs for what
// comes after it. It reports whether there are any blocks, and how the read may be
// merged with others. end is called when the read is over.
func (r *readAhead) begin(f *File, off, n uint64) (any bool, how mergeable) {
	lone := r.readers.Add(1) <= maxLone
	r.mu.Lock()
	defer r.mu.Unlock()
	goesOn := off == r.trail.next
	if _, foreseen := r.findLocked(off); foreseen {
		r.trail.goOn(off + n)
	} else if r.trail.see(off, off+n) {
		r.dropLocked()
		return false, mergeAlone
	}
	limit := f.fs.rahead
	if r.trail.score < sequential || !lone || r.closed || limit == 0 || f.fs.reg.max == 0 {
		switch {
		case lone || r.trail.score < sequential:
		case goesOn:
			how = mergeFirst
		default:
			how = mergeMember
		}
		return len(r.blocks) > 0, how
	}
	now := time.Now()
	if r.pace.window == 0 {
		r.pace.begin(uint64(f.fs.rsize), limit, now)
	} else {
		r.pace.advance(n, limit, now)
	}
	next := r.trail.next
	r.ahead = max(r.ahead, next)
	size := f.fs.size(f.ino)
	for r.ahead < next+r.pace.window && r.ahead < size {
		if !r.startLocked(f, min(uint64(f.fs.rsize), size-r.ahead), now) {
			break
		}
	}
	return len(r.blocks) > 0, mergeAlone
}

func (r *readAhead) end() { r.readers.Add(-1) }

func (r *readAhead) findLocked(at uint64) (int, bool) {
	return slices.BinarySearchFunc(r.blocks, at, func(b *raBlock, at uint64) int {
		switch {
		case b.end() <= at:
			return -1
		case b.off > at:
			return 1
		}
		return 0
	})
}

// next returns up to want bytes from at on and the block that they are in,
// which the caller releases. It waits for a READ that is under way. It returns
// nothing if the bytes are not there or not good any more, and leaves an error
// to the READ that the caller makes itself.
func (r *readAhead) next(ctx context.Context, f *File, at uint64, want int) (*raBlock, []byte) {
	r.mu.Lock()
	i, ok := r.findLocked(at)
	if !ok {
		r.mu.Unlock()
		return nil, nil
	}
	b := r.blocks[i]
	b.holders.Add(1)
	r.mu.Unlock()
	if rpc.Wait(ctx, b.done) != nil {
		b.release()
		return nil, nil
	}
	from := int(at - b.off)
	if b.err != nil || from >= b.n || !f.fresh(b) {
		b.release()
		r.drop()
		return nil, nil
	}
	data := b.data[from:min(b.n, from+want)]
	r.serve(b, len(data))
	return b, data
}

// serve notes that n bytes of b are on their way to the reader. A block that
// was served, and those well behind it, are dropped.
func (r *readAhead) serve(b *raBlock, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.left -= n
	r.blocks = slices.DeleteFunc(r.blocks, func(o *raBlock) bool {
		old := o == b && b.left <= 0 || o.end()+beside <= b.off
		if old {
			o.release()
		}
		return old
	})
}

// fresh reports whether nothing changed the file since b was asked for, as far
// as is known: what others wrote is heard of by the next reply about the file,
// so a block that waited for its reader longer than attributes count (acregmax)
// is asked for again. Under noac that is at once, and nothing is read ahead.
func (f *File) fresh(b *raBlock) bool {
	if time.Since(b.at) >= f.fs.reg.max {
		return false
	}
	d := f.ino.data()
	d.mu.Lock()
	defer d.mu.Unlock()
	return b.gen == d.gen
}

// startLocked sends the READ of the next block, if the mount's memory for
// read-ahead allows.
func (r *readAhead) startLocked(f *File, n uint64, now time.Time) bool {
	fs := f.fs
	d := f.ino.data()
	d.mu.Lock()
	gen, busy := d.gen, !d.cleanLocked()
	d.mu.Unlock()
	// What is written here is read from here; the server's bytes would be old.
	if busy || !fs.raBudget.tryAcquire(int64(n)) {
		return false
	}
	if r.life == nil {
		r.life, r.cancel = context.WithCancel(fs.life)
		r.files = &fs.raFiles
		r.files.Add(1)
	}
	b := fs.blocks.get(fs, int(n))
	b.off, b.left, b.gen, b.at = r.ahead, int(n), gen, now
	b.holders.Store(2) // the list and the READ
	life := r.life
	r.blocks = append(r.blocks, b)
	r.ahead += n
	fs.goroutine(func() { // ends with its READ, or when the read-ahead is dropped
		b.n, b.err = fs.readChunk(life, f, b.data, b.off)
		if b.err == nil && b.n == int(fs.rsize) {
			r.answered(time.Since(b.at))
		}
		close(b.done)
		b.release()
	})
	return true
}

func (r *readAhead) answered(took time.Duration) {
	r.mu.Lock()
	r.pace.answered(took)
	r.mu.Unlock()
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
		r.files.Add(-1)
	}
	for _, b := range r.blocks {
		b.release()
	}
	r.blocks = r.blocks[:0]
	r.ahead, r.pace.window = 0, 0
}

// blockPool keeps blocks for the next READ ahead. Blocks are of rsize bytes, or
// of what is left of a file.
type blockPool struct{ pool sync.Pool }

// get returns a block with n bytes of undefined content.
func (p *blockPool) get(fs *FS, n int) *raBlock {
	b, ok := p.pool.Get().(*raBlock)
	if !ok || cap(b.data) < n {
		b = &raBlock{data: make([]byte, n, max(n, int(fs.rsize)))}
	}
	b.fs, b.data, b.n, b.err, b.done = fs, b.data[:n], 0, nil, make(chan struct{})
	return b
}

func (p *blockPool) put(b *raBlock) { p.pool.Put(b) }
