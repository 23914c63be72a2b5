package client

import (
	"context"
	"time"

	"github.com/gonfs/gonfs/rpc"
)

// waitFor waits until done is closed or the caller gives up, by the rules of
// rpc.GiveUpper: a ctx with that method is asked when it is done and each
// 200 ms from then on; any other gives up at once. The error is the ctx's.
func waitFor(ctx context.Context, done <-chan struct{}) error { return receive(ctx, done) }

// receive is waitFor for a channel that brings a token.
func receive(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	default:
	}
	select {
	case <-c:
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
		case <-c:
			return nil
		case <-t.C:
		}
	}
	return ctx.Err()
}
