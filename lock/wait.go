package lock

import (
	"context"
	"time"

	"github.com/gonfs/gonfs/rpc"
)

// await waits until done is closed or the caller gives up, by the rules of
// rpc.GiveUpper; the error is the ctx's then.
func await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	g, ok := ctx.(rpc.GiveUpper)
	if !ok {
		return context.Cause(ctx)
	}
	t := time.NewTicker(200 * time.Millisecond)
	defer t.Stop()
	for !g.GiveUp() {
		select {
		case <-done:
			return nil
		case <-t.C:
		}
	}
	return context.Canceled
}

// sleep waits for d; the error is ctx's if it ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
