package client

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
)

// waitFor is rpc.Wait.
func waitFor(ctx context.Context, done <-chan struct{}) error { return rpc.Wait(ctx, done) }
