package lock

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// fakeNet is a network in memory with one server that has rpcbind and rpc.statd.
type fakeNet struct {
	listener // what statd does not do
	begin    time.Time
	deaf     int // how many notices are lost
	refuse   int // how many questions for the port fail
	wg       sync.WaitGroup

	mu  sync.Mutex // guards log
	log []string
}

func (n *fakeNet) say(format string, a ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, fmt.Sprintf("%v ", time.Since(n.begin).Round(time.Second))+fmt.Sprintf(format, a...))
}

func (n *fakeNet) Getport(context.Context, *rpc.Request, *portmap.Mapping) uint32 { return 600 }
func (n *fakeNet) Dump(context.Context, *rpc.Request) []portmap.Mapping           { return nil }

func (n *fakeNet) Notify(_ context.Context, _ *rpc.Request, s *nsm.StatChge) {
	n.say("told %s %d", s.Name, s.State)
}

// dial is the monitor's way to the server.
func (n *fakeNet) dial(_ context.Context, netid string, to netip.AddrPort) (transport.Conn, error) {
	if netid != portmap.NetidUDP {
		return nil, errors.New("told over " + netid)
	}
	n.mu.Lock()
	deaf := to.Port() == 600 && n.deaf > 0
	refuse := to.Port() == portmap.Port && n.refuse > 0
	if deaf {
		n.deaf--
	}
	if refuse {
		n.refuse--
	}
	n.mu.Unlock()
	if refuse {
		n.say("refused %d", to.Port())
		return nil, errors.New("connection refused")
	}
	n.say("to %d", to.Port())
	near, far := transport.Pipe()
	var s rpc.Server
	if !deaf {
		s.Register(portmap.Program, portmap.Version2, portmap.Serve(n))
		s.Register(nsm.Program, nsm.Version, nsm.Serve(n))
		n.wg.Go(func() { s.ServeConn(context.Background(), far) }) // ends with near
	}
	return near, nil
}

func TestPeersAreToldOfARestartOfTheHost(t *testing.T) {
	for _, tt := range []struct {
		name         string
		deaf, refuse int
		rival        string
		watch        time.Duration // when Watch comes, if it is not 0
		want         string
		left         int // untold at the end
	}{
		{"at once", 0, 0, "", 0, "0s to 111,0s to 600,0s told client 3", 0},
		{"again after 2, 4, 8 s, and after four notices the port is asked for anew", 4, 0, "", 0,
			"0s to 111,0s to 600,2s to 600,6s to 600,14s to 600,30s to 111,30s to 600,30s told client 3", 0},
		{"a server that is starting", 0, 2, "", 0, "0s refused 111,2s refused 111,6s to 111,6s to 600,6s told client 3", 0},
		{"not where somebody has locks since", 0, 0, "the kernel", 0, "", 0},
		{"before the first lock, and not again", 1, 0, "", time.Second, "0s to 111,0s to 600,1s to 111,1s to 600,1s told client 3", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			a := h.start(t, "one")
			if err := a.Watch(t.Context(), filer); err != nil {
				t.Fatal(err)
			}
			a.Close()
			dir := h.dir
			synctest.Test(t, func(t *testing.T) {
				n := &fakeNet{begin: time.Now(), deaf: tt.deaf, refuse: tt.refuse}
				e := env{bootID: "two", rpcbind: "/none", dial: n.dial, check: time.Hour,
					rivals: func(netip.Addr, int) string { return tt.rival }}
				life := t.Context()
				m, err := newTelling(life, dir, e)
				if err != nil {
					t.Fatal(err)
				}
				if tt.watch != 0 {
					time.Sleep(tt.watch)
					if err := m.Watch(life, filer); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(20 * time.Minute)
				b, err := loadBoot(dir)
				if err != nil || len(b.Untold) != tt.left || b.State != 3 {
					t.Errorf("record: %+v, %v", b, err)
				}
				// A second daemon has nobody to tell.
				m2, err := newTelling(life, dir, e)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				m2.Close()
				m.Close()
				n.wg.Wait()
				if got := strings.Join(n.log, ","); got != tt.want {
					t.Errorf("it went\n%s, want\n%s", got, tt.want)
				}
			})
		})
	}
}

// newTelling starts a monitor that only tells: no socket is in a bubble.
func newTelling(ctx context.Context, dir string, e env) (*Monitor, error) {
	cfg := MonitorConfig{Dir: dir, Name: "client"}
	return newMonitor(ctx, cfg, e)
}

func TestTellingEndsAfterAQuarterOfAnHour(t *testing.T) {
	h := newHost(t)
	a := h.start(t, "one")
	if err := a.Watch(t.Context(), filer); err != nil {
		t.Fatal(err)
	}
	a.Close()
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNet{begin: time.Now(), deaf: 1 << 30}
		// The record tells the real time; what the bubble's clock shows is long
		// before it, so the limit is set here.
		e := env{bootID: "two", rpcbind: "/none", dial: n.dial, check: time.Hour, rivals: func(netip.Addr, int) string { return "" }}
		m, err := newTelling(t.Context(), h.dir, e)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Minute)
		m.Close()
		b, err := loadBoot(h.dir)
		if err != nil || len(b.Untold) != 0 {
			t.Errorf("record: %+v, %v", b, err)
		}
		last, _, _ := strings.Cut(n.log[len(n.log)-1], " ")
		if d, err := time.ParseDuration(last); err != nil || d < 13*time.Minute || d > 15*time.Minute {
			t.Errorf("last told after %v, %v", d, err)
		}
	})
}

func TestWaitsOfTelling(t *testing.T) {
	var got []time.Duration
	for n := range 9 {
		got = append(got, tellWait(n)/time.Second)
	}
	if want := []time.Duration{2, 4, 8, 16, 32, 64, 120, 120, 120}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTellingDoesNotEndWithAStepOfTheClock(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name  string
		since time.Duration // before now, by the clock of the wall
		left  time.Duration
	}{
		{"just begun", 0, tellEnd},
		{"by an earlier daemon", 5 * time.Minute, 10 * time.Minute},
		{"an hour ago", time.Hour, tellEnd - time.Hour},
		{"tomorrow, as the clock was set back", -24 * time.Hour, tellEnd},
	} {
		end := tellUntil(now.Add(-tt.since).Round(0), now)
		if got := end.Sub(now); got != tt.left {
			t.Errorf("%s: for %v more, want %v", tt.name, got, tt.left)
		}
		if end == end.Round(0) { // which takes its monotonic reading away
			t.Errorf("%s: the end is one of the clock on the wall", tt.name)
		}
	}
}
