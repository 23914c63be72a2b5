package lock

import (
	"context"
	"encoding/binary"
	"errors"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
)

// wire is the lock of svid as the server is told of it.
func (e *Engine) wire(fh nfs3.FH, svid int32, r Range) nlm.Lock {
	l := nlm.Lock{CallerName: e.machine, FH: fh.Bytes(), OH: e.oh, Svid: svid}
	l.Offset, l.Length = nlm.Extent(r.Start, r.End)
	return l
}

// cookie is new for each call. Four bytes: servers of Linux take 32 at most.
func (e *Engine) cookie() []byte { return binary.BigEndian.AppendUint32(nil, e.lastCookie.Add(1)) }

// callLock sends LOCK for r, or NM_LOCK where the server cannot monitor.
func (e *Engine) callLock(r *request, p *party, block bool) (nlm.Stats, error) {
	e.watch()
	return e.sendLock(p, r.fh, r.lock.Range, r.lock.Type, block, false)
}

// sendLock sends LOCK. A server that denies it for want of a status monitor is
// asked with NM_LOCK, and from then on always: a lock that the server does not
// drop when this host crashes is better than none, and the journal has it
// dropped by whoever mounts next.
func (e *Engine) sendLock(p *party, fh nfs3.FH, r Range, t Type, block, reclaim bool) (nlm.Stats, error) {
	args := nlm.LockArgs{Cookie: e.cookie(), Block: block, Exclusive: t == Exclusive, Lock: e.wire(fh, p.svid, r), Reclaim: reclaim, State: e.state()}
	unmonitored := e.unmonitored.Load()
	var stat nlm.Stats
	err := e.caller.call(e.life, func(ctx context.Context, c *nlm.Client) (err error) {
		if !unmonitored {
			stat, err = c.Lock(ctx, p.cred, &args)
		}
		if err == nil && (unmonitored || stat == nlm.DeniedNolocks) {
			var without nlm.Stats
			if without, err = c.NMLock(ctx, p.cred, &args); err != nil {
				return err
			}
			if !unmonitored && without != nlm.DeniedNolocks && without != nlm.Failed {
				e.withoutMonitor()
			}
			stat = without
		}
		return err
	})
	return stat, err
}

// withoutMonitor notes that the server grants with NM_LOCK only.
func (e *Engine) withoutMonitor() {
	if !e.unmonitored.Swap(true) {
		e.log.Warn("the server has no status monitor (rpc.statd) for its locks: if this host crashes they stay until it mounts again",
			"server", e.caller.server.Name)
	}
}

// sendUnlock sends UNLOCK.
func (e *Engine) sendUnlock(p *party, fh nfs3.FH, r Range) (stat nlm.Stats, err error) {
	args := nlm.UnlockArgs{Cookie: e.cookie(), Lock: e.wire(fh, p.svid, r)}
	err = e.caller.call(e.life, func(ctx context.Context, c *nlm.Client) (err error) {
		stat, err = c.Unlock(ctx, p.cred, &args)
		return err
	})
	return stat, err
}

// sendCancel sends CANCEL for r.
func (e *Engine) sendCancel(r *request, p *party) (stat nlm.Stats, err error) {
	args := nlm.CancelArgs{Cookie: e.cookie(), Block: true, Exclusive: r.lock.Type == Exclusive, Lock: e.wire(r.fh, p.svid, r.lock.Range)}
	err = e.caller.call(e.life, func(ctx context.Context, c *nlm.Client) (err error) {
		stat, err = c.Cancel(ctx, p.cred, &args)
		return err
	})
	return stat, err
}

// testThere asks the server who is in the way of l.
func (e *Engine) testThere(ctx context.Context, fh nfs3.FH, cred *rpc.Cred, l Lock) (*Lock, error) {
	e.mu.Lock()
	f := e.fileLocked(fh)
	p := e.joinLocked(f, l.Owner, nil)
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.partLocked(f, l.Owner, p)
		e.mu.Unlock()
	}()
	args := nlm.TestArgs{Exclusive: l.Type == Exclusive, Lock: e.wire(fh, p.svid, l.Range)}
	var pause time.Duration
	for {
		args.Cookie = e.cookie()
		var stat nlm.Stats
		var holder *nlm.Holder
		err := e.caller.call(ctx, func(ctx context.Context, c *nlm.Client) (err error) {
			stat, holder, err = c.Test(ctx, cred, &args)
			return err
		})
		switch {
		case err == nil && stat == nlm.Granted:
			return nil, nil
		case err == nil && stat == nlm.Denied:
			return fromHolder(holder), nil
		case err == nil && stat == nlm.DeniedGracePeriod:
			e.heard(stat)
			pause = nextPause(pause, graceFirst, graceLast)
		case err == nil:
			return nil, &Error{Op: "test", Range: l.Range, Errno: stat.Errno(), Cause: stat}
		case rpc.GaveUp(ctx):
			return nil, context.Cause(ctx)
		case e.caller.absent(err):
			if e.goLocal(err) {
				return nil, nil
			}
			return nil, &Error{Op: "test", Range: l.Range, Errno: syscall.ENOLCK, Cause: err}
		case !e.caller.server.Hard, errors.Is(err, rpc.ErrClosed):
			return nil, &Error{Op: "test", Range: l.Range, Errno: syscall.EIO, Cause: err}
		default:
			e.waits(err)
			pause = nextPause(pause, downFirst, downLast)
		}
		if err := rpc.Sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// fromHolder is a lock of another host, or of another daemon of this one. Whose
// process it is cannot be known: a svid is no process.
func fromHolder(h *nlm.Holder) *Lock {
	l := &Lock{Type: Shared, Range: WholeFile}
	if first, last, ok := nlm.Bounds(h.Offset, h.Length); ok {
		l.Range = Range{first, last}
	}
	if h.Exclusive {
		l.Type = Exclusive
	}
	return l
}
