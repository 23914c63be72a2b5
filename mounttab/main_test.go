package mounttab

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mountStub is a mount that says what it is told to.
type mountStub struct {
	status   Status
	drainErr error
	draining chan struct{} // if set, Drain closes it and waits for its ctx
	aborted  atomic.Bool
}

func (m *mountStub) Status() Status { return m.status }
func (m *mountStub) Abort()         { m.aborted.Store(true) }

func (m *mountStub) Drain(ctx context.Context) error {
	if m.draining != nil {
		close(m.draining)
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return m.drainErr
}

// table is a table of the test's own.
func table(t *testing.T) *Table {
	t.Helper()
	tab, err := OpenDir(t.TempDir() + "/gonfs")
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// serve adds an entry that answers with h until the test ends.
func serve(t *testing.T, tab *Table, rec Record, h Handler) *Entry {
	t.Helper()
	e, err := tab.Add(rec)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- e.Serve(h) }()
	t.Cleanup(func() {
		if err := errors.Join(e.Close(), <-done); err != nil {
			t.Errorf("closing the entry: %v", err)
		}
	})
	return e
}

// within30s bounds what should take a moment.
func within30s(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
