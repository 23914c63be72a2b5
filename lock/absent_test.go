package lock

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

func TestAServerWithoutALockManager(t *testing.T) {
	for _, tt := range []struct {
		name string
		auto bool
		want error
	}{
		{"fails at once", false, syscall.ENOLCK},
		{"is done without, with locks=auto", true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, nfstest.Options{NoNLM: true}, func(t *testing.T, r *rig) {
				e := r.engine(func(c *Config) { c.Auto = tt.auto })
				begin := time.Now()
				for range 3 {
					if err := e.Lock(t.Context(), r.a, nil, lk(ann, Exclusive, 0, 9), true); !errors.Is(err, tt.want) {
						t.Errorf("LOCK: %v", err)
					}
				}
				h, err := e.Test(t.Context(), r.a, nil, lk(bob, Exclusive, 0, 9))
				if !errors.Is(err, tt.want) || tt.auto && (h == nil || h.Owner != ann) {
					t.Errorf("TEST: %v, %v", h, err)
				}
				if took := time.Since(begin); took > 0 {
					t.Errorf("it took %v", took)
				}
				if tt.auto {
					if err := e.Lock(t.Context(), r.a, nil, lk(bob, Exclusive, 0, 9), false); !errors.Is(err, syscall.EAGAIN) {
						t.Errorf("a second owner: %v", err)
					}
					if err := e.Release(t.Context(), r.a, ann); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// Only an answer decides that there is no lock manager. An rpcbind that is silent
// or just starting may know of one, and then a lock kept here protects nothing.
func TestAnRpcbindThatDoesNotAnswer(t *testing.T) {
	const forEver = 1000 * time.Hour
	for _, tt := range []struct {
		name    string
		silent  time.Duration // drops calls for so long
		refuses time.Duration // or refuses connections
		change  func(*Config)
		want    error
		local   bool
		least   time.Duration
		most    time.Duration
	}{
		{name: "hard: one that is silent is waited for", silent: time.Minute, least: time.Minute, most: 70 * time.Second},
		{name: "hard, locks=auto: just so", silent: time.Minute, change: func(c *Config) { c.Auto = true }, least: time.Minute, most: 70 * time.Second},
		{name: "soft: it is an error", silent: forEver, change: func(c *Config) { c.Server.Hard = false }, want: syscall.EIO, most: 10 * time.Second},
		{name: "soft, locks=auto: just so", silent: forEver, change: func(c *Config) { c.Server.Hard, c.Auto = false, true }, want: syscall.EIO, most: 10 * time.Second},
		{name: "hard: one that starts is waited for", refuses: 3 * time.Second, least: 3 * time.Second, most: 8 * time.Second},
		{name: "hard, locks=auto: one that starts is waited for", refuses: 3 * time.Second, change: func(c *Config) { c.Auto = true }, least: 3 * time.Second, most: 8 * time.Second},
		{name: "hard: one that is not there at all", refuses: forEver, want: syscall.ENOLCK, least: refusedFor, most: 2 * refusedFor},
		{name: "hard, locks=auto: one that is not there at all", refuses: forEver, change: func(c *Config) { c.Auto = true }, local: true, least: refusedFor, most: 2 * refusedFor},
		{name: "soft: one that is not there", refuses: forEver, change: func(c *Config) { c.Server.Hard = false }, want: syscall.ENOLCK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
				began := time.Now()
				if tt.silent > 0 {
					r.s.Fault(nfstest.Fault{Program: portmap.Program, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DropCall()},
						If: func(*nfstest.Call) bool { return time.Since(began) < tt.silent }})
				}
				e := r.engine(func(c *Config) {
					dial := c.Server.DialContext
					c.Server.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
						if strings.HasSuffix(addr, ":111") && time.Since(began) < tt.refuses {
							return nil, syscall.ECONNREFUSED
						}
						return dial(ctx, network, addr)
					}
					if tt.change != nil {
						tt.change(c)
					}
				})
				err := e.Lock(t.Context(), r.a, nil, lk(ann, Exclusive, 0, 9), false)
				if took := time.Since(began); !errors.Is(err, tt.want) || took < tt.least || took > tt.most {
					t.Errorf("LOCK: %v after %v", err, took)
				}
				if tt.want == nil {
					there := "a:x0-9"
					if tt.local {
						there = ""
					}
					r.wantLocks("then", there)
					if err := e.Release(t.Context(), r.a, ann); err != nil {
						t.Error(err)
					}
				}
				if tt.refuses == forEver { // that is known now
					time.Sleep(time.Hour)
					began := time.Now()
					if err := e.Lock(t.Context(), r.a, nil, lk(ann, Exclusive, 0, 9), false); !errors.Is(err, tt.want) || time.Since(began) > 0 {
						t.Errorf("the next LOCK: %v after %v", err, time.Since(began))
					}
					_ = e.Release(t.Context(), r.a, ann)
				}
			})
		})
	}
}

