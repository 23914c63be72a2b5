package lock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	fileA = mustFH("a")
	fileB = mustFH("b")
)

func mustFH(s string) nfs3.FH {
	fh, err := nfs3.MakeFH([]byte(s))
	if err != nil {
		panic(err)
	}
	return fh
}

func localEngine(l mountopt.LocalLock) *Engine { return New(Config{Local: l}) }

// step is one call in a table of calls, and what it must give: "" for nothing.
type step struct {
	do   string // lock, unlock, release, test
	l    Lock
	want error
}

func TestLocalLocksFollowThePages(t *testing.T) {
	const S, X = Shared, Exclusive
	flockAnn, flockBob := Owner{Flock, 1}, Owner{Flock, 2}
	ofd := Owner{OFD, 1}
	for _, tt := range []struct {
		name  string
		local mountopt.LocalLock
		steps []step
	}{
		{"a lock keeps others out until it is given back", mountopt.LocalAll, []step{
			{"lock", lk(ann, X, 0, 9), nil}, {"lock", lk(bob, S, 9, 9), syscall.EAGAIN},
			{"unlock", lk(ann, X, 0, 9), nil}, {"lock", lk(bob, S, 9, 9), nil}}},
		{"shared locks are shared, and upgraded only alone", mountopt.LocalAll, []step{
			{"lock", lk(ann, S, 0, 9), nil}, {"lock", lk(bob, S, 0, 9), nil}, {"lock", lk(ann, X, 0, 9), syscall.EAGAIN},
			{"release", lk(bob, S, 0, 0), nil}, {"lock", lk(ann, X, 0, 9), nil}}},
		{"a downgrade lets others in", mountopt.LocalAll, []step{
			{"lock", lk(ann, X, 0, 9), nil}, {"lock", lk(ann, S, 0, 9), nil}, {"lock", lk(bob, S, 0, 9), nil}}},
		{"a refused upgrade leaves the shared lock", mountopt.LocalAll, []step{
			{"lock", lk(ann, S, 0, 9), nil}, {"lock", lk(bob, S, 0, 9), nil}, {"lock", lk(ann, X, 0, 9), syscall.EAGAIN},
			{"unlock", lk(bob, S, 0, 9), nil}, {"lock", lk(bob, X, 0, 9), syscall.EAGAIN}}},
		{"release gives all back", mountopt.LocalAll, []step{
			{"lock", lk(ann, X, 0, 9), nil}, {"lock", lk(ann, X, 20, EOF), nil}, {"release", lk(ann, X, 0, 0), nil},
			{"lock", lk(bob, X, 0, EOF), nil}}},
		{"fcntl and OFD locks of one process are in each other's way", mountopt.LocalAll, []step{
			{"lock", lk(ann, X, 0, 9), nil}, {"lock", lk(ofd, X, 0, 9), syscall.EAGAIN}}},
		{"local flock and fcntl know nothing of each other", mountopt.LocalAll, []step{
			{"lock", lk(ann, X, 0, EOF), nil}, {"lock", lk(flockAnn, X, 0, EOF), nil}, {"lock", lk(flockBob, S, 0, EOF), syscall.EAGAIN}}},
		{"a range that cannot be", mountopt.LocalAll, []step{
			{"lock", lk(ann, X, 9, 0), syscall.EINVAL}, {"unlock", lk(ann, X, 9, 0), syscall.EINVAL}, {"test", lk(ann, X, 9, 0), syscall.EINVAL},
			{"lock", lk(ann, X, 1<<63, EOF), syscall.EOVERFLOW}}},
		{"unlocking what was never locked", mountopt.LocalAll, []step{
			{"unlock", lk(ann, X, 0, 9), nil}, {"release", lk(ann, X, 0, 0), nil}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := localEngine(tt.local)
			defer e.Close(t.Context())
			for i, s := range tt.steps {
				if err := perform(t.Context(), e, s); !errors.Is(err, s.want) {
					t.Fatalf("step %d, %s %v: %v, want %v", i, s.do, s.l, err, s.want)
				}
			}
		})
	}
}

func perform(ctx context.Context, e *Engine, s step) (err error) {
	switch s.do {
	case "lock":
		return e.Lock(ctx, fileA, nil, s.l, false)
	case "unlock":
		return e.Unlock(ctx, fileA, nil, s.l.Owner, s.l.Range)
	case "release":
		return e.Release(ctx, fileA, s.l.Owner)
	}
	_, err = e.Test(ctx, fileA, nil, s.l)
	return err
}

func TestTestNamesWhoIsInTheWay(t *testing.T) {
	e := localEngine(mountopt.LocalAll)
	defer e.Close(t.Context())
	l := lk(ann, Exclusive, 10, 19)
	l.PID = 4711
	if err := e.Lock(t.Context(), fileA, nil, l, false); err != nil {
		t.Fatal(err)
	}
	got, err := e.Test(t.Context(), fileA, nil, lk(bob, Shared, 0, EOF))
	if err != nil || got == nil || *got != l {
		t.Errorf("got %v, %v; want %v", got, err, l)
	}
	for _, free := range []Lock{lk(ann, Exclusive, 0, EOF), lk(bob, Exclusive, 20, EOF)} {
		if got, err := e.Test(t.Context(), fileA, nil, free); got != nil || err != nil {
			t.Errorf("%v: got %v, %v", free, got, err)
		}
	}
	if got, _ := e.Test(t.Context(), fileB, nil, lk(bob, Exclusive, 0, EOF)); got != nil {
		t.Errorf("another file is locked by %v", got)
	}
	if !e.Holds(fileA) || e.Holds(fileB) {
		t.Error("Holds is wrong")
	}
}

func TestWaitersGoOnInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := localEngine(mountopt.LocalAll)
		defer e.Close(t.Context())
		take(t, e, fileA, lk(ann, Exclusive, 0, 9))
		var mu sync.Mutex
		var order []uint64
		var wg sync.WaitGroup
		for id := uint64(10); id < 15; id++ {
			wg.Go(func() {
				o := Owner{Posix, id}
				if err := e.Lock(t.Context(), fileA, nil, lk(o, Exclusive, 0, EOF), true); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, id)
				mu.Unlock()
				time.Sleep(time.Second)
				if err := e.Release(t.Context(), fileA, o); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait() // it is in the queue
		}
		if err := e.Unlock(t.Context(), fileA, nil, ann, WholeFile); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if got := fmt.Sprint(order); got != "[10 11 12 13 14]" {
			t.Errorf("the order was %s", got)
		}
		if len(e.files) != 0 || e.held != 0 {
			t.Errorf("%d files and %d ranges are left", len(e.files), e.held)
		}
	})
}

func TestAWaitEndsWithItsContextAndLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := localEngine(mountopt.LocalAll)
		defer e.Close(t.Context())
		take(t, e, fileA, lk(ann, Exclusive, 0, 9))
		why := errors.New("a signal")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(why) })
		if err := e.Lock(ctx, fileA, nil, lk(bob, Shared, 0, 9), true); err != why {
			t.Errorf("got %v", err)
		}
		if err := e.Release(t.Context(), fileA, ann); err != nil || len(e.files) != 0 {
			t.Errorf("%v; %d files are left", err, len(e.files))
		}
	})
}

func TestCloseEndsWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := localEngine(mountopt.LocalAll)
		take(t, e, fileA, lk(ann, Exclusive, 0, 9))
		time.AfterFunc(time.Minute, func() { e.Close(context.Background()) })
		if err := e.Lock(t.Context(), fileA, nil, lk(bob, Shared, 0, 9), true); !errors.Is(err, syscall.ENOLCK) {
			t.Errorf("got %v", err)
		}
	})
}

func take(t *testing.T, e *Engine, fh nfs3.FH, l Lock) {
	t.Helper()
	if err := e.Lock(t.Context(), fh, nil, l, false); err != nil {
		t.Fatal(err)
	}
}

func TestProcessesThatWaitForEachOtherAreADeadlock(t *testing.T) {
	const X = Exclusive
	eve := Owner{Posix, 3}
	for _, tt := range []struct {
		name string
		kind Kind
		last error // of ann's request, nil: it waits
	}{
		{"three processes over two files", Posix, syscall.EDEADLK},
		{"open file descriptions are not judged", OFD, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := localEngine(mountopt.LocalAll)
				defer e.Close(t.Context())
				a, b, c := ann, bob, eve
				a.Kind, b.Kind, c.Kind = tt.kind, tt.kind, tt.kind
				take(t, e, fileA, lk(a, X, 0, 0))
				take(t, e, fileA, lk(b, X, 1, 1))
				take(t, e, fileB, lk(c, X, 0, 0))
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				wg.Go(func() { e.Lock(ctx, fileA, nil, lk(b, X, 0, 0), true) }) // b waits for a
				wg.Go(func() { e.Lock(ctx, fileA, nil, lk(c, X, 1, 1), true) }) // c for b
				synctest.Wait()
				actx, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				err := e.Lock(actx, fileB, nil, lk(a, X, 0, 0), true) // and a for c
				if want := tt.last; want != nil && !errors.Is(err, want) || want == nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want %v", err, want)
				}
				cancel()
				wg.Wait()
			})
		})
	}
}

func TestTheTableIsBounded(t *testing.T) {
	e := localEngine(mountopt.LocalAll)
	defer e.Close(t.Context())
	e.held = maxHeld - 1
	take(t, e, fileA, lk(ann, Exclusive, 0, 0))
	if err := e.Lock(t.Context(), fileA, nil, lk(ann, Exclusive, 5, 5), false); !errors.Is(err, syscall.ENOLCK) {
		t.Errorf("got %v", err)
	}
	if err := e.Lock(t.Context(), fileA, nil, lk(ann, Exclusive, 1, 1), false); err != nil { // becomes one with the first
		t.Error(err)
	}
}

func TestOwnersAreNeverGivenTwice(t *testing.T) {
	e := localEngine(mountopt.LocalAll)
	if a, b := e.NewOwner(OFD), e.NewOwner(OFD); a == b || a.Kind != OFD {
		t.Errorf("%v and %v", a, b)
	}
}

func ExampleEngine_Lock() {
	e := New(Config{Local: mountopt.LocalAll})
	defer e.Close(context.Background())
	fh, _ := nfs3.MakeFH([]byte{1, 2, 3})
	one, two := e.NewOwner(Posix), e.NewOwner(Posix)

	ctx := context.Background()
	fmt.Println(e.Lock(ctx, fh, nil, Lock{Owner: one, Range: Range{0, 99}, Type: Exclusive}, true))
	err := e.Lock(ctx, fh, nil, Lock{Owner: two, Range: Range{50, 59}, Type: Shared}, false)
	fmt.Println(err, errors.Is(err, syscall.EAGAIN))
	// Output:
	// <nil>
	// lock of bytes 50-59: resource temporarily unavailable true
}
