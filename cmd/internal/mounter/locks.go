package mounter

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/mounttab"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nlm"
)

// newLocks returns the lock engine of a mount. Serve starts it.
func newLocks(s *mount.Session, dir string, log *slog.Logger) *lock.Engine {
	o := s.Options()
	c := lock.Config{Local: o.Locks(), Auto: o.LocksAuto.Value, Logger: log}
	if c.Local != mountopt.LocalAll {
		c.Server, c.StateDir, c.Siblings = s.LockServer(), lock.DefaultStateDir(), siblings{log}
		if c.StateDir != "" && within(dir, c.StateDir) {
			log.Warn("locks: the state directory lies in this mount, so there is none: locks stay at the server if this daemon dies, and waiting locks are polled for",
				"dir", c.StateDir)
			c.StateDir = ""
		}
	}
	return lock.New(c)
}

// within reports whether path, as far as it is there, leads into dir, which is
// free of symbolic links. A daemon that locks a file of its own mount waits for
// itself.
func within(dir, path string) bool {
	rest := ""
	for {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			rel, err := filepath.Rel(dir, filepath.Join(real, rest))
			return err == nil && filepath.IsLocal(rel)
		}
		if path == filepath.Dir(path) {
			return false
		}
		path, rest = filepath.Dir(path), filepath.Join(filepath.Base(path), rest)
	}
}

// endLocks gives all locks back.
func (l *live) endLocks() {
	ctx, cancel := context.WithTimeout(context.Background(), lockTime)
	defer cancel()
	if err := l.locks.Close(ctx); err != nil {
		l.log.Warn("not all locks were given back; the next mount does it", "dir", l.dir, "err", err)
	}
}

// Locks implements mounttab.LockHandler.
func (l *live) Locks() mounttab.Locks {
	s := l.locks.Status()
	out := mounttab.Locks{
		Local: s.Local.String(), Reclaimed: s.Reclaimed,
		Agent: s.Agent, CalledBack: s.CalledBack, Unmonitored: s.Unmonitored, Recovering: s.Recovering, State: s.State,
	}
	for _, h := range s.Held {
		out.Held = append(out.Held, l.lockOf(h.FH, h.Lock, h.Svid))
	}
	for _, w := range s.Waiting {
		out.Wait = append(out.Wait, l.lockOf(w.FH, w.Lock, w.Svid))
	}
	for _, x := range s.Lost {
		k := l.lockOf(x.FH, x.Lock, 0)
		k.At = x.At
		out.Lost = append(out.Lost, k)
	}
	for _, p := range s.Peers {
		out.Peers = append(out.Peers, mounttab.LockPeer{Name: p.Name, Addr: p.Addr.String(), Statd: p.Statd})
	}
	return out
}

// lockOf is a lock as it is told.
func (l *live) lockOf(fh nfs3.FH, k lock.Lock, svid int32) mounttab.Lock {
	out := mounttab.Lock{
		Path: l.fs.PathOf(fh), FH: fh.String(), Kind: k.Owner.Kind.String(), Type: k.Type.String(), Start: k.Range.Start, PID: k.PID, Svid: svid,
	}
	if k.Range.End != lock.EOF {
		out.End = &k.Range.End
	}
	return out
}

// Granted implements mounttab.LockHandler.
func (l *live) Granted(g mounttab.Granted) bool {
	peer, err := netip.ParseAddr(g.Peer)
	return err == nil && l.locks.Granted(peer, &nlm.TestArgs{Cookie: g.Cookie, Exclusive: g.Exclusive,
		Lock: nlm.Lock{FH: g.FH, OH: g.OH, Svid: g.Svid, Offset: g.Offset, Length: g.Length}}, g.Async)
}

// Rebooted implements mounttab.LockHandler.
func (l *live) Rebooted(r mounttab.Rebooted) {
	if peer, err := netip.ParseAddr(r.Peer); err == nil {
		l.locks.Rebooted(peer, r.Name)
	}
}

// siblings are the other daemons of this user on this host; root's are
// everybody's.
type siblings struct{ log *slog.Logger }

// Granted implements lock.Siblings.
func (s siblings) Granted(ctx context.Context, peer netip.Addr, a *nlm.TestArgs, async bool) bool {
	ctx, stop := context.WithCancel(ctx) // the first yes is enough
	defer stop()
	l := &a.Lock
	req := mounttab.Request{Op: mounttab.OpGranted, Granted: &mounttab.Granted{
		Peer: peer.String(), Async: async, Cookie: a.Cookie, FH: l.FH, OH: l.OH, Svid: l.Svid, Exclusive: a.Exclusive, Offset: l.Offset, Length: l.Length,
	}}
	var mu sync.Mutex // guards taken
	taken := false
	s.each(ctx, req, func(resp *mounttab.Response) {
		if resp.Taken {
			mu.Lock()
			taken = true
			mu.Unlock()
			stop()
		}
	})
	return taken
}

// Rebooted implements lock.Siblings.
func (s siblings) Rebooted(ctx context.Context, peer netip.Addr, name string, state int32) {
	req := mounttab.Request{Op: mounttab.OpRebooted, Rebooted: &mounttab.Rebooted{Peer: peer.String(), Name: name, State: state}}
	s.each(ctx, req, func(*mounttab.Response) {})
}

// each asks all of them at once, and waits for the answers. Who does not answer
// until ctx ends, or has just ended, has said nothing.
func (s siblings) each(ctx context.Context, req mounttab.Request, answered func(*mounttab.Response)) {
	all, err := Records()
	if err != nil {
		s.log.Warn("other daemons cannot be asked about locks", "err", err)
		return
	}
	var wg sync.WaitGroup
	for _, rec := range all {
		if rec.PID == os.Getpid() {
			continue
		}
		wg.Go(func() { // ends with its answer, or ctx
			if resp, err := mounttab.Call(ctx, rec, req); err == nil {
				answered(resp)
			}
		})
	}
	wg.Wait()
}
