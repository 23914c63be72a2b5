package lock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/nlm"
)

// witness notes which locks an engine says are lost.
type witness struct {
	mu   sync.Mutex
	lost []string
}

func (w *witness) watch(r *rig, e *Engine) {
	e.OnLost(func(fh nfs3.FH, o Owner) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lost = append(w.lost, fmt.Sprintf("%v of %v", o, map[nfs3.FH]string{r.a: "a", r.b: "b"}[fh]))
	})
}

func (w *witness) check(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.lost)
	if !slices.Equal(w.lost, want) {
		t.Errorf("lost: %q, want %q", w.lost, want)
	}
}

func TestLocksAreReclaimedAfterARestart(t *testing.T) {
	for _, tt := range []struct {
		name    string
		restart func(t *testing.T, r *rig, e *Engine)
	}{
		{"that the connection shows", func(t *testing.T, r *rig, e *Engine) { r.s.Restart() }},
		{"that took a while", func(t *testing.T, r *rig, e *Engine) {
			r.s.Down()
			time.Sleep(time.Minute)
			r.s.Restart()
			if err := r.s.Up(); err != nil {
				t.Error(err)
			}
		}},
		{"that another lock shows", func(t *testing.T, r *rig, e *Engine) {
			e.caller.mu.Lock()
			e.caller.made++ // the end of the connection is not noticed
			e.caller.mu.Unlock()
			r.s.Restart()
			time.Sleep(time.Second)
			r.start(t.Context(), e, r.b, lk(bob, Exclusive, 50, 59))
		}},
		{"that somebody tells of", func(t *testing.T, r *rig, e *Engine) {
			e.caller.mu.Lock()
			e.caller.made++
			e.caller.mu.Unlock()
			r.s.Restart()
			e.Suspect("the write verifier has changed")
		}},
		{"and another one at once", func(t *testing.T, r *rig, e *Engine) {
			r.s.Restart()
			time.Sleep(100 * time.Millisecond)
			r.s.Restart()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, nfstest.Options{Grace: 8 * time.Second}, func(t *testing.T, r *rig) {
				e, rival := r.engine(), r.engine()
				var w witness
				w.watch(r, e)
				take(t, e, r.a, lk(ann, Exclusive, 0, 9))
				take(t, e, r.a, lk(ann, Shared, 20, 29))
				take(t, e, r.b, lk(bob, Shared, 0, EOF))
				tt.restart(t, r, e)
				// A competitor asks all the time, and gets none of it.
				late, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				stolen := r.start(late, rival, r.a, lk(ann, Exclusive, 0, 9))
				time.Sleep(4 * time.Second)
				if got := r.locks(); got != "a:x0-9 a:s20-29 b:s0-" {
					t.Errorf("half way through the grace period the server has %q", got)
				}
				time.Sleep(10 * time.Second)
				if err := rival.Lock(t.Context(), r.a, nil, lk(bob, Exclusive, 25, 25), false); !errors.Is(err, syscall.EAGAIN) {
					t.Errorf("after the grace period a competitor gets %v", err)
				}
				if err := <-stolen; err != context.DeadlineExceeded {
					t.Errorf("a competitor who waits gets %v", err)
				}
				w.check(t)
				if err := errors.Join(e.Release(t.Context(), r.a, ann), e.Release(t.Context(), r.b, bob)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestWhatCannotBeReclaimedIsLost(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rival bool // somebody has a part of it meanwhile
	}{
		{"to another", true},
		{"to nobody, after the grace period: somebody may have had it", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, nfstest.Options{Grace: time.Second}, func(t *testing.T, r *rig) {
				e, rival := r.engine(), r.engine()
				var w witness
				w.watch(r, e)
				take(t, e, r.a, lk(ann, Exclusive, 0, 9))
				take(t, e, r.b, lk(bob, Exclusive, 0, 9))
				e.mu.Lock()
				e.recovering = make(chan struct{}) // it does not hear of the restart in time
				e.suspected = 1
				e.mu.Unlock()
				r.s.Restart()
				time.Sleep(2 * time.Second)
				if tt.rival {
					take(t, rival, r.a, lk(ann, Exclusive, 9, 9))
				}
				e.recover("a test")
				w.check(t, "{posix 1} of a", "{posix 2} of b")
				if got := len(e.Status().Lost); got != 2 || e.Holds(r.a) {
					t.Errorf("%d lost locks are told; still held: %v", got, e.Holds(r.a))
				}
				if err := e.Release(t.Context(), r.a, ann); err != nil {
					t.Error(err)
				}
				if tt.rival {
					r.wantLocks("then", "a:x9-9")
				}
			})
		})
	}
}

// Whoever says that the server has restarted may be wrong, or lie.
func TestAFalseAlarmHarmsNobody(t *testing.T) {
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		e, other := r.engine(), r.engine()
		var w witness
		w.watch(r, e)
		take(t, e, r.a, lk(ann, Shared, 0, 9))
		take(t, e, r.a, lk(bob, Shared, 5, 14))
		take(t, other, r.a, lk(bob, Exclusive, 20, 29))
		for range 100 {
			e.Rebooted(e.peer().Addr, "whoever")
			e.Rebooted(e.peer().Addr.Next(), "server")
		}
		got := r.start(t.Context(), e, r.a, lk(ann, Exclusive, 20, 20))
		r.s.ResetConnections()
		time.Sleep(time.Second)
		r.wantLocks("after a false alarm", "a:s0-9 a:s5-14 a:x20-29 a:waits x20-20")
		w.check(t)
		if err := other.Release(t.Context(), r.a, bob); err != nil {
			t.Error(err)
		}
		if err := <-got; err != nil {
			t.Error(err)
		}
		if n := e.Status().Reclaimed; n != 0 {
			t.Errorf("%d locks were reclaimed", n)
		}
	})
}

func TestAStrangersNoticeIsNotHeeded(t *testing.T) {
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		e := r.engine()
		take(t, e, r.a, lk(ann, Shared, 0, 9))
		e.Rebooted(e.peer().Addr.Next(), "another")
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.recovering != nil {
			t.Error("locks are being looked at")
		}
	})
}

