package lock

import (
	"syscall"
	"time"

	"github.com/gonfs/gonfs/nlm"
)

// judge decides what follows on an answer: the end, with an error, or another
// attempt after a pause. A negative pause is none at all.
func (e *Engine) judge(r *request, a *attempt) (time.Duration, error) {
	if a.err == nil {
		e.heard(a.stat)
	}
	switch {
	case a.err != nil:
		return e.judgeFailure(r, a)
	case a.stat == nlm.Granted:
		return -1, a.full
	case a.stat == nlm.Denied && !r.wait:
		return 0, e.refused(r, syscall.EAGAIN, nil)
	case a.stat == nlm.Blocked && !r.wait:
		return 0, e.refused(r, syscall.EAGAIN, nil)
	case a.stat == nlm.Blocked, a.stat == nlm.Denied, a.stat == nlm.DeniedGracePeriod:
		return a.next(a.stat, e.mode()), nil
	}
	return 0, e.refused(r, a.stat.Errno(), a.stat)
}

// judgeFailure decides what follows on a call without an answer.
func (e *Engine) judgeFailure(r *request, a *attempt) (time.Duration, error) {
	switch {
	case e.life.Err() != nil:
		return 0, e.refused(r, syscall.ENOLCK, nil)
	case e.caller.absent(a.err):
		a.unsure = false // nothing was sent
		if e.goLocal(a.err) {
			a.local = true
			return -1, nil
		}
		return 0, e.refused(r, syscall.ENOLCK, a.err)
	case !e.caller.server.Hard:
		return 0, e.refused(r, syscall.EIO, a.err)
	}
	e.waits(a.err)
	a.pause = nextPause(a.pause, downFirst, downLast)
	return a.pause, nil
}

func (e *Engine) refused(r *request, errno syscall.Errno, cause error) error {
	return &Error{Op: "lock", Range: r.lock.Range, Errno: errno, Cause: cause}
}
