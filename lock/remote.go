package lock

import (
	"context"
	"slices"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
)

// lockThere takes a lock at the server, and in the table when the server has
// granted it. The work is done by a goroutine of its own, which outlives the
// caller where something must be taken back.
func (e *Engine) lockThere(ctx context.Context, r *request) error {
	r.quit, r.done = make(chan struct{}), make(chan struct{})
	if !e.begin() {
		return fail("lock", r.lock.Range, syscall.ENOLCK)
	}
	go func() { // ends when nothing of the request is left to do, or the engine ends
		defer e.jobs.Done()
		e.obtain(r)
	}()
	var err error
	if r.wait { // fcntl(2): F_SETLKW ends at any signal that is caught
		select {
		case <-r.done:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	} else {
		err = rpc.Wait(ctx, r.done)
	}
	if err != nil && e.abandon(r) {
		return err
	}
	<-r.done
	return r.err
}

// abandon ends r, unless it has its lock or its error already.
func (e *Engine) abandon(r *request) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return r.decideLocked(nil)
}

// finish tells the caller how it went, unless he has gone.
func (e *Engine) finish(r *request, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r.decideLocked(err)
}

// decideLocked ends r with err, once; it reports whether it did.
func (r *request) decideLocked(err error) bool {
	if r.decided {
		return false
	}
	r.decided, r.err = true, err
	close(r.quit)
	close(r.done)
	return true
}

// obtain goes on until r has its lock, has failed, or is abandoned. In the last
// two cases it leaves the server as it was. It is in the file's list of those
// who ask before the server hears of it: the grant may come before the answer.
func (e *Engine) obtain(r *request) {
	e.mu.Lock()
	f := e.fileLocked(r.fh)
	f.asking = append(f.asking, r)
	// Between two attempts the owner must not become another one.
	p := e.joinLocked(f, r.lock.Owner, r.cred)
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		unask(f, r)
		e.partLocked(f, r.lock.Owner, p)
	}()

	var a attempt
	for {
		if !e.unhindered(r) {
			break
		}
		a.stat, a.err = 0, nil
		on := e.inTurn(r.quit, r.fh, r.lock.Owner, r.cred, func(p *party) { e.attempt(r, p, &a) })
		e.answered(r)
		if !on {
			break
		}
		pause, err := e.judge(r, &a)
		switch {
		case a.taken:
			return
		case a.local:
			e.obtainHere(r)
			return
		}
		if err != nil {
			e.finish(r, err)
			break
		}
		if pause >= 0 {
			if on, a.news = e.pause(r, pause); !on {
				break
			}
			if a.news { // if it is not ours yet, then in a moment
				a.pause = 0
			}
		}
	}
	errno := syscall.EIO // a server that may have restarted is away
	if e.life.Err() != nil {
		errno = syscall.ENOLCK
	}
	e.finish(r, fail("lock", r.lock.Range, errno))
	if a.unsure {
		e.restore(r)
	}
}

// attempt is what is known of r at the server.
type attempt struct {
	stat   nlm.Stats
	err    error // of the call: it is not known what the server did
	taken  bool  // the lock is in the table
	full   error // granted, but there is no room in the table
	local  bool  // the mount does without the server from now on
	unsure bool  // the server may hold or keep something of it
	pace
}

// attempt asks the server once. It is called in the owner's turn, so that the
// table and the server change in the same order.
func (e *Engine) attempt(r *request, p *party, a *attempt) {
	e.journal.note(r.fh, p.svid)
	a.block = r.wait && a.waitsThere(e.mode())
	e.mu.Lock()
	r.queued = a.block
	e.mu.Unlock()
	if a.queued && !a.block {
		if a.stat, a.err = e.sendCancel(r, p); a.err != nil || a.stat == nlm.DeniedGracePeriod {
			return
		}
		a.queued, a.pause = false, 0
	}
	was := a.unsure
	a.unsure = true
	a.stat, a.err = e.callLock(r, p, a.block)
	switch {
	case a.err != nil:
		a.unsure = e.caller.reached.Load()
	case a.stat == nlm.Granted:
		if a.missed() {
			e.stall()
		}
		a.taken, a.full = e.accept(r)
	case a.stat == nlm.Blocked:
	default:
		a.unsure = was && r.wait // a request that was Blocked once may still be
	}
}

// accept puts a lock that the server has granted into the table.
func (e *Engine) accept(r *request) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.decided { // the caller has gone
		return false, nil
	}
	if err := e.takeLocked(r); err != nil {
		return false, err
	}
	return r.decideLocked(nil), nil
}

// pause waits until it is time to ask again: the pause is over, or there is
// news. on is false if r was abandoned or the engine ended.
func (e *Engine) pause(r *request, d time.Duration) (on, news bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			e.mu.Lock()
			granting := r.granting
			e.mu.Unlock()
			if granting { // news will come
				t.Reset(resTime)
				continue
			}
			return true, false
		case <-r.wake:
			return true, true
		case <-r.quit:
		case <-e.life.Done():
		}
		return false, false
	}
}

// unhindered waits until nobody in the table is in r's way, nor may be in a
// moment: the daemon's own queue comes before the server's. r is among those who
// call the server then, until answered. It reports false if r was decided
// meanwhile.
func (e *Engine) unhindered(r *request) bool {
	for {
		e.mu.Lock()
		if r.decided {
			e.mu.Unlock()
			return false
		}
		free, err := e.freeLocked(r)
		if free {
			f := e.fileLocked(r.fh)
			s := &f.spaces[e.space(r.lock.Owner.Kind)]
			s.calling = append(s.calling, r)
			f.leave(r)
		}
		e.mu.Unlock()
		if err != nil {
			e.finish(r, err)
		}
		if free || err != nil {
			return free
		}
		select {
		case <-r.wake:
			continue
		case <-r.quit:
		case <-e.life.Done():
		}
		e.mu.Lock()
		e.leaveLocked(r)
		e.mu.Unlock()
		return false
	}
}

// answered ends what unhindered began.
func (e *Engine) answered(r *request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.fileLocked(r.fh)
	for i := range f.spaces { // locks=auto may have moved its kind to another one
		s := &f.spaces[i]
		if i := slices.Index(s.calling, r); i >= 0 {
			s.calling = slices.Delete(s.calling, i, i+1)
			s.wake()
		}
	}
}

// obtainHere is obtain without the server, which has turned out to have no lock
// manager.
func (e *Engine) obtainHere(r *request) {
	for {
		e.mu.Lock()
		if r.decided {
			e.leaveLocked(r)
			e.mu.Unlock()
			return
		}
		free, err := e.freeLocked(r)
		if free {
			err = e.takeLocked(r)
		}
		if free || err != nil {
			r.decideLocked(err)
		}
		e.mu.Unlock()
		select {
		case <-r.wake:
		case <-r.quit:
		}
	}
}

// unask takes r out of the list of those who ask.
func unask(f *file, r *request) {
	if i := slices.Index(f.asking, r); i >= 0 {
		f.asking = slices.Delete(f.asking, i, i+1)
	}
}
