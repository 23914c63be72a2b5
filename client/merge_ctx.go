package client

import (
	"context"
	"time"
)

// Deadline implements context.Context: each member has its own.
func (g *merged) Deadline() (t time.Time, ok bool) { return t, false }

// Done implements context.Context.
func (g *merged) Done() <-chan struct{} { return g.stop }

// Err implements context.Context.
func (g *merged) Err() error {
	select {
	case <-g.stop:
		return context.Canceled
	default:
		return nil
	}
}

// Value implements context.Context.
func (g *merged) Value(any) any { return nil }
