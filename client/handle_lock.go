package client

import (
	"context"

	"github.com/gonfs/gonfs/lock"
)

// Lock locks the bytes r of the file and waits while others hold them; see
// File.Lock. The locks of a Handle end with it at the latest, at Close.
func (h *Handle) Lock(ctx context.Context, r lock.Range, t lock.Type) error {
	f, err := h.data()
	if err == nil {
		err = f.Lock(ctx, r, t)
	}
	return h.fail("lock", err)
}

// TryLock is Lock without waiting: bytes that others hold are EAGAIN.
func (h *Handle) TryLock(ctx context.Context, r lock.Range, t lock.Type) error {
	f, err := h.data()
	if err == nil {
		err = f.TryLock(ctx, r, t)
	}
	return h.fail("lock", err)
}

// Unlock gives the bytes r back; see File.Unlock.
func (h *Handle) Unlock(ctx context.Context, r lock.Range) error {
	f, err := h.data()
	if err == nil {
		err = f.Unlock(ctx, r)
	}
	return h.fail("unlock", err)
}

// TestLock returns a lock that is in the way of locking r, or nil; see
// File.TestLock.
func (h *Handle) TestLock(ctx context.Context, r lock.Range, t lock.Type) (*lock.Lock, error) {
	f, err := h.data()
	if err != nil {
		return nil, h.fail("lock", err)
	}
	l, err := f.TestLock(ctx, r, t)
	return l, h.fail("lock", err)
}
