package lock

import (
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// party is an owner at a file, as the server knows him. It is there as long as
// he holds a lock there or something of his is under way, so that a number is not
// given to another while the server may still know it.
type party struct {
	svid int32
	turn chan struct{} // whoever holds its one token may call: one call at a time
	// The engine's mutex guards the rest.
	users int       // for how many requests it must not end
	cred  *rpc.Cred // of the last lock; nil is the mount's
}

// softWait is how long a mount that is not hard waits for a server that may
// have restarted: as long as for an answer.
const softWait = 2 * timeoTCP

// identity is the number of an owner, which is the same at all files.
type identity struct {
	svid    int32
	parties int
}

// joinLocked returns the party of owner at f, for one more user. cred replaces
// the credential if it is not nil.
func (e *Engine) joinLocked(f *file, owner Owner, cred *rpc.Cred) *party {
	p := f.parties[owner]
	if p == nil {
		id := e.identities[owner]
		if id == nil {
			id = &identity{svid: e.freshSvidLocked()}
			e.identities[owner], e.bySvid[id.svid] = id, owner
		}
		id.parties++
		p = &party{svid: id.svid, turn: make(chan struct{}, 1)}
		if f.parties == nil {
			f.parties = map[Owner]*party{}
		}
		f.parties[owner] = p
	}
	p.users++
	if cred != nil {
		own := *cred // the caller's may change
		p.cred = &own
	}
	return p
}

// partLocked ends one use. The party is over when nobody uses it and its owner
// holds nothing.
func (e *Engine) partLocked(f *file, owner Owner, p *party) {
	p.users--
	if p.users > 0 || e.thereLocked(owner.Kind) && len(f.spaces[e.space(owner.Kind)].held.of(owner, WholeFile)) > 0 {
		return
	}
	delete(f.parties, owner)
	if id := e.identities[owner]; id != nil {
		if id.parties--; id.parties == 0 {
			delete(e.identities, owner)
			delete(e.bySvid, id.svid)
		}
	}
	e.journal.drop(f.fh, p.svid)
	e.dropLocked(f)
}

// freshSvidLocked returns a number that no owner has. Servers of Linux know an
// owner by the host and this number alone, so it begins at a random place: two
// daemons of one host must not meet.
func (e *Engine) freshSvidLocked() int32 {
	for {
		e.lastSvid = (e.lastSvid + 1) & 0x7fffffff
		if _, used := e.bySvid[e.lastSvid]; !used && e.lastSvid > 0 {
			return e.lastSvid
		}
	}
}

// inTurn runs f when it is the turn of owner at the file, and no locks are being
// reclaimed. It reports false, without having run it, if quit was closed or the
// engine ended first; on a mount that is not hard, whoever may quit does so too
// when the server that may have restarted is away for softWait.
func (e *Engine) inTurn(quit <-chan struct{}, fh nfs3.FH, owner Owner, cred *rpc.Cred, f func(*party)) bool {
	e.mu.Lock()
	file := e.fileLocked(fh)
	p := e.joinLocked(file, owner, cred)
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.partLocked(file, owner, p)
		e.mu.Unlock()
	}()
	var late <-chan time.Time
	if quit != nil && !e.caller.server.Hard {
		t := time.NewTimer(softWait)
		defer t.Stop()
		late = t.C
	}
	for {
		select {
		case p.turn <- struct{}{}:
		case <-quit:
			return false
		case <-e.life.Done():
			return false
		}
		e.mu.Lock()
		pause := e.recovering
		e.mu.Unlock()
		if pause == nil {
			f(p)
			<-p.turn
			return true
		}
		<-p.turn
		select {
		case <-pause:
		case <-late:
			return false
		case <-quit:
			return false
		case <-e.life.Done():
			return false
		}
	}
}
