package lock

import (
	"errors"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

const (
	// absentFor is for how long a server without a lock manager is not asked
	// again: programs that lock often would ask rpcbind each time.
	absentFor = 5 * time.Second
	// refusedFor is for how long rpcbind, or the lock manager, must refuse
	// connections to be missing: it may be starting. Linux asks a hard mount's
	// rpcbind each 5 s for ever (net/sunrpc/clnt.c: call_bind_status), also if it
	// says that there is no lock manager: flock(2) hangs then.
	refusedFor = 5 * time.Second
	// startFor is for how long a server that refused or was silent may be
	// starting: its rpcbind answers some time before it knows of the lock manager.
	startFor = time.Minute
	// signGap is the longest time between two signs of the same: more than a
	// pause and an attempt.
	signGap = 2 * (downLast + rpcbindTime)
)

// absent reports whether err says that the server has no lock manager, rather
// than that it is away for a moment: it has never answered, and somebody there
// said so. Nobody did where rpcbind is merely silent: a lock that is kept here
// while others have it from the server would protect nothing. Calls fail with
// the same error for a while then.
func (c *caller) absent(err error) bool {
	if errors.Is(err, rpc.ErrClosed) { // by another call that failed, or with the engine
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.signs.say(absence(err), now, c.server.Hard) || c.spoken {
		return false
	}
	if now.After(c.absentUntil) {
		c.absentUntil, c.absentErr = now.Add(absentFor), err
	}
	return true
}

// evidence is what an error of a call tells of the lock manager.
type evidence uint8

const (
	unknown evidence = iota // nothing: no answer came, or none that says it
	refused                 // a port that nobody listens at
	denied                  // rpcbind, or whoever has its port, says that there is none
)

func absence(err error) evidence {
	var accept *rpc.AcceptError
	switch {
	case errors.Is(err, portmap.ErrNotRegistered), errors.Is(err, portmap.ErrBadAnswer):
		return denied
	case errors.As(err, &accept):
		if accept.Stat != rpc.SystemErr && accept.Stat != rpc.GarbageArgs { // these say that it is there
			return denied
		}
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	}
	return unknown
}

// signs is what the errors told of the lock manager, one after the other.
type signs struct {
	what        evidence
	since, last time.Time // of what, without anything else between
	away        time.Time // when the server refused or was silent last
}

// say takes the next one, and reports whether they say by now that there is no
// lock manager. On a hard mount it must be the same for refusedFor: that a port
// is refused, or that rpcbind denies it after the server was away. Once it was
// for so long, it counts until something else is heard.
func (s *signs) say(what evidence, now time.Time, hard bool) bool {
	lasted := s.last.Sub(s.since) >= refusedFor
	if what != s.what || !lasted && now.Sub(s.last) > signGap {
		s.what, s.since = what, now
	}
	s.last = now
	if what != denied {
		s.away = now
	}
	lasted = now.Sub(s.since) >= refusedFor
	switch {
	case what == unknown:
		return false
	case !hard, lasted:
		return true
	}
	return what == denied && s.since.Sub(s.away) > startFor
}

// waits says once that a lock waits for a server that does not tell where its
// lock manager is, and what could be done about it.
func (e *Engine) waits(err error) {
	e.log.Debug("lock: no answer, asking again", "server", e.caller.server.Name, "error", err)
	if errors.As(err, new(*noRpcbindError)) && !e.silenceSaid.Swap(true) {
		e.log.Warn("the server's rpcbind does not answer, so its lock manager cannot be found: locks wait for it; if it has none, mount with nolock",
			"server", e.caller.server.Name, "error", err)
	}
}

// goLocal notes that the server has no lock manager, and says so once. It
// reports whether the mount does without from now on.
func (e *Engine) goLocal(err error) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	first := !e.absentSaid
	e.absentSaid = true
	if e.auto {
		e.local = mountopt.LocalAll
	}
	switch {
	case !first:
	case e.auto:
		e.log.Warn("the server has no lock manager: locks are kept on this host only, and other clients do not see them (locks=auto)",
			"server", e.caller.server.Name, "error", err)
	default:
		e.log.Error("the server has no lock manager (NLM): locks fail with ENOLCK; mount with nolock or locks=auto to keep them on this host only",
			"server", e.caller.server.Name, "error", err)
	}
	return e.auto
}
