package lock

import (
	"time"

	"github.com/gonfs/gonfs/nlm"
)

// How a lock that another holds is waited for. At first it is asked for again
// and again, and the server does not hear that somebody waits: most locks are
// held for a moment. Then it waits at the server, which calls back, and is polled
// for in case it does not.
//
// The first is for the server's sake. nfs-ganesha 4.3 serves its queue one
// callback after the other, and waits 5 s for the answer to one whose lock was
// had in another way meanwhile, by a poll or by CANCEL; while it does, others
// are had by polls, too, and it never gets out of it as long as there is
// contention: 4 processes of 2 hosts that took turns 2,000 times were at one turn
// a second after a while. So a lock that a poll finds where a callback should
// have come has everybody poll without waiting at the server for a while.
const (
	spinFirst = 2 * time.Millisecond // doubled each time
	spinLast  = 16 * time.Millisecond
	spinTime  = 150 * time.Millisecond // in all; then it waits at the server

	pollFirst = time.Second // while it waits there, doubled each time
	pollLast  = 4 * time.Second

	stallTime = 30 * time.Second       // without waiting at a server that does not call back as it should
	stallLast = 100 * time.Millisecond // longest pause then

	graceFirst = time.Second // in a grace period
	graceLast  = 5 * time.Second
	downFirst  = 500 * time.Millisecond // while the server is away
	downLast   = 5 * time.Second
)

// pace is how a request that waits has been asked for so far.
type pace struct {
	pause  time.Duration // the last one
	spun   time.Duration // pauses without waiting at the server, in all
	block  bool          // the last LOCK said that it would wait there
	queued bool          // and it does
	news   bool          // something has happened that may have made the lock free
}

// waitsThere reports whether the next LOCK is to say that it waits.
func (p *pace) waitsThere(mode callMode) bool {
	return mode == called && (p.queued || p.spun >= spinTime)
}

// next returns the pause after an answer that did not grant the lock.
func (p *pace) next(stat nlm.Stats, mode callMode) time.Duration {
	first, last := spinFirst, spinLast
	switch {
	case stat == nlm.DeniedGracePeriod:
		first, last = graceFirst, graceLast
	case p.block: // DENIED comes from servers that do not let anybody wait
		p.queued = stat == nlm.Blocked
		first, last = pollFirst, pollLast
	case mode == stalled:
		last = stallLast
	case mode == uncalled:
		last = pollLast
	}
	p.pause = nextPause(p.pause, first, last)
	if !p.block {
		p.spun += p.pause
	}
	return p.pause
}

// missed reports whether the lock was had by a poll although the server had it
// in its queue, and should have called.
func (p *pace) missed() bool { return p.queued && !p.news }

// callMode is whether the server can be expected to call back.
type callMode uint8

const (
	called   callMode = iota // it calls
	uncalled                 // nobody on this host can be called
	stalled                  // it did not lately
)

// mode returns what is to be expected now.
func (e *Engine) mode() callMode {
	switch {
	case !e.callable.Load() && !e.calledBack.Load():
		return uncalled
	case int64(time.Since(e.born)) < e.stalledUntil.Load():
		return stalled
	}
	return called
}

// stall notes that the server does not call back as it should.
func (e *Engine) stall() { e.stalledUntil.Store(int64(time.Since(e.born) + stallTime)) }

// nextPause doubles a pause, from first to last.
func nextPause(was, first, last time.Duration) time.Duration { return min(max(2*was, first), last) }
