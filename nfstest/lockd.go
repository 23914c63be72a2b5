package nfstest

import (
	"context"
	"fmt"
	"net"
	"slices"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Bounds of what clients can make the server remember.
const (
	maxLocks  = 1 << 16
	maxCookie = 32 // what Linux servers take of the 1024 bytes
)

// waiter is a LOCK that was answered with BLOCKED.
type waiter struct {
	HeldLock
	cookie []byte
	client net.Addr // who is called back
	netid  string
}

// lockd is the NLM program: an nlm.Server and nlm.Messenger.
type lockd struct{ s *Server }

// held checks what a call says of a lock. A status other than Granted is the
// answer.
func (d lockd) held(ctx context.Context, a *nlm.Lock, cookie []byte, exclusive bool) (HeldLock, nlm.Stats) {
	c := callOf(ctx)
	if len(cookie) > maxCookie {
		d.s.violate(LongCookie, c, fmt.Sprintf("%d bytes, over the %d that Linux servers take", len(cookie), maxCookie))
	}
	h := HeldLock{FH: string(a.FH), Owner: LockOwner{a.CallerName, string(a.OH), a.Svid}, Exclusive: exclusive}
	if st := c.faults.lock; st != nil {
		return h, *st
	}
	var ok bool
	if h.First, h.Last, ok = nlm.Bounds(a.Offset, a.Length); !ok {
		d.s.violate(BadRange, c, fmt.Sprintf("offset %d, length %d", a.Offset, a.Length))
		return h, nlm.FBig
	}
	return h, d.file(a.FH)
}

// file checks a handle.
func (d lockd) file(fh []byte) nlm.Stats {
	f, err := nfs3.MakeFH(fh)
	if err != nil {
		return nlm.StaleFH
	}
	var r nfs3.GetattrReply
	d.s.fsMu.Lock()
	d.s.fs.getattr(f, &r)
	d.s.fsMu.Unlock()
	switch {
	case r.Status != nfs3.OK:
		return nlm.StaleFH
	case r.Attr.Type != nfs3.TypeReg:
		return nlm.Failed
	}
	return nlm.Granted
}

// graceLocked reports whether only reclaims are taken.
func (s *Server) graceLocked() bool { return s.o.Now().Before(s.graceEnd) }

// Test is TEST (RFC 1813 section 6.3.1).
func (d lockd) Test(ctx context.Context, _ *rpc.Request, a *nlm.TestArgs, p *nlm.TestRes) {
	h, st := d.held(ctx, &a.Lock, a.Cookie, a.Exclusive)
	d.s.lockMu.Lock()
	defer d.s.lockMu.Unlock()
	in := d.s.locks.conflict(&h)
	switch {
	case st != nlm.Granted:
		p.Stat = st
	case d.s.graceLocked():
		p.Stat = nlm.DeniedGracePeriod
	case in != nil:
		p.Stat = nlm.Denied
		off, length := nlm.Extent(in.First, in.Last)
		p.Holder = nlm.Holder{Exclusive: in.Exclusive, Svid: in.Owner.Svid, OH: []byte(in.Owner.OH), Offset: off, Length: length}
	}
}

// Lock is LOCK (RFC 1813 section 6.3.2): a monitored lock.
func (d lockd) Lock(ctx context.Context, r *rpc.Request, a *nlm.LockArgs, p *nlm.Res) {
	p.Stat = d.lock(ctx, r, a, true)
}

// NMLock is NM_LOCK (RFC 1813 section 6.3.19).
func (d lockd) NMLock(ctx context.Context, r *rpc.Request, a *nlm.LockArgs, p *nlm.Res) {
	p.Stat = d.lock(ctx, r, a, false)
}

func (d lockd) lock(ctx context.Context, r *rpc.Request, a *nlm.LockArgs, monitored bool) nlm.Stats {
	s := d.s
	h, st := d.held(ctx, &a.Lock, a.Cookie, a.Exclusive)
	h.State, h.Monitored = a.State, monitored
	if st != nlm.Granted {
		return st
	}
	switch {
	case s.o.ReadOnly && a.Exclusive:
		return nlm.ROFS
	case monitored && s.o.NoMonitor:
		return nlm.DeniedNolocks
	}
	s.lockMu.Lock()
	defer s.lockMu.Unlock()
	switch {
	case s.graceLocked() != a.Reclaim:
		// Outside of it a reclaim is refused the same way, as nfs-ganesha does:
		// somebody may have held the lock since.
		return nlm.DeniedGracePeriod
	case len(s.locks)+len(s.waiting) >= maxLocks:
		return nlm.DeniedNolocks
	}
	if monitored {
		s.watchLocked(a.Lock.CallerName, r.Remote)
	}
	s.waiting = slices.DeleteFunc(s.waiting, func(w *waiter) bool { return w.same(&h) })
	if s.locks.conflict(&h) == nil {
		s.locks = s.locks.set(h)
		return nlm.Granted
	}
	if !a.Block {
		return nlm.Denied
	}
	h.Waiting = true
	s.waiting = append(s.waiting, &waiter{HeldLock: h, cookie: a.Cookie, client: r.Remote, netid: callOf(ctx).Network})
	return nlm.Blocked
}

// same reports whether a request is that of w.
func (w *waiter) same(h *HeldLock) bool {
	return w.FH == h.FH && w.Owner == h.Owner && w.First == h.First && w.Last == h.Last && w.Exclusive == h.Exclusive
}

// Cancel is CANCEL (RFC 1813 section 6.3.3).
func (d lockd) Cancel(ctx context.Context, _ *rpc.Request, a *nlm.CancelArgs, p *nlm.Res) {
	h, st := d.held(ctx, &a.Lock, a.Cookie, a.Exclusive)
	if p.Stat = st; st != nlm.Granted {
		return
	}
	d.s.lockMu.Lock()
	defer d.s.lockMu.Unlock()
	if d.s.graceLocked() {
		p.Stat = nlm.DeniedGracePeriod
		return
	}
	n := len(d.s.waiting)
	d.s.waiting = slices.DeleteFunc(d.s.waiting, func(w *waiter) bool { return w.same(&h) })
	if len(d.s.waiting) == n {
		p.Stat = nlm.Denied
	}
}

// Unlock is UNLOCK (RFC 1813 section 6.3.4). What is not locked is no error.
func (d lockd) Unlock(ctx context.Context, _ *rpc.Request, a *nlm.UnlockArgs, p *nlm.Res) {
	h, st := d.held(ctx, &a.Lock, a.Cookie, false)
	if p.Stat = st; st != nlm.Granted {
		return
	}
	d.s.lockMu.Lock()
	defer d.s.lockMu.Unlock()
	if d.s.graceLocked() {
		p.Stat = nlm.DeniedGracePeriod
		return
	}
	d.s.locks = d.s.locks.clear(&h)
	d.s.grantLocked()
}

// Share is SHARE (RFC 1813 section 6.3.17).
func (d lockd) Share(_ context.Context, _ *rpc.Request, a *nlm.ShareArgs, p *nlm.ShareRes) {
	sh := share{string(a.Share.FH), a.Share.CallerName, string(a.Share.OH), a.Share.Mode, a.Share.Access}
	if p.Stat = d.file(a.Share.FH); p.Stat != nlm.Granted {
		return
	}
	d.s.lockMu.Lock()
	defer d.s.lockMu.Unlock()
	switch {
	case d.s.graceLocked() != a.Reclaim:
		p.Stat = nlm.DeniedGracePeriod
		return
	case slices.ContainsFunc(d.s.shares, func(o share) bool { return o.refuses(&sh) }):
		p.Stat = nlm.Denied
		return
	case len(d.s.shares) >= maxLocks:
		p.Stat = nlm.DeniedNolocks
		return
	}
	d.s.unshareLocked(&sh)
	d.s.shares = append(d.s.shares, sh)
}

// Unshare is UNSHARE (RFC 1813 section 6.3.18).
func (d lockd) Unshare(_ context.Context, _ *rpc.Request, a *nlm.ShareArgs, _ *nlm.ShareRes) {
	d.s.lockMu.Lock()
	defer d.s.lockMu.Unlock()
	d.s.unshareLocked(&share{fh: string(a.Share.FH), host: a.Share.CallerName, oh: string(a.Share.OH)})
}

func (s *Server) unshareLocked(sh *share) {
	s.shares = slices.DeleteFunc(s.shares, func(o share) bool { return o.fh == sh.fh && o.host == sh.host && o.oh == sh.oh })
}

// FreeAll is FREE_ALL (RFC 1813 section 6.3.20). It is executed, and a
// violation: it kills nfs-ganesha 4.3, and is for DOS.
func (d lockd) FreeAll(ctx context.Context, _ *rpc.Request, a *nlm.Notify) {
	d.s.violate(FreeAll, callOf(ctx), fmt.Sprintf("of host %q", a.Name))
	d.s.freeHost(a.Name, func(*HeldLock) bool { return true })
}

// freeHost frees the locks of a host that which names, and all that it waits
// for.
func (s *Server) freeHost(name string, which func(*HeldLock) bool) {
	s.lockMu.Lock()
	defer s.lockMu.Unlock()
	s.locks = slices.DeleteFunc(s.locks, func(h HeldLock) bool { return h.Owner.Host == name && which(&h) })
	s.waiting = slices.DeleteFunc(s.waiting, func(w *waiter) bool { return w.Owner.Host == name && which(&w.HeldLock) })
	s.shares = slices.DeleteFunc(s.shares, func(sh share) bool { return sh.host == name })
	s.grantLocked()
}

// Answered sends the result of a _MSG form, as a call of its own. It ends when
// the client answered or cannot be called.
func (d lockd) Answered(ctx context.Context, r *rpc.Request, proc uint32, res xdr.Value) {
	c := callOf(ctx)
	d.s.wg.Go(func() {
		err := d.s.callBack(c.Remote, c.Network, func(ctx context.Context, c *nlm.Client) error { return c.Message(ctx, nil, proc, res) })
		if err != nil {
			d.s.note(fmt.Sprintf("%s to %v: %v", nlm.ProcName(proc), r.Remote, err))
		}
	})
}

// Result takes what answers our GRANTED_MSG.
func (d lockd) Result(_ context.Context, _ *rpc.Request, proc uint32, res xdr.Value) {
	p, ok := res.(*nlm.Res)
	if proc != nlm.ProcGrantedRes || !ok {
		return
	}
	d.s.lockMu.Lock()
	answer := d.s.granting[string(p.Cookie)]
	delete(d.s.granting, string(p.Cookie))
	d.s.lockMu.Unlock()
	if answer != nil {
		answer <- p.Stat // it has room for the one
	}
}
