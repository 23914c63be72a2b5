package mounttab

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lockStub is a mount that locks.
type lockStub struct {
	mountStub
	locks Locks

	mu       sync.Mutex // guards what follows
	rebooted []Rebooted
}

func (s *lockStub) Locks() Locks { return s.locks }

func (s *lockStub) Granted(g Granted) bool { return g.Svid == 7 }

func (s *lockStub) Rebooted(r Rebooted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rebooted = append(s.rebooted, r)
}

func TestADaemonTellsOfItsLocks(t *testing.T) {
	end := uint64(1<<63 - 1)
	s := &lockStub{locks: Locks{Local: "none", Held: []Lock{{Path: "/a", FH: "01", Kind: "posix", Type: "exclusive", Start: 5, End: &end, PID: 12, Svid: 3}},
		Agent: true, State: 3, Peers: []LockPeer{{Name: "server", Addr: "192.0.2.1"}}}}
	rec := serve(t, table(t), Record{Dir: "/mnt"}, s).Record()
	resp, err := Call(within30s(t), rec, Request{Op: OpLocks})
	want := s.locks
	want.HeldCount = 1
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, resp.Locks); diff != "" {
		t.Error(diff)
	}
}

func TestCallbacksAreHandedOn(t *testing.T) {
	s := &lockStub{}
	rec := serve(t, table(t), Record{Dir: "/mnt"}, s).Record()
	ctx := within30s(t)
	for svid, want := range map[int32]bool{7: true, 8: false} {
		resp, err := Call(ctx, rec, Request{Op: OpGranted, Granted: &Granted{Peer: "192.0.2.1", FH: []byte{1}, OH: make([]byte, 1024), Svid: svid}})
		if err != nil || resp.Taken != want {
			t.Errorf("svid %d: %+v, %v", svid, resp, err)
		}
	}
	notice := Rebooted{"192.0.2.1", "server", 5}
	if _, err := Call(ctx, rec, Request{Op: OpRebooted, Rebooted: &notice}); err != nil || len(s.rebooted) != 1 || s.rebooted[0] != notice {
		t.Errorf("%v, %v", s.rebooted, err)
	}
}

func TestWhatIsAskedOfLocksInVain(t *testing.T) {
	locks := serve(t, table(t), Record{Dir: "/mnt"}, &lockStub{}).Record()
	none := serve(t, table(t), Record{Dir: "/mnt2"}, &mountStub{}).Record()
	for name, tt := range map[string]struct {
		rec  Record
		req  Request
		want string
	}{
		"a mount without locks":          {none, Request{Op: OpLocks}, "does not lock at its server"},
		"a callback that says nothing":   {locks, Request{Op: OpGranted}, "lacks what it is about"},
		"a notice that says nothing":     {locks, Request{Op: OpRebooted}, "lacks what it is about"},
		"a callback, of a mount without": {none, Request{Op: OpGranted, Granted: &Granted{}}, "does not lock"},
	} {
		_, err := Call(within30s(t), tt.rec, tt.req)
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManyLocksFitIntoAnAnswer(t *testing.T) {
	s := &lockStub{}
	end := ^uint64(0) - 1
	for range 5000 {
		l := Lock{Path: strings.Repeat("p", 5000), FH: strings.Repeat("f", 128), Kind: "posix", Type: "exclusive", Start: end, End: &end, PID: 1 << 31, Svid: 1 << 30}
		s.locks.Held, s.locks.Wait, s.locks.Lost = append(s.locks.Held, l), append(s.locks.Wait, l), append(s.locks.Lost, l)
	}
	rec := serve(t, table(t), Record{Dir: "/mnt"}, s).Record()
	resp, err := Call(within30s(t), rec, Request{Op: OpLocks})
	if err != nil {
		t.Fatal(err)
	}
	if l := resp.Locks; l.HeldCount != 5000 || l.WaitCount != 5000 || len(l.Held) != maxLocks || len(l.Lost) != maxLocks || len(l.Held[0].Path) > maxLockPath+3 {
		t.Errorf("%d held, %d told", l.HeldCount, len(l.Held))
	}
}
