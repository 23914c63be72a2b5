package lock

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Siblings are the other daemons of this host, each with an Engine. Servers
// know one lock manager a host, so one daemon hears for all of them.
type Siblings interface {
	// Granted asks each of them Engine.Granted, and reports whether one said
	// yes.
	Granted(ctx context.Context, peer netip.Addr, a *nlm.TestArgs, async bool) bool
	// Rebooted tells each of them Engine.Rebooted.
	Rebooted(ctx context.Context, peer netip.Addr, name string, state int32)
}

// siblingTime bounds one question to all siblings.
const siblingTime = 2 * time.Second

// Granted tells that the server at peer has granted a lock, and reports whether
// anybody here waits for it, or has it already: handle, range, owner and
// address must be the same. A wait does not end with that: it asks the server
// at once, since a callback may be late, or forged.
//
// async says that the server waits for a GRANTED_RES. Who takes the lock sends
// it, and only then asks: nfs-ganesha 4.3 takes a LOCK for the answer, does not
// know the cookie any more when GRANTED_RES comes, and calls nobody back for the
// 5 s in which it waits for that.
func (e *Engine) Granted(peer netip.Addr, a *nlm.TestArgs, async bool) bool {
	fh, err := nfs3.MakeFH(a.Lock.FH)
	first, last, ok := nlm.Bounds(a.Lock.Offset, a.Lock.Length)
	if e.caller == nil || err != nil || !ok || string(a.Lock.OH) != string(e.oh) || peer != e.caller.server.addr() {
		return false
	}
	want := Range{first, last}
	if want, err = want.normal(); err != nil {
		return false
	}
	e.mu.Lock()
	r, ok := e.wantedLocked(fh, a, want)
	again := false
	if ok && r != nil {
		again = async && r.granting
		r.granting = r.granting || async
	}
	e.mu.Unlock()
	switch {
	case !ok:
		return false
	case !async:
		if r != nil {
			r.kick()
		}
	case again: // it is being answered
	case r == nil && !e.claim(): // a server that repeats itself that often will do so once more
	case e.begin():
		go func() { // ends with resTime
			defer e.jobs.Done()
			if r == nil {
				defer e.repeats.Add(-1)
			}
			e.sendResult(e.caller, nlm.ProcGrantedRes, &nlm.Res{Cookie: a.Cookie})
			if r != nil {
				e.mu.Lock()
				r.granting = false
				e.mu.Unlock()
				r.kick()
			}
		}()
	}
	return true
}

// claim reports whether there is room to tell the server once more that a lock
// which the owner has already is taken; repeats counts it then.
func (e *Engine) claim() bool {
	if e.repeats.Add(1) <= maxSending {
		return true
	}
	e.repeats.Add(-1)
	return false
}

// wantedLocked finds who waits for what the server has granted. r is nil if the
// owner has it already.
func (e *Engine) wantedLocked(fh nfs3.FH, a *nlm.TestArgs, want Range) (r *request, ok bool) {
	owner, known := e.bySvid[a.Lock.Svid]
	f := e.files[fh]
	if !known || f == nil {
		return nil, false
	}
	e.calledBack.Store(true)
	for _, r := range f.asking {
		if r.lock.Owner == owner && r.lock.Range == want && (r.lock.Type == Exclusive) == a.Exclusive && !r.decided {
			return r, true
		}
	}
	held := f.spaces[e.space(owner.Kind)].held
	if len(held.gaps(owner, want)) > 0 {
		return nil, false
	}
	for _, l := range held.of(owner, want) {
		if (l.Type == Exclusive) != a.Exclusive {
			return nil, false
		}
	}
	return nil, true
}

// sendResult sends a _RES form, within resTime.
func (e *Engine) sendResult(to *caller, proc uint32, res xdr.Value) {
	ctx, stop := context.WithTimeout(e.life, resTime)
	defer stop()
	err := to.call(ctx, func(ctx context.Context, n *nlm.Client) error { return n.Message(ctx, nil, proc, res) })
	if err != nil {
		e.log.Debug("lock: the answer to a callback was not sent", "to", to.server.Host, "procedure", nlm.ProcName(proc), "error", err)
	}
}

