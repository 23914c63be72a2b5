package nfstest

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// locker is a client's host: it calls NLM, and serves callbacks.
type locker struct {
	t    *testing.T
	s    *Server
	c    *nlm.Client
	file []byte

	mu      sync.Mutex // guards what follows
	calls   []string   // callbacks that came
	answer  nlm.Stats  // to GRANTED and GRANTED_MSG
	granted chan struct{}
	state   int32 // of the last SM_NOTIFY
}

// Granted is the callback.
func (l *locker) Granted(_ context.Context, r *rpc.Request, a *nlm.TestArgs, p *nlm.Res) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.Stat = l.answer
	l.calls = append(l.calls, nlm.ProcName(r.Proc))
	select {
	case l.granted <- struct{}{}:
	default:
	}
}

// Answered sends GRANTED_RES.
func (l *locker) Answered(ctx context.Context, _ *rpc.Request, proc uint32, res xdr.Value) {
	go l.c.Message(ctx, nil, proc, res)
}

// Result implements nlm.Messenger.
func (l *locker) Result(_ context.Context, _ *rpc.Request, proc uint32, res xdr.Value) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, nlm.ProcName(proc)+" "+res.(*nlm.Res).Stat.String())
}

// Notify hears SM_NOTIFY.
func (l *locker) Notify(_ context.Context, _ *rpc.Request, a *nsm.StatChge) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = a.State
}

func (l *locker) Stat(context.Context, *rpc.Request, string) nsm.StatRes { return nsm.StatRes{} }
func (l *locker) Mon(context.Context, *rpc.Request, *nsm.Mon) nsm.StatRes {
	return nsm.StatRes{}
}
func (l *locker) Unmon(context.Context, *rpc.Request, *nsm.MonID) int32   { return 0 }
func (l *locker) UnmonAll(context.Context, *rpc.Request, *nsm.MyID) int32 { return 0 }
func (l *locker) SimuCrash(context.Context, *rpc.Request)                 {}