// What a server that is starting says, in the usual order of a boot, is no answer:
// with locks=auto, locks would be kept here for good.
func TestAServerThatIsStartingHasALockManagerLater(t *testing.T) {
	type phase struct {
		until time.Duration // since the start
		does  func(r *rig, now func() bool, c *Config)
	}
	refuses := func(_ *rig, now func() bool, c *Config) {
		dial := c.Server.DialContext
		c.Server.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if strings.HasSuffix(addr, ":111") && now() {
				return nil, syscall.ECONNREFUSED
			}
			return dial(ctx, network, addr)
		}
	}
	meets := func(program uint32, a ...nfstest.Action) func(*rig, func() bool, *Config) {
		return func(r *rig, now func() bool, _ *Config) {
			r.s.Fault(nfstest.Fault{Program: program, Times: nfstest.Forever, Do: a, If: func(*nfstest.Call) bool { return now() }})
		}
	}
	unregistered := meets(portmap.Program, nfstest.Message(func(msg []byte) []byte {
		clear(msg[24:]) // port 0
		return msg
	}))
	silent := meets(portmap.Program, nfstest.DropCall())
	accept := func(stat rpc.AcceptStat) func(*rig, func() bool, *Config) {
		return meets(nlm.Program, nfstest.Accept(stat))
	}
	const s = time.Second
	for _, tt := range []struct {
		name   string
		phases []phase
		left   bool          // a LOCK was given up after 1 s, at the start
		at     time.Duration // when LOCK is called, since the start
		local  bool
		least  time.Duration
		most   time.Duration
	}{
		{name: "rpcbind refuses, then does not know it yet", phases: []phase{{3 * s, refuses}, {5 * s, unregistered}}, least: 5 * s, most: 10 * s},
		{name: "rpcbind is silent, then does not know it yet", phases: []phase{{4 * s, silent}, {9 * s, unregistered}}, least: 9 * s, most: 15 * s},
		{name: "rpcbind refuses, then never knows it", phases: []phase{{3 * s, refuses}, {time.Hour, unregistered}}, local: true, least: 8 * s, most: 13 * s},
		{name: "rpcbind refused an hour ago, and does again for a moment", phases: []phase{{s, refuses}, {time.Hour, nil}, {time.Hour + 2*s, refuses}}, left: true, at: time.Hour, least: 2 * s, most: 5 * s},
		{name: "rpcbind refused an hour ago, and now does not know it", phases: []phase{{s, refuses}, {2 * time.Hour, unregistered}}, left: true, at: time.Hour, local: true},
		{name: "the lock manager has an error of its own", phases: []phase{{3 * s, accept(rpc.SystemErr)}}, least: 3 * s, most: 8 * s},
		{name: "the lock manager does not understand", phases: []phase{{3 * s, accept(rpc.GarbageArgs)}}, least: 3 * s, most: 8 * s},
		{name: "another program has its port", phases: []phase{{time.Hour, accept(rpc.ProgUnavail)}}, local: true},
		{name: "the lock manager is of another version", phases: []phase{{time.Hour, accept(rpc.ProgMismatch)}}, local: true},
		{name: "the lock manager has no LOCK", phases: []phase{{time.Hour, accept(rpc.ProcUnavail)}}, local: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
				began := time.Now()
				e := r.engine(func(c *Config) {
					c.Auto = true
					var from time.Duration
					for _, p := range tt.phases {
						since := from
						now := func() bool { d := time.Since(began); return since <= d && d < p.until }
						if from = p.until; p.does != nil {
							p.does(r, now, c)
						}
					}
				})
				if tt.left {
					ctx, cancel := context.WithTimeout(t.Context(), s)
					if err := e.Lock(ctx, r.b, nil, lk(ann, Exclusive, 0, 9), false); err != context.DeadlineExceeded {
						t.Errorf("the LOCK that is given up: %v", err)
					}
					cancel()
				}
				time.Sleep(tt.at - time.Since(began))
				take(t, e, r.a, lk(ann, Exclusive, 0, 9))
				if took := time.Since(began) - tt.at; took < tt.least || took > tt.most {
					t.Errorf("LOCK took %v", took)
				}
				there := "a:x0-9"
				if tt.local {
					there = ""
				}
				r.wantLocks("then", there)
				if err := e.Release(t.Context(), r.a, ann); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Who waits here for what the server says to another finds himself in another
// queue when locks stay here from then on. Engines that leave a file behind fail
// at their end.
func TestThoseWhoWaitedWhenLocksBecameLocalLeaveTheirQueue(t *testing.T) {
	inBubble(t, nfstest.Options{NoNLM: true}, func(t *testing.T, r *rig) {
		r.s.Fault(nfstest.Fault{Program: portmap.Program, Times: 1, Do: []nfstest.Action{nfstest.DelayCall(time.Second)}})
		e := r.engine(func(c *Config) { c.Auto = true })
		first := Lock{Owner: Owner{Flock, 1}, Range: WholeFile, Type: Exclusive}
		second := Lock{Owner: Owner{Flock, 2}, Range: WholeFile, Type: Exclusive}
		a, b := r.start(t.Context(), e, r.a, first), r.start(t.Context(), e, r.a, second)
		if n := len(e.Status().Waiting); n != 2 {
			t.Errorf("%d wait, want 2", n)
		}
		for l, got := range map[Lock]<-chan error{first: a, second: b} {
			go func() {
				if err := <-got; err != nil {
					t.Error(err)
				}
				if err := e.Release(t.Context(), r.a, l.Owner); err != nil {
					t.Error(err)
				}
			}()
		}
		time.Sleep(time.Minute)
		if s := e.Status(); len(s.Waiting)+len(s.Held) != 0 {
			t.Errorf("left: %+v", s)
		}
	})
}
