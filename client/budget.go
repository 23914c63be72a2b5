package client

import (
	"context"
	"slices"
	"sync"

	"github.com/gonfs/gonfs/rpc"
)

// budget bounds the bytes of a mount that are not safe on the server yet. A
// writer that would exceed it waits; waiters are served in order of arrival.
type budget struct {
	mu      sync.Mutex // guards all below; never held while waiting
	limit   int64
	used    int64
	waiting []*budgetWaiter
}

type budgetWaiter struct {
	n    int64
	done chan struct{}
}

// acquire takes n bytes, waiting for others' release if they are not there.
// pressed is called before waiting, without the lock: it must make the dirty
// data move. A request beyond the whole limit is granted when nothing is used.
func (b *budget) acquire(ctx context.Context, n int64, pressed func()) error {
	b.mu.Lock()
	if len(b.waiting) == 0 && b.fitsLocked(n) {
		b.used += n
		b.mu.Unlock()
		return nil
	}
	w := &budgetWaiter{n: n, done: make(chan struct{})}
	b.waiting = append(b.waiting, w)
	b.mu.Unlock()
	pressed()
	err := rpc.Wait(ctx, w.done)
	if err == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiting, w); i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
		b.releaseLocked(0) // those behind may want less
		return err
	}
	b.releaseLocked(n) // granted while we gave up
	return err
}

// tryAcquire takes n bytes if they are there and nobody waits for them.
func (b *budget) tryAcquire(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 || !b.fitsLocked(n) {
		return false
	}
	b.used += n
	return true
}

func (b *budget) fitsLocked(n int64) bool { return b.used == 0 || b.used+n <= b.limit }

// release gives n bytes back.
func (b *budget) release(n int64) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	b.releaseLocked(n)
	b.mu.Unlock()
}

func (b *budget) releaseLocked(n int64) {
	b.used -= n
	for len(b.waiting) > 0 && b.fitsLocked(b.waiting[0].n) {
		w := b.waiting[0]
		b.waiting = b.waiting[1:]
		b.used += w.n
		close(w.done)
	}
}

// figures returns how many bytes are in use, and the limit.
func (b *budget) figures() (used, limit uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return uint64(max(b.used, 0)), uint64(max(b.limit, 0))
}

// state tells whether writers wait for room, and how many bytes are in use.
func (b *budget) state() (waiting bool, used int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) > 0, b.used
}
