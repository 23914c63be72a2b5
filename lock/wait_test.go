package lock

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/portmap"
)

// A signal that does not end the process, such as a Go program's SIGURG, ends no
// F_GETLK; one that does ends it at the next question of GiveUp.
func TestWhoMayGoOnWaitingHearsWhoHasALock(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault nfstest.Fault // for a minute
		dies  bool          // after 10 s
		want  error
		least time.Duration
		most  time.Duration
	}{
		{name: "rpcbind is silent", fault: nfstest.Fault{Program: portmap.Program, Do: []nfstest.Action{nfstest.DropCall()}}, least: time.Minute, most: 70 * time.Second},
		{name: "the lock manager ends each connection", fault: nfstest.Fault{Program: nlm.Program, Do: []nfstest.Action{nfstest.ResetAt(0)}}, least: time.Minute, most: 80 * time.Second},
		{name: "in a grace period", fault: nfstest.Fault{Program: nlm.Program, Do: []nfstest.Action{nfstest.LockStatus(nlm.DeniedGracePeriod)}}, least: time.Minute, most: 70 * time.Second},
		{name: "until it is killed", fault: nfstest.Fault{Program: portmap.Program, Do: []nfstest.Action{nfstest.DropCall()}}, dies: true, want: context.Canceled, least: 10 * time.Second, most: 10*time.Second + 200*time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
				began := time.Now()
				tt.fault.Times = nfstest.Forever
				tt.fault.If = func(*nfstest.Call) bool { return time.Since(began) < time.Minute }
				r.s.Fault(tt.fault)
				e := r.engine()
				gone, cancel := context.WithCancel(t.Context())
				cancel()
				h, err := e.Test(mortal{gone, began, tt.dies}, r.a, nil, lk(ann, Exclusive, 0, 9))
				if took := time.Since(began); h != nil || !errors.Is(err, tt.want) || took < tt.least || took > tt.most {
					t.Errorf("TEST: %v, %v after %v", h, err, took)
				}
			})
		})
	}
}

// mortal is stubborn, but may die after 10 s.
type mortal struct {
	context.Context
	born time.Time
	dies bool
}

func (m mortal) GiveUp() bool { return m.dies && time.Since(m.born) >= 10*time.Second }

// A call that fails tells of the server, unless it failed because its caller left.
func TestAFailedCallTellsOfTheServerWhileSomebodyWaits(t *testing.T) {
	for name, dies := range map[string]bool{"he was sent a signal": false, "he was killed": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
				c := r.engine().caller
				gone, cancel := context.WithCancel(t.Context())
				cancel()
				who := mortal{gone, time.Now().Add(-time.Minute), dies}
				err := c.call(who, func(context.Context, *nlm.Client) error { return errors.New("the network failed") })
				if err == nil || c.failing == dies {
					t.Errorf("%v: failing %v", err, c.failing)
				}
			})
		})
	}
}
