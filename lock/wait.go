package lock

import (
	"context"
	"time"

	"github.com/gonfs/gonfs/rpc"
)

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

// rest is sleep for whoever asks the server for a caller, who may go on waiting
// when ctx ends (rpc.GiveUpper).
func rest(ctx context.Context, d time.Duration) error {
	done := make(chan struct{})
	t := time.AfterFunc(d, func() { close(done) })
	defer t.Stop()
	return rpc.Wait(ctx, done)
}

// left reports whether the caller of ctx does not wait any more, by the same
// rules.
func left(ctx context.Context) bool {
	if ctx.Err() == nil {
		return false
	}
	g, ok := ctx.(rpc.GiveUpper)
	return !ok || g.GiveUp()
}
