package rpc

import (
	"context"
	"time"
)

// Wait waits until done is closed, or brings a token, or the caller gives up: a
// ctx that is a GiveUpper is asked when it is done and each 200 ms from then on,
// any other gives up at once. The error is the cause of ctx. It is for whoever
// waits for the outcome of calls that others make; done goes before ctx.
func Wait[T any](ctx context.Context, done <-chan T) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	if g, ok := ctx.(GiveUpper); ok {
		t := time.NewTicker(askEvery)
		defer t.Stop()
		for !g.GiveUp() {
			select {
			case <-done:
				return nil
			case <-t.C:
			}
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return context.Canceled // Done without Err: a poor context, but clear enough
}

// Sleep waits until d is over or the caller gives up, as Wait does.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	return Wait(ctx, t.C)
}

// GaveUp reports whether the caller of ctx does not wait any more, by the rules
// of Wait.
func GaveUp(ctx context.Context) bool {
	if ctx.Err() == nil {
		return false
	}
	g, ok := ctx.(GiveUpper)
	return !ok || g.GiveUp()
}