func TestNewLocksWaitForTheGracePeriodsEnd(t *testing.T) {
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		e := r.engine()
		r.s.SetGrace(20 * time.Second)
		begin := time.Now()
		h, err := e.Test(t.Context(), r.a, nil, lk(ann, Exclusive, 0, 9))
		if took := time.Since(begin); h != nil || err != nil || took < 20*time.Second || took > 26*time.Second {
			t.Errorf("TEST: %v, %v after %v", h, err, took)
		}
		r.s.SetGrace(20 * time.Second)
		begin = time.Now()
		take(t, e, r.a, lk(ann, Exclusive, 0, 9))
		if took := time.Since(begin); took < 20*time.Second || took > 26*time.Second {
			t.Errorf("LOCK took %v", took)
		}
		r.s.SetGrace(20 * time.Second)
		if err := e.Release(t.Context(), r.a, ann); err != nil {
			t.Error(err)
		}
		r.wantLocks("then", "")
	})
}

// A lock that waits must wait again at the restarted server.
func TestWhoWaitsWaitsOnAfterARestart(t *testing.T) {
	inBubble(t, nfstest.Options{Grace: 3 * time.Second}, func(t *testing.T, r *rig) {
		e, holder := r.engine(), r.engine()
		take(t, holder, r.a, lk(ann, Exclusive, 0, 9))
		got := r.start(t.Context(), e, r.a, lk(bob, Exclusive, 0, 9))
		r.s.Restart()
		time.Sleep(15 * time.Second)
		synctest.Wait()
		r.wantLocks("after the restart", "a:x0-9 a:waits x0-9")
		if err := holder.Release(t.Context(), r.a, ann); err != nil {
			t.Error(err)
		}
		if err := r.soon("the grant", got, pollLast); err != nil {
			t.Error(err)
		}
	})
}

func TestASilentServerIsAskedNowAndThen(t *testing.T) {
	inBubble(t, nfstest.Options{Grace: time.Minute}, func(t *testing.T, r *rig) {
		e := r.engine(func(c *Config) { c.Server.Netid = "udp" })
		e.Start()
		take(t, e, r.a, lk(ann, Exclusive, 0, 9))
		r.s.Restart() // over UDP nothing shows it
		time.Sleep(idleProbe + 40*time.Second)
		r.wantLocks("a minute later", "a:x0-9")
		if n := e.Status().Reclaimed; n == 0 {
			t.Error("nothing was reclaimed")
		}
		time.Sleep(time.Minute)
	})
}

// Another client, or another daemon of this host, may have the same number.
func TestWhoseALockIs(t *testing.T) {
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		e := r.engine()
		take(t, e, r.a, lk(ann, Exclusive, 0, 9))
		svid := e.identities[ann].svid
		for _, tt := range []struct {
			name string
			h    nlm.Holder
			want bool
		}{
			{"ours", nlm.Holder{Svid: svid, OH: e.oh}, true},
			{"ours, of a server that leaves oh out", nlm.Holder{Svid: svid}, true},
			{"another's with the same number", nlm.Holder{Svid: svid, OH: []byte("other")}, false},
			{"nobody's of ours", nlm.Holder{Svid: svid + 1, OH: e.oh}, false},
		} {
			if got := e.ours(&tt.h); got != tt.want {
				t.Errorf("%s: %v", tt.name, got)
			}
		}
	})
}

