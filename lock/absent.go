package lock

import (
	"errors"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// absentFor is for how long a server without a lock manager is not asked again:
// programs that lock often would ask rpcbind each time.
const absentFor = 5 * time.Second

// absent reports whether err says that the server has no lock manager, rather
// than that it is away for a moment: it has never answered, and its rpcbind
// does not know it, or is not there either. Calls fail with the same error for
// a while then.
func (c *caller) absent(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spoken || !absence(err) {
		return false
	}
	if now := time.Now(); now.After(c.absentUntil) {
		c.absentUntil, c.absentErr = now.Add(absentFor), err
	}
	return true
}

// absence reports whether err can mean that there is no lock manager.
func absence(err error) bool {
	if errors.Is(err, rpc.ErrClosed) {
		return false
	}
	return errors.Is(err, portmap.ErrNotRegistered) || errors.Is(err, portmap.ErrBadAnswer) || errors.As(err, new(*noRpcbindError)) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, new(*rpc.AcceptError))
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