// callbacks answers servers, for this engine and its siblings.
type callbacks struct {
	e       *Engine
	asking  chan struct{} // one element for each question to siblings
	sending chan struct{} // one for each GRANTED_RES under way
	said    chan struct{} // has room until a stranger was logged
}

// Bounds of what servers, and strangers, can make us do at once.
const (
	maxAsking  = 16
	maxSending = 16
	resTime    = 5 * time.Second // for one GRANTED_RES
)

func newCallbacks(e *Engine) *callbacks {
	return &callbacks{e, make(chan struct{}, maxAsking), make(chan struct{}, maxSending), make(chan struct{}, 1)}
}

// program is what is registered: NLM, and the upcall of rpc.statd.
func (c *callbacks) program() rpc.Program {
	n := nlm.ServeGranter(c)
	return rpc.ProgramFunc(func(ctx context.Context, r *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
		if m := c.e.monitor.Load(); r.Proc == ProcStatus && m != nil {
			return m.ServeStatus(ctx, r, reply)
		}
		return n.ServeRPC(ctx, r, reply)
	})
}

// Granted implements nlm.Granter: DENIED only if nobody on this host knows the
// lock. The server frees it then.
func (c *callbacks) Granted(ctx context.Context, r *rpc.Request, a *nlm.TestArgs, res *nlm.Res) {
	peer, async := addrOf(r.Remote), r.Proc == nlm.ProcGrantedMsg
	if c.e.Granted(peer, a, async) || c.siblings(ctx, peer, a, async) {
		return
	}
	res.Stat = nlm.Denied
	select {
	case c.said <- struct{}{}:
		c.e.log.Info("lock: a lock was granted that nobody here waits for; it is refused", "from", r.Remote, "owner", printable(a.Lock.OH))
	default:
	}
}

// siblings asks the other daemons.
func (c *callbacks) siblings(ctx context.Context, peer netip.Addr, a *nlm.TestArgs, async bool) bool {
	if c.e.siblings == nil || !strings.HasPrefix(string(a.Lock.OH), ohPrefix) {
		return false
	}
	ctx, stop := context.WithTimeout(ctx, siblingTime)
	defer stop()
	select {
	case c.asking <- struct{}{}:
		defer func() { <-c.asking }()
		return c.e.siblings.Granted(ctx, peer, a, async)
	case <-ctx.Done():
		return false
	}
}

// Answered implements nlm.Messenger: a GRANTED_RES that refuses goes to the lock
// manager of the server, as a call. One that cannot be sent now is not sent: the
// server grants again. Whoever took the lock sends the others.
func (c *callbacks) Answered(_ context.Context, r *rpc.Request, proc uint32, res xdr.Value) {
	peer := addrOf(r.Remote)
	if p, ok := res.(*nlm.Res); ok && p.Stat == nlm.Granted {
		return
	}
	select {
	case c.sending <- struct{}{}:
	default:
		return
	}
	if !peer.IsValid() || !c.e.begin() {
		<-c.sending
		return
	}
	own := peer == c.e.caller.server.addr()
	netid := r.Remote.Network()[:3]
	go func() { // ends with resTime
		defer c.e.jobs.Done()
		defer func() { <-c.sending }()
		to := c.e.caller
		if !own {
			to = &caller{server: siblingServer(peer, netid), machine: c.e.machine, ended: func() {}}
			defer to.close()
		}
		c.e.sendResult(to, proc, res)
	}()
}

// Result implements nlm.Messenger. We never send what it would answer.
func (c *callbacks) Result(context.Context, *rpc.Request, uint32, xdr.Value) {}

// siblingServer is a server that only a sibling knows.
func siblingServer(peer netip.Addr, transport string) Server {
	netid := transport
	if peer.Is6() {
		netid += "6"
	}
	if _, known := portmap.NetidProt(netid); !known {
		netid = portmap.NetidTCP
	}
	return Server{Name: peer.String(), Host: peer.String(), Netid: netid, Reserved: true, Cred: *rpc.ProcessCred()}
}

// addrOf is the host of an address, or none.
func addrOf(a net.Addr) netip.Addr {
	if a == nil {
		return netip.Addr{}
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// printable is an owner for the log.
func printable(oh []byte) string {
	oh = oh[:min(len(oh), 64)]
	for _, b := range oh {
		if b < ' ' || b > '~' {
			return "not text"
		}
	}
	return string(oh)
}