func TestGrantedMatchesHandleRangeOwnerAndAddress(t *testing.T) {
	inBubble(t, nfstest.Options{Callback: nfstest.CallNobody}, func(t *testing.T, r *rig) {
		e, other := r.engine(), r.engine()
		take(t, e, r.b, lk(ann, Exclusive, 0, 9))
		take(t, other, r.a, lk(ann, Exclusive, 0, 9))
		ctx, cancel := context.WithCancel(t.Context())
		got := r.start(ctx, e, r.a, lk(bob, Exclusive, 5, EOF))
		svid := func(o Owner) int32 { return e.identities[o].svid }
		from := e.peer().Addr
		ask := func(fh nfs3.FH, o Owner, start, end uint64, exclusive bool) *nlm.TestArgs {
			return &nlm.TestArgs{Exclusive: exclusive, Lock: e.wire(fh, svid(o), Range{start, end})}
		}
		long := ask(r.a, bob, 5, EOF, true)
		long.Lock.OH = make([]byte, 1024)
		far := ask(r.a, bob, 5, EOF, true)
		far.Lock.Offset = 1 << 63
		for _, tt := range []struct {
			name string
			a    *nlm.TestArgs
			want bool
		}{
			{"what is waited for", ask(r.a, bob, 5, EOF, true), true},
			{"what is held", ask(r.b, ann, 0, 9, true), true},
			{"a part of what is held", ask(r.b, ann, 3, 4, true), true},
			{"another handle", ask(r.b, bob, 5, EOF, true), false},
			{"another range", ask(r.a, bob, 5, 9, true), false},
			{"another owner", ask(r.a, ann, 5, EOF, true), false},
			{"another type", ask(r.a, bob, 5, EOF, false), false},
			{"what is held, but not so", ask(r.b, ann, 0, 9, false), false},
			{"more than what is held", ask(r.b, ann, 0, 10, true), false},
			{"an owner of 1024 bytes", long, false},
			{"a range past 2^63", far, false},
		} {
			if got := e.Granted(from, tt.a, false); got != tt.want {
				t.Errorf("%s: %v", tt.name, got)
			}
		}
		if e.Granted(from.Next(), ask(r.a, bob, 5, EOF, true), false) {
			t.Error("another address is believed")
		}
		if other.Granted(from, ask(r.a, bob, 5, EOF, true), false) {
			t.Error("another daemon takes it")
		}
		wanted := ask(r.a, bob, 5, EOF, true)
		time.Sleep(time.Second) // it waits at the server by now
		r.s.Fault(nfstest.Fault{Program: nlm.Program, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Delay(time.Second)}})
		cancel()
		if err := <-got; err != context.Canceled {
			t.Error(err)
		}
		synctest.Wait()
		if e.identities[bob] == nil || e.Granted(from, wanted, false) {
			t.Error("who has given up, and waits for the answer to CANCEL, takes the lock")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if e.identities[bob] != nil {
			t.Error("who has given up is still known")
		}
	})
}

// A server that says the same all the time does not make us say as much: each
// answer takes memory until it was sent.
func TestAFloodOfGrantsIsAnsweredInBoundedMemory(t *testing.T) {
	inBubble(t, nfstest.Options{Callback: nfstest.CallNobody}, func(t *testing.T, r *rig) {
		r.s.Fault(nfstest.Fault{Program: nlm.Program, Procs: []uint32{nlm.ProcGrantedRes}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DropReply()}})
		e, other := r.engine(), r.engine()
		take(t, e, r.b, lk(ann, Exclusive, 0, 9))
		take(t, other, r.a, lk(ann, Exclusive, 0, 9))
		got := r.start(t.Context(), e, r.a, lk(bob, Exclusive, 5, EOF))
		for _, a := range []*nlm.TestArgs{
			{Exclusive: true, Lock: e.wire(r.b, e.identities[ann].svid, Range{0, 9})},
			{Exclusive: true, Lock: e.wire(r.a, e.identities[bob].svid, Range{5, EOF})},
		} {
			for range 1000 {
				if !e.Granted(e.peer().Addr, a, true) {
					t.Fatal("our own lock is refused")
				}
				e.Granted(e.peer().Addr, a, false)
			}
		}
		time.Sleep(time.Second)
		if n := r.s.Counts()["NLM.GRANTED_RES"]; n == 0 || n > maxSending+1 {
			t.Errorf("%d GRANTED_RES at once, want %d at most", n, maxSending+1)
		}
		time.Sleep(2 * resTime)
		if err := other.Release(t.Context(), r.a, ann); err != nil {
			t.Error(err)
		}
		if err := r.soon("the wait after the flood", got, 10*time.Second); err != nil {
			t.Error(err)
		}
		if n := e.repeats.Load(); n != 0 {
			t.Errorf("%d answers are still counted", n)
		}
	})
}

// Each end of a connection may be a restart. A server that ends one after each
// answer is not asked as fast as it can be.
func TestAServerThatEndsEachConnectionIsAskedAtLeisure(t *testing.T) {
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		e := r.engine()
		take(t, e, r.a, lk(ann, Exclusive, 0, 9))
		r.s.Fault(nfstest.Fault{Program: nlm.Program, Procs: []uint32{nlm.ProcTest}, Times: 500, Do: []nfstest.Action{nfstest.FinAt(1 << 20)}})
		r.s.ResetCounts()
		e.Suspect("of a test")
		time.Sleep(10 * time.Second)
		if n := r.s.Counts()["NLM.TEST"]; n == 0 || n > 40 {
			t.Errorf("%d TESTs in 10 s", n)
		}
		time.Sleep(time.Hour)
		r.wantLocks("in the end", "a:x0-9")
	})
}