// newLocker makes a host that calls s over netid; with callbacks it registers
// them with s's rpcbind, over its unix socket.
func newLocker(t *testing.T, s *Server, netid string, callbacks bool) *locker {
	t.Helper()
	l := &locker{t: t, s: s, granted: make(chan struct{}, 1)}
	if err := s.WriteFile("f", []byte("data"), 0o666); err != nil {
		t.Fatal(err)
	}
	fh, err := s.Handle("f")
	if err != nil {
		t.Fatal(err)
	}
	l.file = fh.Bytes()
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.LockPort()).String()
	c := rpc.NewClient(rpc.Options{Program: nlm.Program, Version: nlm.Version, Policy: rpc.Policy{Timeo: time.Second},
		Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
			var d transport.Dialer
			return d.Dial(ctx, netid, to, last)
		}})
	t.Cleanup(func() { c.Close() })
	l.c = nlm.NewClient(c)
	if !callbacks {
		return l
	}
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var srv rpc.Server
	srv.Register(nlm.Program, nlm.Version, nlm.ServeGranter(l))
	srv.Register(nsm.Program, nsm.Version, nsm.Serve(l))
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { srv.ServePacketConn(ctx, pc) })
	wg.Go(func() {
		for {
			nc, err := k.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { srv.ServeConn(ctx, transport.NewStream(nc, 0)) })
		}
	})
	t.Cleanup(func() {
		cancel()
		k.Close()
		wg.Wait()
	})
	sock := filepath.Join(t.TempDir(), "sock")
	if err := s.ListenLocal(sock); err != nil {
		t.Fatal(err)
	}
	rc, err := portmap.DialLocal(t.Context(), sock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rc.Close() })
	reg := portmap.NewRegistrar(rc)
	for _, prog := range []struct{ prog, vers uint32 }{{nlm.Program, nlm.Version}, {nsm.Program, nsm.Version}} {
		if err := reg.Register(t.Context(), portmap.Services(prog.prog, prog.vers, portOf(pc.LocalAddr()), portOf(k.Addr()), false)...); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// lock is a LockArgs of owner o.
func (l *locker) lock(o int32, off, length uint64, block, reclaim bool) *nlm.LockArgs {
	return &nlm.LockArgs{Cookie: []byte{1}, Block: block, Exclusive: true, Reclaim: reclaim, State: 1,
		Lock: nlm.Lock{CallerName: "client", FH: l.file, OH: []byte("o"), Svid: o, Offset: off, Length: length}}
}

// want makes a call and checks its answer.
func (l *locker) want(what string, want nlm.Stats, got nlm.Stats, err error) {
	l.t.Helper()
	if err != nil || got != want {
		l.t.Errorf("%s: %v, %v, want %v", what, got, err, want)
	}
}

func TestLockdAnswersEachProcedure(t *testing.T) {
	ctx := t.Context()
	s := Start(t, Options{})
	l := newLocker(t, s, "tcp", false)
	call := func(f func(context.Context, *rpc.Cred, *nlm.LockArgs) (nlm.Stats, error), a *nlm.LockArgs) (nlm.Stats, error) {
		return f(ctx, nil, a)
	}
	unlock := func(o int32, off, length uint64) (nlm.Stats, error) {
		return l.c.Unlock(ctx, nil, &nlm.UnlockArgs{Lock: l.lock(o, off, length, false, false).Lock})
	}
	want := func(what string, want nlm.Stats) func(nlm.Stats, error) {
		return func(got nlm.Stats, err error) { t.Helper(); l.want(what, want, got, err) }
	}
	if err := l.c.Null(ctx); err != nil {
		t.Error(err)
	}
	want("LOCK of free bytes", nlm.Granted)(call(l.c.Lock, l.lock(1, 10, 10, false, false)))
	want("the same again", nlm.Granted)(call(l.c.Lock, l.lock(1, 10, 10, false, false)))
	want("LOCK of bytes that are locked", nlm.Denied)(call(l.c.Lock, l.lock(2, 19, 0, false, false)))
	want("NM_LOCK beside them", nlm.Granted)(call(l.c.NMLock, l.lock(2, 20, 0, false, false)))
	want("a reclaim while there is no grace period", nlm.DeniedGracePeriod)(call(l.c.Lock, l.lock(1, 10, 10, false, true)))
	st, holder, err := l.c.Test(ctx, nil, &nlm.TestArgs{Exclusive: true, Lock: l.lock(3, 0, 0, false, false).Lock})
	if l.want("TEST", nlm.Denied, st, err); holder == nil || holder.Svid != 1 || holder.Offset != 10 || holder.Length != 10 || string(holder.OH) != "o" || !holder.Exclusive {
		t.Errorf("holder %+v", holder)
	}
	st, _, err = l.c.Test(ctx, nil, &nlm.TestArgs{Lock: l.lock(3, 0, 10, false, false).Lock})
	l.want("TEST of free bytes", nlm.Granted, st, err)
	want("a handle of nothing", nlm.StaleFH)(call(l.c.Lock, &nlm.LockArgs{Lock: nlm.Lock{FH: []byte("x")}}))
	root, _ := s.Handle("/")
	want("a directory", nlm.Failed)(call(l.c.Lock, &nlm.LockArgs{Lock: nlm.Lock{FH: root.Bytes()}}))

	// A blocked lock, taken back; and one that gets the lock when it asks again.
	want("LOCK that waits", nlm.Blocked)(call(l.c.Lock, l.lock(2, 10, 5, true, false)))
	want("the same again", nlm.Blocked)(call(l.c.Lock, l.lock(2, 10, 5, true, false)))
	if got := s.Locks(); len(got) != 3 || got[0].Waiting || !got[1].Waiting || got[1].Owner.Svid != 2 || got[2].Last != nlm.EOF || got[2].Monitored {
		t.Errorf("Locks: %+v", got)
	}
	cancel := &nlm.CancelArgs{Block: true, Exclusive: true, Lock: l.lock(2, 10, 5, true, false).Lock}
	want("CANCEL", nlm.Granted)(l.c.Cancel(ctx, nil, cancel))
	want("CANCEL of nothing", nlm.Denied)(l.c.Cancel(ctx, nil, cancel))
	want("UNLOCK of a part", nlm.Granted)(unlock(1, 0, 15))
	want("LOCK of that part", nlm.Granted)(call(l.c.Lock, l.lock(2, 10, 5, true, false)))

	sh := func(oh string, m nlm.Mode, a nlm.Access) *nlm.ShareArgs {
		return &nlm.ShareArgs{Share: nlm.Share{CallerName: "client", FH: l.file, OH: []byte(oh), Mode: m, Access: a}}
	}
	want("SHARE", nlm.Granted)(l.c.Share(ctx, nil, sh("a", nlm.DenyWrite, nlm.AccessRead)))
	want("SHARE that is denied", nlm.Denied)(l.c.Share(ctx, nil, sh("b", nlm.DenyNone, nlm.AccessWrite)))
	want("SHARE that is not", nlm.Granted)(l.c.Share(ctx, nil, sh("b", nlm.DenyNone, nlm.AccessRead)))
	want("UNSHARE", nlm.Granted)(l.c.Unshare(ctx, nil, sh("a", 0, 0)))
	want("SHARE after it", nlm.Granted)(l.c.Share(ctx, nil, sh("b", nlm.DenyNone, nlm.AccessWrite)))

	s.Fault(Fault{Program: nlm.Program, Procs: []uint32{nlm.ProcLock}, Do: []Action{LockStatus(nlm.Deadlck)}})
	want("a fault", nlm.Deadlck)(call(l.c.Lock, l.lock(7, 0, 1, false, false)))
	for o := range int32(3) {
		want("UNLOCK of everything", nlm.Granted)(unlock(o, 0, 0))
	}
	if left := s.Locks(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if n := s.Counts()["NLM.LOCK"]; n < 8 {
		t.Errorf("%d calls of NLM.LOCK are counted", n)
	}
}

func TestABlockedLockIsGrantedByACallback(t *testing.T) {
	for _, tt := range []struct {
		name   string
		how    Callback
		netid  string
		answer nlm.Stats
		calls  string
		holder int32 // who has the lock in the end; 0 is nobody
	}{
		{"GRANTED over TCP", CallGranted, "tcp", nlm.Granted, "GRANTED", 2},
		{"GRANTED over UDP", CallGranted, "udp", nlm.Granted, "GRANTED", 2},
		{"GRANTED_MSG and GRANTED_RES", CallGrantedMsg, "tcp", nlm.Granted, "GRANTED_MSG", 2},
		{"GRANTED that the client disowns", CallGranted, "tcp", nlm.Denied, "GRANTED", 0},
		{"GRANTED_MSG that the client disowns", CallGrantedMsg, "udp", nlm.Denied, "GRANTED_MSG", 0},
		{"nobody is called back", CallNobody, "tcp", nlm.Granted, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Start(t, Options{Callback: tt.how, Allow: []Kind{LockLeft}})
			l := newLocker(t, s, tt.netid, true)
			l.mu.Lock()
			l.answer = tt.answer
			l.mu.Unlock()
			st, err := l.c.Lock(t.Context(), nil, l.lock(1, 0, 0, false, false))
			l.want("LOCK", nlm.Granted, st, err)
			st, err = l.c.Lock(t.Context(), nil, l.lock(2, 0, 10, true, false))
			l.want("LOCK that waits", nlm.Blocked, st, err)
			st, err = l.c.Unlock(t.Context(), nil, &nlm.UnlockArgs{Lock: l.lock(1, 0, 0, false, false).Lock})
			l.want("UNLOCK", nlm.Granted, st, err)
			if tt.calls != "" {
				<-l.granted
			}
			holder := int32(-1)
			for end := time.Now().Add(30 * time.Second); holder != tt.holder && time.Now().Before(end); time.Sleep(time.Millisecond) {
				holder = 0
				for _, h := range s.Locks() {
					if !h.Waiting {
						holder = h.Owner.Svid
					}
				}
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if calls := strings.Join(l.calls, ","); calls != tt.calls || holder != tt.holder {
				t.Errorf("callbacks %q, held by %d; want %q, %d", calls, holder, tt.calls, tt.holder)
			}
		})
	}
}

func TestMessagesAreAnsweredByMessages(t *testing.T) {
	s := Start(t, Options{Allow: []Kind{LockLeft}})
	l := newLocker(t, s, "tcp", true)
	if err := l.c.Message(t.Context(), nil, nlm.ProcLockMsg, l.lock(1, 0, 0, false, false)); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		calls := strings.Join(l.calls, ",")
		l.mu.Unlock()
		if calls == "LOCK_RES NLM4_GRANTED" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("callbacks %q", calls)
		}
	}
}

