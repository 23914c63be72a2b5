package lock

import (
	"context"
	"syscall"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// request is one lock that is wanted.
type request struct {
	fh   nfs3.FH
	cred *rpc.Cred
	wait bool
	wake chan struct{} // of capacity 1: look again
	lock Lock

	// Of one that goes to the server:
	quit chan struct{} // closed when it is decided
	done chan struct{} // likewise
	// The engine's mutex guards the rest.
	decided  bool // err is how it went, or the caller has gone
	queued   bool // it waits at the server
	granting bool // the server is being told that its grant is taken: it must not be asked meanwhile
	err      error
}

// kick has r look again whether it can go on.
func (r *request) kick() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// lockHere takes a lock in the table alone.
func (e *Engine) lockHere(ctx context.Context, r *request) error {
	for {
		took, err := e.try(r)
		if took || err != nil {
			return err
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			e.mu.Lock()
			e.leaveLocked(r)
			e.mu.Unlock()
			return context.Cause(ctx)
		}
	}
}

// try takes r's lock if nobody in the table is in its way. Otherwise, if r is to
// wait, r is in the queue afterwards, and is woken when it is worth another try.
func (e *Engine) try(r *request) (took bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	free, err := e.freeLocked(r)
	if !free || err != nil {
		return false, err
	}
	return true, e.takeLocked(r)
}

// freeLocked reports whether nobody in the table is in the way of r. If
// somebody is, and there is no error, r has been put in the queue.
func (e *Engine) freeLocked(r *request) (bool, error) {
	if e.closed {
		e.leaveLocked(r)
		return false, fail("lock", r.lock.Range, syscall.ENOLCK)
	}
	s := &e.fileLocked(r.fh).spaces[e.space(r.lock.Owner.Kind)]
	if _, busy := s.held.conflict(r.lock); !busy {
		if s.crossed(r.lock) {
			s.enqueue(r)
			return false, nil
		}
		return true, nil
	}
	var err error
	switch {
	case !r.wait:
		err = fail("lock", r.lock.Range, syscall.EAGAIN)
	case e.deadlockLocked(r):
		err = fail("lock", r.lock.Range, syscall.EDEADLK)
	default:
		s.enqueue(r)
		return false, nil
	}
	e.leaveLocked(r)
	return false, err
}

// takeLocked gives r its lock.
func (e *Engine) takeLocked(r *request) error {
	f := e.fileLocked(r.fh)
	s := &f.spaces[e.space(r.lock.Owner.Kind)]
	held := s.held.set(r.lock)
	if e.held+len(held)-len(s.held) > maxHeld && len(held) > len(s.held) {
		e.leaveLocked(r)
		return fail("lock", r.lock.Range, syscall.ENOLCK)
	}
	// Who waits is woken for downgrades: what was exclusive may be shared now.
	e.setLocked(s, held)
	f.leave(r)
	return nil
}

// leaveLocked takes r out of the queue.
func (e *Engine) leaveLocked(r *request) {
	f := e.fileLocked(r.fh)
	f.leave(r)
	e.dropLocked(f)
}

// unlockHere gives bytes back in the table alone.
func (e *Engine) unlockHere(fh nfs3.FH, owner Owner, r Range) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.fileLocked(fh)
	s := &f.spaces[e.space(owner.Kind)]
	e.setLocked(s, s.held.clear(owner, r))
	e.dropLocked(f)
}
