package lock

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// loud is a log that fails the test when anything is said above the level of
// what users need not know.
type loud struct{ t *testing.T }

func (l loud) Write(b []byte) (int, error) {
	l.t.Errorf("it said %s", b)
	return len(b), nil
}

// Daemons that start and end at the same time see each other half there: none
// takes another for the system's monitor, or for one that does not answer.
func TestDaemonsThatComeAndGoAtOnceAgreeWhoListens(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	log := slog.New(slog.NewTextHandler(loud{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	e := h.env("boot")
	e.check = time.Hour
	e.looks = 9 // 13 s in all, where the machine is slow: daemons come and go for longer than it is looked
	open := func() *Monitor {
		m, err := newMonitor(t.Context(), MonitorConfig{Dir: h.dir, Name: "client", Notify: h.notify, Logger: log}, e)
		if err != nil {
			t.Error(err)
		}
		return m
	}
	var daemons sync.WaitGroup
	for range 4 {
		daemons.Go(func() {
			for range 5 {
				if err := open().Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	daemons.Wait()
	last := open()
	if n := len(h.monitors()); n < 2 {
		t.Errorf("%d registrations of the last one", n)
	}
	if err := last.Close(); err != nil {
		t.Error(err)
	}
	if left := h.registered(); len(left) > 0 {
		t.Errorf("left at rpcbind: %v", left)
	}
}

// A mount that is refused ends while its monitor looks around. Nothing is said
// of that, below the reason of the refusal.
func TestAMonitorThatIsGivenUpDoesNotComplain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	var out strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m, err := newMonitor(ctx, MonitorConfig{Dir: h.dir, Logger: slog.New(slog.NewTextHandler(&out, nil))}, h.env("boot"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if out.Len() > 0 {
		t.Errorf("it said %s", out.String())
	}
}
