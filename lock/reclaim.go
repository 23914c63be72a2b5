package lock

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
)

// How a restart of the server is looked for, and answered.
const (
	idleProbe    = 30 * time.Second // without a word of the server while a lock is held
	reclaimers   = 8                // owners whose locks are reclaimed at once
	reclaimPause = time.Second      // most of the wait for a server that is coming back: grace periods are short
	graceTries   = 10               // of a reclaim that is refused with "grace period" in a grace period
)

// Suspect tells that the server may have restarted: its write verifier has
// changed, or its NSM says so. The locks that are held are looked at, and
// reclaimed if the server has forgotten them; no new ones are asked for
// meanwhile. Whoever says it needs not be right, nor even be believed. Suspect
// does not wait.
func (e *Engine) Suspect(reason string) {
	if e.caller == nil || !e.begin() {
		return
	}
	e.mu.Lock()
	e.suspected++
	first := e.suspected == 1
	if first {
		e.recovering = make(chan struct{})
	}
	e.mu.Unlock()
	if !first { // it is being looked at, and will be once more
		e.jobs.Done()
		return
	}
	go func() { // ends when all locks have been looked at, or the engine ends
		defer e.jobs.Done()
		e.recover(reason)
	}()
}

// recover looks at all locks until nobody has suspected anything meanwhile.
func (e *Engine) recover(reason string) {
	var pause time.Duration
	for {
		e.mu.Lock()
		seen := e.suspected
		e.mu.Unlock()
		n, lost := e.reclaimAll()
		if n > 0 {
			e.log.Warn("the server has restarted: locks were reclaimed", "server", e.caller.server.Name, "reason", reason, "reclaimed", n-lost, "lost", lost)
		}
		e.mu.Lock()
		if e.suspected == seen || e.life.Err() != nil {
			break
		}
		e.mu.Unlock()
		// False alarms in a row: it may be looking that raises them.
		if pause = nextPause(pause, reclaimPause/64, reclaimPause); n > 0 {
			pause = 0
		}
		_ = rpc.Sleep(e.life, pause) // its end is seen above
	}
	defer e.mu.Unlock()
	e.suspected, e.graceKnown = 0, true
	close(e.recovering)
	e.recovering = nil
	for _, f := range e.files { // the server does not know any more that they wait
		for _, r := range f.asking {
			r.kick()
		}
	}
}

// holding is an owner at a file.
type holding struct {
	fh    nfs3.FH
	owner Owner
}

// holdsLocked reports whether a lock is held that the server knows of.
func (e *Engine) holdsLocked() bool {
	for _, f := range e.files {
		for o := range f.parties {
			if len(f.spaces[e.space(o.Kind)].held.of(o, WholeFile)) > 0 {
				return true
			}
		}
	}
	return false
}

// reclaimAll reclaims what the server has forgotten, and returns how many locks
// that were, and how many of them are lost.
func (e *Engine) reclaimAll() (forgotten, lost int) {
	// Those without a lock too: an answer may be on its way that gives one.
	e.mu.Lock()
	var all []holding
	for fh, f := range e.files {
		for o := range f.parties {
			all = append(all, holding{fh, o})
		}
	}
	e.mu.Unlock()
	var mu sync.Mutex // guards the results
	var g errgroup.Group
	g.SetLimit(reclaimers)
	for _, h := range all {
		g.Go(func() error { // ends with the owner's locks, or the engine
			f, l := e.reclaimOwner(h)
			mu.Lock()
			defer mu.Unlock()
			forgotten, lost = forgotten+f, lost+l
			return nil
		})
	}
	_ = g.Wait() // there are no errors: what fails is lost
	return forgotten, lost
}

// reclaimOwner reclaims the locks of one owner at one file, in his turn.
func (e *Engine) reclaimOwner(h holding) (forgotten, lost int) {
	e.mu.Lock()
	f := e.fileLocked(h.fh)
	p := e.joinLocked(f, h.owner, nil)
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.partLocked(f, h.owner, p)
		e.mu.Unlock()
	}()
	select {
	case p.turn <- struct{}{}:
	case <-e.life.Done():
		return 0, 0
	}
	defer func() { <-p.turn }()
	e.mu.Lock()
	locks := f.spaces[e.space(h.owner.Kind)].held.of(h.owner, WholeFile)
	e.mu.Unlock()
	for _, l := range locks {
		fate, why := e.reclaim(h.fh, p, l)
		switch fate {
		case reclaimed:
			forgotten++
			e.reclaims.Add(1)
		case gone:
			forgotten, lost = forgotten+1, lost+1
			e.lose(h, l, why)
		}
	}
	return forgotten, lost
}

