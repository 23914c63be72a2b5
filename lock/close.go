package lock

import (
	"context"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
)

// unlockers is how many owners' locks Close gives back at once.
const unlockers = 16

// Close gives all locks back, ends what waits, with ENOLCK, and all goroutines.
// If ctx ends first, the rest is left to the server, and the journal, if there
// is one, to whoever mounts next. The error is that of ctx.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	var all []holding
	for fh, f := range e.files {
		for o := range f.parties {
			all = append(all, holding{fh, o})
		}
		for _, r := range f.asking {
			r.decideLocked(fail("lock", r.lock.Range, syscall.ENOLCK))
		}
		for i := range f.spaces {
			for _, r := range f.spaces[i].waiting {
				r.kick()
			}
		}
	}
	e.mu.Unlock()
	if e.caller == nil {
		e.end()
		return nil
	}
	done := make(chan struct{})
	go func() { // ends when all is given back, or with the engine's life
		defer close(done)
		e.giveBack(all)
		e.jobs.Wait()
	}()
	err := rpc.Wait(ctx, done)
	e.end()
	e.caller.close()
	<-done
	e.stop(err == nil)
	e.journal.close(err == nil)
	return err
}

// giveBack unlocks all of owners at files.
func (e *Engine) giveBack(all []holding) {
	var g errgroup.Group
	g.SetLimit(unlockers)
	for _, h := range all {
		g.Go(func() error { // ends with the server's answer, or the engine's life
			e.insist(h.fh, h.owner, nil, func(p *party) (nlm.Stats, error) {
				e.mu.Lock()
				held := e.fileLocked(h.fh).spaces[e.space(h.owner.Kind)].held.of(h.owner, WholeFile)
				e.mu.Unlock()
				if len(held) == 0 { // a request that has just ended
					return nlm.Granted, nil
				}
				stat, err := e.sendUnlock(p, h.fh, WholeFile)
				if err == nil && stat != nlm.DeniedGracePeriod {
					e.unlockHere(h.fh, h.owner, WholeFile)
				}
				return stat, err
			})
			return nil
		})
	}
	_ = g.Wait()
}
