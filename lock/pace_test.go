package lock

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/nlm"
)

func TestPaceOfAWait(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name   string
		mode   callMode
		stat   func(block bool) nlm.Stats
		pauses []time.Duration
		blocks int // from which LOCK on it waits there; 0: never
	}{
		{"at once and often, then at the server", called, blocked,
			[]time.Duration{2 * ms, 4 * ms, 8 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 4000 * ms}, 13},
		{"at a server that lets nobody wait", called, func(bool) nlm.Stats { return nlm.Denied },
			[]time.Duration{2 * ms, 4 * ms, 8 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 16 * ms, 1000 * ms, 2000 * ms, 4000 * ms}, 13},
		{"where nobody can be called", uncalled, blocked,
			[]time.Duration{2 * ms, 4 * ms, 8 * ms, 16 * ms, 32 * ms, 64 * ms, 128 * ms, 256 * ms, 512 * ms, 1024 * ms, 2048 * ms, 4000 * ms, 4000 * ms}, 0},
		{"at a server that does not call as it should", stalled, blocked,
			[]time.Duration{2 * ms, 4 * ms, 8 * ms, 16 * ms, 32 * ms, 64 * ms, 100 * ms, 100 * ms, 100 * ms}, 0},
		{"in a grace period", called, func(bool) nlm.Stats { return nlm.DeniedGracePeriod },
			[]time.Duration{1000 * ms, 2000 * ms, 4000 * ms, 5000 * ms}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p pace
			var got []time.Duration
			blocks := 0
			for n := range tt.pauses {
				p.block = p.waitsThere(tt.mode)
				if p.block && blocks == 0 {
					blocks = n + 1
				}
				got = append(got, p.next(tt.stat(p.block), tt.mode))
			}
			if !slices.Equal(got, tt.pauses) || blocks != tt.blocks {
				t.Errorf("pauses %v, at the server from the %dth on; want %v, %d", got, blocks, tt.pauses, tt.blocks)
			}
		})
	}
}

func blocked(block bool) nlm.Stats {
	if block {
		return nlm.Blocked
	}
	return nlm.Denied
}

// A server that has a lock in its queue and does not call makes everybody leave
// the queue for a while.
func TestAServerThatDoesNotCallIsNotWaitedAt(t *testing.T) {
	inBubble(t, nfstest.Options{Callback: nfstest.CallNobody}, func(t *testing.T, r *rig) {
		e, other := r.engine(), r.engine()
		take(t, other, r.a, lk(ann, Exclusive, 0, 9))
		take(t, other, r.b, lk(ann, Exclusive, 0, 9))
		first := r.start(t.Context(), e, r.a, lk(bob, Exclusive, 0, 9))
		time.Sleep(time.Minute)
		second := r.start(t.Context(), e, r.b, lk(bob, Exclusive, 0, 9))
		time.Sleep(time.Second)
		r.wantLocks("before", "a:x0-9 a:waits x0-9 b:x0-9 b:waits x0-9")
		if err := other.Release(t.Context(), r.a, ann); err != nil {
			t.Error(err)
		}
		if err := r.soon("the first", first, pollLast); err != nil {
			t.Error(err)
		}
		time.Sleep(pollLast)
		r.wantLocks("when it is known that the server does not call", "a:x0-9 b:x0-9")
		if err := other.Release(t.Context(), r.b, ann); err != nil {
			t.Error(err)
		}
		if err := r.soon("the second", second, stallLast); err != nil {
			t.Error(err)
		}
	})
}

// Most locks are held for a moment, and the server need not queue anybody.
func TestALockThatIsHeldForAMomentIsNotWaitedForAtTheServer(t *testing.T) {
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		e, other := r.engine(), r.engine()
		take(t, other, r.a, lk(ann, Exclusive, 0, 9))
		got := r.start(t.Context(), e, r.a, lk(bob, Exclusive, 0, 9))
		time.Sleep(10 * time.Millisecond)
		r.wantLocks("after 10 ms", "a:x0-9")
		if err := other.Release(t.Context(), r.a, ann); err != nil {
			t.Error(err)
		}
		if err := r.soon("the grant", got, 16*time.Millisecond); err != nil {
			t.Error(err)
		}
	})
}

// Who does not want to wait does so only until it is known who has the lock.
func TestWhoDoesNotWaitIsAnsweredWhenAnotherHasTheLock(t *testing.T) {
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		e := r.engine()
		r.s.Fault(nfstest.Fault{Program: nlm.Program, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Delay(time.Second)}})
		first := r.start(t.Context(), e, r.a, lk(ann, Exclusive, 0, 9))
		begin := time.Now()
		err := e.Lock(t.Context(), r.a, nil, lk(bob, Exclusive, 5, 5), false)
		if took := time.Since(begin); !errors.Is(err, syscall.EAGAIN) || took > 2*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
		r.s.ClearFaults()
	})
}