func TestARestartLosesLocksAndLetsThemBeReclaimed(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	s := Start(t, Options{Grace: 8 * time.Second, Now: clock, Allow: []Kind{LockLeft}})
	l := newLocker(t, s, "tcp", true)
	lock := func(what string, want nlm.Stats, a *nlm.LockArgs) {
		t.Helper()
		st, err := l.c.Lock(t.Context(), nil, a)
		l.want(what, want, st, err)
	}
	lock("LOCK", nlm.Granted, l.lock(1, 0, 10, false, false))
	lock("LOCK", nlm.Granted, l.lock(2, 10, 10, false, false))
	s.Restart()
	if left := s.Locks(); len(left) != 0 || s.NSMState() != 3 {
		t.Errorf("after the restart: locks %v, state %d", left, s.NSMState())
	}
	lock("a new lock in the grace period", nlm.DeniedGracePeriod, l.lock(3, 0, 10, false, false))
	lock("a reclaim", nlm.Granted, l.lock(1, 0, 10, false, true))
	mu.Lock()
	now = now.Add(8 * time.Second)
	mu.Unlock()
	lock("a reclaim that comes too late", nlm.DeniedGracePeriod, l.lock(2, 10, 10, false, true))
	lock("a new lock after it", nlm.Granted, l.lock(3, 10, 10, false, false))
	lock("a new lock of what was reclaimed", nlm.Denied, l.lock(3, 0, 10, false, false))
	heard := int32(0)
	for end := time.Now().Add(30 * time.Second); heard != 3 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		l.mu.Lock()
		heard = l.state
		l.mu.Unlock()
	}
	if heard != 3 {
		t.Errorf("SM_NOTIFY with state %d, want 3", heard)
	}

	// The client's host restarts: its locks of before are freed.
	a := l.lock(4, 50, 1, false, false)
	a.State = 3
	lock("LOCK in another state", nlm.Granted, a)
	statd{s}.Notify(t.Context(), nil, &nsm.StatChge{Name: "client", State: 3})
	if left := s.Locks(); len(left) != 1 || left[0].Owner.Svid != 4 {
		t.Errorf("after SM_NOTIFY: %v", left)
	}
}

