package rpc

import (
	"context"
	"fmt"
	"time"
)

// askEvery is how often a GiveUpper is asked once its Done is closed, and how
// often a Send that waits for the peer is looked after.
const askEvery = 200 * time.Millisecond

// patience is a caller's context, as far as a call asks it: only Done, Err and
// Value are used, because FUSE's context is no standard one.
type patience struct {
	ctx  context.Context
	gu   GiveUpper
	done <-chan struct{} // nil once it was closed and the caller still waits
	ask  instant         // when to ask gu again; 0: not yet
	gone bool            // the caller has given up
}

func newPatience(ctx context.Context) patience {
	gu, _ := ctx.(GiveUpper)
	return patience{ctx: ctx, gu: gu, done: ctx.Done()}
}

// over returns why the caller does not wait any more, or nil if it does. It is
// called when done was closed, and when the time of ask has come.
func (w *patience) over() error {
	if w.gu != nil && !w.gu.GiveUp() {
		w.done, w.ask = nil, now().add(askEvery)
		return nil
	}
	w.gone = true
	return Why(w.ctx)
}

// Why is the error of Client.Call for a caller who gave up: that of ctx and, if it
// is another one, its cause.
func Why(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		err = context.Canceled // Done without Err: a poor context, but clear enough
	}
	if cause := context.Cause(ctx); cause != nil && cause != err {
		return fmt.Errorf("%w (%w)", err, cause)
	}
	return err
}

// poll is over for somebody who does not wait on done.
func (w *patience) poll() error {
	if w.done == nil {
		if w.ask == 0 {
			return nil // a context that never ends
		}
		return w.over()
	}
	select {
	case <-w.done:
		return w.over()
	default:
		return nil
	}
}

// until returns the earlier of due and the time to ask.
func (w *patience) until(due instant) instant {
	if w.ask != 0 && (due == 0 || w.ask < due) {
		return w.ask
	}
	return due
}
