package fuse

import (
	"sync"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
)

// invalidator tells the kernel to drop what it has cached. Telling may block
// until a READ or WRITE of the same file was answered, so it is done neither
// by whoever answers requests nor under a lock: one goroutine does all of it,
// and what comes meanwhile is collected, at most one range for each node.
type invalidator struct {
	mu   sync.Mutex // guards todo, now and done; never held while telling
	todo map[uint64]byteRange
	now  uint64        // the node that is being told of; 0 is none
	done chan struct{} // closed when that is over; nil if nobody waits for it
	wake chan struct{} // holds at most one token
}

// byteRange is a range of bytes, or everything of a file, attributes included.
type byteRange struct {
	off, end int64 // end 0: everything
}

func newInvalidator() *invalidator {
	return &invalidator{todo: map[uint64]byteRange{}, wake: make(chan struct{}, 1)}
}

// dropAll makes the kernel drop all pages and the attributes of a node.
func (v *invalidator) dropAll(id uint64) { v.add(id, byteRange{}) }

// drop makes the kernel drop the pages of n bytes, at least 1, at off.
func (v *invalidator) drop(id uint64, off, n int64) { v.add(id, byteRange{off, off + n}) }

func (v *invalidator) add(id uint64, b byteRange) {
	v.mu.Lock()
	if old, ok := v.todo[id]; ok {
		b = old.union(b)
	}
	v.todo[id] = b
	v.mu.Unlock()
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

func (a byteRange) union(b byteRange) byteRange {
	if a.end == 0 || b.end == 0 {
		return byteRange{}
	}
	return byteRange{min(a.off, b.off), max(a.end, b.end)}
}

// run tells the kernel by notify until stop is closed. A node that the kernel
// does not know any more (ENOENT) is fine.
func (v *invalidator) run(stop <-chan struct{}, notify func(id uint64, off, length int64) gofuse.Status) {
	for {
		select {
		case <-stop:
			return
		case <-v.wake:
		}
		for {
			id, b, ok := v.next()
			if !ok {
				break
			}
			notify(id, b.off, b.end-b.off) // a length of 0 is everything from off on
			v.over()
		}
	}
}

// next takes one range from what is to be told.
func (v *invalidator) next() (id uint64, b byteRange, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, b := range v.todo {
		delete(v.todo, id)
		v.now = id
		return id, b, true
	}
	return 0, byteRange{}, false
}

// over ends what next began.
func (v *invalidator) over() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = 0
	if v.done != nil {
		close(v.done)
		v.done = nil
	}
}

// settle waits until nothing is to be told of a node, but no longer than
// settleTime.
func (v *invalidator) settle(id uint64) {
	var late <-chan time.Time
	for {
		v.mu.Lock()
		_, waits := v.todo[id]
		if !waits && v.now != id {
			v.mu.Unlock()
			return
		}
		if v.done == nil {
			v.done = make(chan struct{})
		}
		done := v.done
		v.mu.Unlock()
		if late == nil {
			late = time.After(settleTime)
		}
		select {
		case <-done:
		case <-late:
			return
		}
	}
}
