package lock

import (
	"cmp"
	"slices"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
)

// Status is what an Engine holds and waits for, and how it stands with its
// server.
type Status struct {
	Held      []FileLock
	Waiting   []FileLock
	Lost      []LostLock // the last ones, the oldest first
	Reclaimed uint64     // locks that the server took back after restarts

	Local       mountopt.LocalLock // kinds that are kept on this host, in effect
	Agent       bool               // servers call this daemon back, for all of this host
	CalledBack  bool               // the server is known to call back
	Unmonitored bool               // the server does not watch this host
	Recovering  bool               // a restart of the server is being looked into
	State       int32              // NSM state of this host; 0: it has none
	Peers       []Peer             // servers that this daemon watches
}

// FileLock is a lock of a file.
type FileLock struct {
	FH   nfs3.FH
	Lock Lock
	Svid int32 // the owner's number at the server; 0 for a lock of this host alone
}

// Status tells how things are. It does not wait for the server.
func (e *Engine) Status() Status {
	s := Status{
		Reclaimed: e.reclaims.Load(), Agent: e.agent.Load(), CalledBack: e.calledBack.Load(), Unmonitored: e.unmonitored.Load(),
	}
	if m := e.monitor.Load(); m != nil {
		s.State, s.Peers = m.State(), m.Peers()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.Local, s.Recovering, s.Lost = e.local, e.recovering != nil, slices.Clone(e.lostLocks)
	for fh, f := range e.files {
		svid := func(o Owner) int32 {
			if p := f.parties[o]; p != nil {
				return p.svid
			}
			return 0
		}
		for i := range f.spaces {
			for _, l := range f.spaces[i].held {
				s.Held = append(s.Held, FileLock{fh, l, svid(l.Owner)})
			}
			for _, r := range f.spaces[i].waiting {
				s.Waiting = append(s.Waiting, FileLock{fh, r.lock, svid(r.lock.Owner)})
			}
		}
		for _, r := range f.asking {
			if !slices.Contains(f.spaces[e.space(r.lock.Owner.Kind)].waiting, r) && !r.decided {
				s.Waiting = append(s.Waiting, FileLock{fh, r.lock, svid(r.lock.Owner)})
			}
		}
	}
	byFile := func(a, b FileLock) int {
		return cmp.Or(cmp.Compare(a.FH.String(), b.FH.String()), cmp.Compare(a.Lock.Range.Start, b.Lock.Range.Start))
	}
	slices.SortStableFunc(s.Held, byFile)
	slices.SortStableFunc(s.Waiting, byFile)
	return s
}
