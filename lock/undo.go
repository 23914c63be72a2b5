package lock

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
)

// unlockThere gives bytes back at the server, and in the table when the server
// has answered, since who waits here for them would ask too early otherwise.
// What the caller does not wait for is done all the same.
func (e *Engine) unlockThere(ctx context.Context, fh nfs3.FH, cred *rpc.Cred, owner Owner, r Range) error {
	e.mu.Lock()
	f := e.files[fh]
	nothing := f == nil || len(f.spaces[e.space(owner.Kind)].held.of(owner, r)) == 0
	e.mu.Unlock()
	if nothing {
		return nil
	}
	if !e.begin() {
		return fail("unlock", r, syscall.ENOLCK)
	}
	done := make(chan struct{})
	go func() { // ends when the server has answered, or the engine ends
		defer e.jobs.Done()
		defer close(done)
		e.insist(fh, owner, cred, func(p *party) (nlm.Stats, error) {
			stat, err := e.sendUnlock(p, fh, r)
			if err != nil || stat == nlm.DeniedGracePeriod {
				return stat, err
			}
			if stat != nlm.Granted && stat != nlm.StaleFH {
				e.log.Warn("the server did not take a lock back", "server", e.caller.server.Name, "file", fh, "bytes", r, "answer", stat)
			}
			e.unlockHere(fh, owner, r)
			e.pass(fh, r)
			return stat, nil
		})
	}()
	return rpc.Wait(ctx, done)
}

// pass has the oldest of those who want some of the bytes r, and do not wait at
// the server, ask at once: they have been given back there.
func (e *Engine) pass(fh nfs3.FH, r Range) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if f := e.files[fh]; f != nil {
		for _, q := range f.asking {
			if !q.decided && !q.queued && q.lock.Range.overlaps(r) {
				q.kick()
				return
			}
		}
	}
}

// restore makes the server hold of r's bytes what the table says that its owner
// holds, after a request that came to nothing: what waits is cancelled, what
// may have been granted is given back, and what he held before he asked, as for
// an upgrade, is asked for again, without ever being given back.
func (e *Engine) restore(r *request) {
	owner := r.lock.Owner
	e.insist(r.fh, owner, nil, func(p *party) (nlm.Stats, error) {
		if r.wait {
			if stat, err := e.sendCancel(r, p); err != nil || stat == nlm.DeniedGracePeriod {
				return stat, err
			}
		}
		e.mu.Lock()
		held := e.fileLocked(r.fh).spaces[e.space(owner.Kind)].held
		keep, gaps := held.of(owner, r.lock.Range), held.gaps(owner, r.lock.Range)
		e.mu.Unlock()
		for _, l := range keep {
			if stat, err := e.sendLock(p, r.fh, l.Range, l.Type, false, false); err != nil || stat == nlm.DeniedGracePeriod {
				return stat, err
			}
		}
		for _, g := range gaps {
			if stat, err := e.sendUnlock(p, r.fh, g); err != nil || stat == nlm.DeniedGracePeriod {
				return stat, err
			}
		}
		return nlm.Granted, nil
	})
}

// insist has f call the server in the owner's turn until it was answered, and
// not with "grace period", or the engine ends. Between two tries others have
// their turn, and locks may be reclaimed.
func (e *Engine) insist(fh nfs3.FH, owner Owner, cred *rpc.Cred, f func(*party) (nlm.Stats, error)) {
	e.mu.Lock()
	file := e.fileLocked(fh)
	p := e.joinLocked(file, owner, cred) // who stays the same from try to try
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.partLocked(file, owner, p)
	}()
	var pause time.Duration
	for {
		var stat nlm.Stats
		var err error
		if !e.inTurn(nil, fh, owner, cred, func(p *party) { stat, err = f(p) }) {
			return
		}
		switch {
		case err == nil && stat != nlm.DeniedGracePeriod:
			e.heard(stat)
			return
		case err == nil:
			e.heard(stat)
			pause = nextPause(pause, graceFirst, graceLast)
		case errors.Is(err, rpc.ErrClosed):
			return
		default:
			pause = nextPause(pause, downFirst, downLast)
		}
		if rpc.Sleep(e.life, pause) != nil {
			return
		}
	}
}
