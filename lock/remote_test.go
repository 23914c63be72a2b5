package lock

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
)

func TestLocksReachTheServer(t *testing.T) {
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		e, other := r.engine(), r.engine()
		take(t, e, r.a, lk(ann, Exclusive, 10, 19))
		take(t, e, r.a, lk(ann, Shared, 15, 24))
		r.wantLocks("after two locks", "a:x10-14 a:s15-24")
		if err := other.Lock(t.Context(), r.a, nil, lk(ann, Shared, 0, EOF), false); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("another daemon's owner of the same number: %v", err)
		}
		if err := e.Lock(t.Context(), r.a, nil, lk(anns, Shared, 12, 12), false); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("another kind: %v", err)
		}
		h, err := other.Test(t.Context(), r.a, nil, lk(ann, Exclusive, 0, EOF))
		if err != nil || h == nil || h.Range != (Range{10, 14}) || h.Type != Exclusive || h.PID != 0 {
			t.Errorf("TEST: %v, %v", h, err)
		}
		if h, err := other.Test(t.Context(), r.b, nil, lk(ann, Exclusive, 0, EOF)); h != nil || err != nil {
			t.Errorf("TEST of another file: %v, %v", h, err)
		}
		if err := e.Unlock(t.Context(), r.a, nil, ann, Range{12, 16}); err != nil {
			t.Error(err)
		}
		r.wantLocks("after an unlock", "a:x10-11 a:s17-24")
		if err := e.Release(t.Context(), r.a, ann); err != nil {
			t.Error(err)
		}
		r.wantLocks("after release", "")
	})
}

func TestOneOwnerHasOneSvidAndOneOH(t *testing.T) {
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		e := r.engine()
		take(t, e, r.a, lk(ann, Shared, 0, 9))
		take(t, e, r.b, lk(ann, Shared, 0, 9))
		take(t, e, r.a, lk(bob, Shared, 0, 9))
		svids, ohs := map[int32]int{}, map[string]bool{}
		for _, l := range r.s.Locks() {
			svids[l.Owner.Svid]++
			ohs[l.Owner.OH] = true
			if l.Owner.Host != "client" || !strings.HasPrefix(l.Owner.OH, ohPrefix) || l.Owner.Svid <= 0 {
				t.Errorf("owner %+v", l.Owner)
			}
		}
		if len(svids) != 2 || len(ohs) != 1 {
			t.Errorf("svids %v, ohs %v", svids, ohs)
		}
	})
}

// A wait ends when the lock is given back: by a callback at once, without one
// when the server is asked again.
func TestAWaitEndsWhenTheLockIsFree(t *testing.T) {
	for _, tt := range []struct {
		name     string
		callback nfstest.Callback
		called   bool
		within   time.Duration
	}{
		{"by GRANTED", nfstest.CallGranted, true, 100 * time.Millisecond},
		{"by GRANTED_MSG", nfstest.CallGrantedMsg, true, 100 * time.Millisecond},
		{"by polling, where the server cannot call", nfstest.CallGranted, false, pollLast},
		{"by polling, where the server does not call", nfstest.CallNobody, false, pollLast},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, nfstest.Options{Callback: tt.callback}, func(t *testing.T, r *rig) {
				e, other := r.engine(), r.engine()
				if tt.called {
					r.called = []*Engine{e}
				}
				take(t, other, r.a, lk(ann, Exclusive, 0, 9))
				got := r.start(t.Context(), e, r.a, lk(bob, Exclusive, 5, EOF))
				time.Sleep(10 * time.Second) // polls are 4 s apart by now
				if err := other.Release(t.Context(), r.a, ann); err != nil {
					t.Error(err)
				}
				if err := r.soon("the grant", got, tt.within); err != nil {
					t.Error(err)
				}
				r.wantLocks("then", "a:x5-")
				if e.calledBack.Load() != tt.called {
					t.Errorf("calledBack is %v", !tt.called)
				}
			})
		})
	}
}

func TestTheDaemonsOwnQueueComesFirst(t *testing.T) {
	inBubble(t, nfstest.Options{Callback: nfstest.CallNobody}, func(t *testing.T, r *rig) {
		e := r.engine()
		take(t, e, r.a, lk(ann, Exclusive, 0, 9))
		got := r.start(t.Context(), e, r.a, lk(bob, Exclusive, 0, 9))
		r.wantLocks("while another owner of this daemon holds it", "a:x0-9")
		if err := e.Release(t.Context(), r.a, ann); err != nil {
			t.Error(err)
		}
		if err := r.soon("the second owner's turn", got, 0); err != nil {
			t.Error(err)
		}
		r.wantLocks("then", "a:x0-9")
	})
}

func TestAWaitThatIsGivenUpLeavesNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		had  []Lock // before
		left string
	}{
		{"an owner who held nothing", nil, "a:x0-9"},
		{"one who wanted more than he had", []Lock{lk(bob, Exclusive, 20, 29)}, "a:x0-9 a:x20-29"},
		{"one who wanted to upgrade", []Lock{lk(bob, Shared, 10, 29)}, "a:x0-9 a:s10-29"},
	} {
		for _, cb := range []nfstest.Callback{nfstest.CallNobody, nfstest.CallGranted} {
			t.Run(fmt.Sprint(tt.name, ", callback ", cb), func(t *testing.T) {
				inBubble(t, nfstest.Options{Callback: cb}, func(t *testing.T, r *rig) {
					e, other := r.engine(), r.engine()
					r.called = []*Engine{e}
					for _, l := range tt.had {
						take(t, e, r.a, l)
					}
					take(t, other, r.a, lk(ann, Exclusive, 0, 9))
					ctx, cancel := context.WithCancel(t.Context())
					got := r.start(ctx, e, r.a, lk(bob, Exclusive, 5, 24))
					time.Sleep(1500 * time.Millisecond)
					cancel()
					if err := r.soon("giving up", got, 0); err != context.Canceled {
						t.Error(err)
					}
					r.wantLocks("then", tt.left)
					if err := other.Release(t.Context(), r.a, ann); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Minute)
					r.wantLocks("when the lock was free", strings.TrimPrefix(strings.TrimPrefix(tt.left, "a:x0-9"), " "))
				})
			})
		}
	}
}

// Giving up and the grant cross: whoever is first, the table and the server
// agree in the end.
func TestGivingUpMayCrossTheGrant(t *testing.T) {
	const step, last = 500 * time.Microsecond, 40 * time.Millisecond
	for _, tt := range []struct {
		name   string
		waited time.Duration
	}{
		{"the server is asked again and again", 20 * time.Millisecond},
		{"it calls back", 1500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, crossed := 0, 0
			for delay := time.Duration(0); delay < last; delay += step {
				inBubble(t, nfstest.Options{Callback: nfstest.CallGranted}, func(t *testing.T, r *rig) {
					r.s.Fault(nfstest.Fault{Program: nlm.Program, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Delay(time.Millisecond)}})
					e, other := r.engine(), r.engine()
					r.called = []*Engine{e}
					take(t, other, r.a, lk(ann, Exclusive, 0, 9))
					ctx, cancel := context.WithCancel(t.Context())
					end := r.start(ctx, e, r.a, lk(bob, Exclusive, 0, 9))
					time.Sleep(tt.waited)
					time.AfterFunc(delay, cancel)
					if err := other.Release(t.Context(), r.a, ann); err != nil {
						t.Error(err)
					}
					err := <-end
					if err != nil && r.locks() == "a:x0-9" {
						crossed++
					}
					time.Sleep(time.Second)
					want := ""
					if err == nil {
						got++
						want = "a:x0-9"
					}
					r.wantLocks(fmt.Sprintf("after %v and %v", delay, err), want)
					if e.Holds(r.a) != (err == nil) {
						t.Errorf("after %v and %v: the table has it: %v", delay, err, err != nil)
					}
				})
			}
			if got == 0 || crossed == 0 {
				t.Errorf("the lock was had %d times, and granted to somebody who had gone %d times", got, crossed)
			}
		})
	}
}

func TestAnswersOfTheServerAreTheErrnoOfLinux(t *testing.T) {
	for _, tt := range []struct {
		stat nlm.Stats
		wait bool
		want error
	}{
		{nlm.Denied, false, syscall.EAGAIN},
		{nlm.DeniedNolocks, false, syscall.ENOLCK},
		{nlm.DeniedNolocks, true, syscall.ENOLCK},
		{nlm.Deadlck, true, syscall.EDEADLK},
		{nlm.ROFS, false, syscall.EROFS},
		{nlm.StaleFH, false, syscall.ESTALE},
		{nlm.FBig, false, syscall.EOVERFLOW},
		{nlm.Failed, true, syscall.ENOLCK},
		{nlm.Stats(99), false, syscall.ENOLCK},
	} {
		t.Run(tt.stat.String(), func(t *testing.T) {
			inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
				e := r.engine()
				r.s.Fault(nfstest.Fault{Program: nlm.Program, Times: 2, Do: []nfstest.Action{nfstest.LockStatus(tt.stat)}})
				err := e.Lock(t.Context(), r.a, nil, lk(ann, Exclusive, 0, 9), tt.wait)
				var le *Error
				if !errors.Is(err, tt.want) || !errors.As(err, &le) || le.Errno != tt.want {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				r.s.ClearFaults()
				r.wantLocks("then", "")
			})
		})
	}
}

func TestAServerWithoutAMonitorIsAskedWithNMLock(t *testing.T) {
	inBubble(t, nfstest.Options{NoMonitor: true}, func(t *testing.T, r *rig) {
		e := r.engine()
		take(t, e, r.a, lk(ann, Exclusive, 0, 9))
		take(t, e, r.b, lk(ann, Exclusive, 0, 9))
		for _, l := range r.s.Locks() {
			if l.Monitored {
				t.Errorf("monitored: %v", l)
			}
		}
		if !e.unmonitored.Load() {
			t.Error("it is not remembered")
		}
	})
}