func TestStrictModeWatchesLocks(t *testing.T) {
	ctx := t.Context()
	s := New(Options{NoMonitor: true})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l := newLocker(t, s, "tcp", false)
	st, err := l.c.Lock(ctx, nil, l.lock(1, 0, 0, false, false))
	l.want("LOCK without a monitor", nlm.DeniedNolocks, st, err)
	a := l.lock(1, 0, 0, false, false)
	a.Cookie = make([]byte, 33)
	st, err = l.c.NMLock(ctx, nil, a)
	l.want("a long cookie", nlm.Granted, st, err)
	st, err = l.c.NMLock(ctx, nil, l.lock(1, 1<<63, 0, false, false))
	l.want("a range past 2^63-1", nlm.FBig, st, err)
	rc := rpc.NewClient(rpc.Options{Program: nlm.Program, Version: nlm.Version, Policy: rpc.Policy{Timeo: time.Second},
		Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
			var d transport.Dialer
			return d.Dial(ctx, "tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.LockPort()).String(), last)
		}})
	defer rc.Close()
	if err := rc.Call(ctx, &rpc.Call{Proc: nlm.ProcFreeAll, Args: &nlm.Notify{Name: "another"}}); err != nil {
		t.Fatal(err)
	}
	if err := rc.Call(ctx, &rpc.Call{Proc: nlm.ProcLock}); err == nil {
		t.Error("LOCK without arguments is answered")
	}

	// Two LOCKs of one owner at once; then two with an UNLOCK between them.
	for _, unlock := range []bool{false, true} {
		remove := s.Fault(Fault{Program: nlm.Program, Procs: []uint32{nlm.ProcNMLock}, Do: []Action{Delay(time.Hour)}})
		done, n := make(chan struct{}), s.Counts()["NLM.NM_LOCK"]
		first, giveUp := context.WithCancel(ctx)
		go func() {
			defer close(done)
			l.c.NMLock(first, nil, l.lock(1, 0, 0, false, false))
		}()
		for s.Counts()["NLM.NM_LOCK"] == n {
			time.Sleep(time.Millisecond)
		}
		if unlock {
			st, err = l.c.Unlock(ctx, nil, &nlm.UnlockArgs{Lock: l.lock(1, 500, 1, false, false).Lock})
			l.want("UNLOCK", nlm.Granted, st, err)
		}
		st, err = l.c.NMLock(ctx, nil, l.lock(1, 600, 1, false, false))
		l.want("NM_LOCK", nlm.Granted, st, err)
		giveUp()
		<-done
		remove()
	}
	s.Close()
	kinds := []string{""}
	for _, v := range s.Violations() {
		kind, _, _ := strings.Cut(v, ":")
		if kind != kinds[len(kinds)-1] { // a call that is answered GARBAGE_ARGS is made again
			kinds = append(kinds, kind)
		}
	}
	want := ",cookie too long,bad range,FREE_ALL,bad arguments,busy owner,lock left"
	if got := strings.Join(kinds, ","); got != want {
		t.Errorf("violations %q, want %q", got, want)
	}
}