// fate is what becomes of a lock when the server may have restarted.
type fate uint8

const (
	alive     fate = iota // the server has it still
	reclaimed             // the server had forgotten it, and took it back
	gone                  // it is lost
)

// reclaim looks at one lock: a stranger asks the server whether it is free. It
// is ours still if we are named as the holder. In a grace period the server
// does not tell, and the lock is reclaimed; that is safe to do too often.
func (e *Engine) reclaim(fh nfs3.FH, p *party, l Lock) (fate, error) {
	var pause time.Duration
	for tries := 0; ; {
		probe, holder, err := e.probe(fh, p, l)
		if err == nil && probe == nlm.Denied && e.ours(holder) {
			return alive, nil
		}
		var stat nlm.Stats
		if err == nil {
			stat, err = e.sendLock(p, fh, l.Range, l.Type, false, true)
		}
		switch {
		case e.life.Err() != nil:
			return alive, nil // nobody needs to know any more
		case errors.Is(err, rpc.ErrClosed):
			return alive, nil
		case err != nil:
			pause = nextPause(pause, reclaimPause/4, reclaimPause)
		case stat == nlm.Granted:
			return reclaimed, nil
		case stat == nlm.DeniedGracePeriod && probe == nlm.DeniedGracePeriod && tries < graceTries:
			tries++
			pause = reclaimPause
		default:
			return gone, stat
		}
		_ = rpc.Sleep(e.life, pause) // its end is seen above
	}
}

// probe asks, as an owner that does not exist, whether the bytes of l are free.
func (e *Engine) probe(fh nfs3.FH, p *party, l Lock) (stat nlm.Stats, h *nlm.Holder, err error) {
	args := nlm.TestArgs{Cookie: e.cookie(), Exclusive: true, Lock: e.wire(fh, 0, l.Range)}
	err = e.caller.call(e.life, func(ctx context.Context, c *nlm.Client) (err error) {
		stat, h, err = c.Test(ctx, p.cred, &args)
		return err
	})
	return stat, h, err
}

// ours reports whether a holder is an owner of this engine. Servers of Linux
// leave oh out.
func (e *Engine) ours(h *nlm.Holder) bool {
	if len(h.OH) > 0 && string(h.OH) != string(e.oh) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, known := e.bySvid[h.Svid]
	return known
}

// lose takes a lock out of the table that the server has not given back, and
// says so to everybody who should know.
func (e *Engine) lose(h holding, l Lock, why error) {
	e.log.Error("a lock was lost in a restart of the server: what is read and written under it fails with EIO until the file is closed",
		"server", e.caller.server.Name, "file", h.fh, "bytes", l.Range, "type", l.Type, "pid", l.PID, "error", why)
	e.unlockHere(h.fh, h.owner, l.Range)
	e.mu.Lock()
	if e.lostLocks = append(e.lostLocks, LostLock{h.fh, l, time.Now()}); len(e.lostLocks) > maxLost {
		e.lostLocks = e.lostLocks[1:]
	}
	tell := e.lost
	e.mu.Unlock()
	if tell != nil {
		tell(h.fh, h.owner)
	}
}

// LostLock is a lock that is lost, as OnLost told.
type LostLock struct {
	FH   nfs3.FH
	Lock Lock
	At   time.Time
}

// maxLost is how many lost locks are remembered for Status.
const maxLost = 1024

// heard notes an answer of the server. In a grace period it has restarted; that
// is news if locks are held, and it was not known.
func (e *Engine) heard(stat nlm.Stats) {
	e.mu.Lock()
	e.lastHeard = time.Now()
	news := stat == nlm.DeniedGracePeriod && !e.graceKnown && e.holdsLocked()
	e.graceKnown = stat == nlm.DeniedGracePeriod && e.graceKnown
	e.mu.Unlock()
	if news {
		e.Suspect("it is in a grace period")
	}
}

// disconnected is called when a connection to the lock manager has ended.
func (e *Engine) disconnected() {
	e.mu.Lock()
	e.graceKnown = false
	held := e.holdsLocked()
	e.mu.Unlock()
	if held {
		e.Suspect("the connection to its lock manager was lost")
	}
}

// keep asks after the locks that are held, if the server has not been heard
// from for a while. It ends with the engine.
func (e *Engine) keep() {
	for rpc.Sleep(e.life, idleProbe) == nil {
		e.mu.Lock()
		idle := e.holdsLocked() && time.Since(e.lastHeard) >= idleProbe
		if idle {
			e.lastHeard = time.Now()
		}
		e.mu.Unlock()
		if idle {
			e.Suspect("it was not heard from for a while")
		}
	}
}