func TestKindsThatAreLocalStayHere(t *testing.T) {
	for local, want := range map[mountopt.LocalLock]string{
		mountopt.LocalNone: "a:s0-9 a:s0-", mountopt.LocalFlock: "a:s0-9", mountopt.LocalPosix: "a:s0-", mountopt.LocalAll: "",
	} {
		t.Run(local.String(), func(t *testing.T) {
			inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
				e := r.engine(func(c *Config) { c.Local = local })
				take(t, e, r.a, lk(ann, Shared, 0, 9))
				take(t, e, r.a, lk(anns, Shared, 0, EOF))
				r.wantLocks("with two kinds", want)
				if err := errors.Join(e.Release(t.Context(), r.a, ann), e.Release(t.Context(), r.a, anns)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A reply is lost, a connection is reset: the lock is had all the same, once.
func TestCallsAreMadeAgainUntilTheServerAnswers(t *testing.T) {
	for name, do := range map[string]nfstest.Action{
		"the reply is lost with the connection": nfstest.ResetAt(6),
		"the reply never comes":                 nfstest.DropReply(),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
				e := r.engine()
				r.s.Fault(nfstest.Fault{Program: nlm.Program, Times: 3, Do: []nfstest.Action{do}})
				take(t, e, r.a, lk(ann, Exclusive, 0, 9))
				r.wantLocks("after LOCK", "a:x0-9")
				r.s.Fault(nfstest.Fault{Program: nlm.Program, Times: 3, Do: []nfstest.Action{do}})
				if err := e.Release(t.Context(), r.a, ann); err != nil {
					t.Error(err)
				}
				r.wantLocks("after UNLOCK", "")
			})
		})
	}
}

func TestAServerThatIsAway(t *testing.T) {
	for _, hard := range []bool{true, false} {
		t.Run(fmt.Sprint("hard ", hard), func(t *testing.T) {
			inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
				e := r.engine(func(c *Config) { c.Server.Hard = hard })
				take(t, e, r.b, lk(ann, Exclusive, 0, 9)) // it has answered once
				r.s.Down()
				time.AfterFunc(time.Minute, func() {
					if err := r.s.Up(); err != nil {
						t.Error(err)
					}
				})
				begin := time.Now()
				err := e.Lock(t.Context(), r.a, nil, lk(ann, Exclusive, 0, 9), false)
				took := time.Since(begin)
				if hard && (err != nil || took < time.Minute || took > 70*time.Second) {
					t.Errorf("hard: %v after %v", err, took)
				}
				if !hard && (!errors.Is(err, syscall.EIO) || took > 30*time.Second) {
					t.Errorf("soft: %v after %v", err, took)
				}
				time.Sleep(2 * time.Minute)
			})
		})
	}
}

// stubborn is the ctx of a process on a hard mount that was sent SIGALRM.
type stubborn struct{ context.Context }

func (stubborn) GiveUp() bool { return false }

func TestWhoMayGoOnWaitingDoesButNotForALock(t *testing.T) {
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		e, other := r.engine(), r.engine()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		ctx := rpc.GiveUpper(stubborn{gone})
		if err := e.Lock(ctx, r.a, nil, lk(ann, Exclusive, 0, 9), false); err != nil {
			t.Errorf("LOCK that does not wait for others: %v", err)
		}
		if err := other.Lock(ctx, r.a, nil, lk(ann, Exclusive, 0, 9), true); err != context.Canceled {
			t.Errorf("LOCK that does: %v", err)
		}
		if err := e.Unlock(ctx, r.a, nil, ann, WholeFile); err != nil {
			t.Errorf("UNLOCK: %v", err)
		}
		synctest.Wait()
		r.wantLocks("then", "")
	})
}

func TestCloseGivesEverythingBack(t *testing.T) {
	inBubble(t, nfstest.Options{Callback: nfstest.CallNobody}, func(t *testing.T, r *rig) {
		e, other := r.crashable(), r.engine()
		take(t, other, r.b, lk(ann, Exclusive, 0, 9))
		take(t, e, r.a, lk(ann, Exclusive, 0, 9))
		take(t, e, r.a, lk(bob, Shared, 20, 29))
		waits := r.start(t.Context(), e, r.b, lk(ann, Exclusive, 0, 9))
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-waits; !errors.Is(err, syscall.ENOLCK) {
			t.Errorf("who waited got %v", err)
		}
		r.wantLocks("after Close", "b:x0-9")
		if err := e.Lock(t.Context(), r.a, nil, lk(ann, Shared, 0, 0), false); !errors.Is(err, syscall.ENOLCK) {
			t.Errorf("after Close: %v", err)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
