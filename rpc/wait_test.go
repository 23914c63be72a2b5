package rpc

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestWait(t *testing.T) {
	cause := errors.New("the cause")
	asked := func(after int) func(context.Context) context.Context {
		return func(c context.Context) context.Context { return &giveUp{Context: c, after: after} }
	}
	for _, tt := range []struct {
		name  string
		done  time.Duration // when it is closed
		ends  time.Duration // when ctx does
		ctx   func(context.Context) context.Context
		want  error
		after time.Duration
		gone  bool // the caller, then
	}{
		{"what is waited for comes", seconds(1), seconds(9), nil, nil, seconds(1), false},
		{"ctx ends first", seconds(9), seconds(1), nil, cause, seconds(1), true},
		{"both at once: it counts", 0, 0, nil, nil, 0, true},
		{"who waits on has it", seconds(2), seconds(1), asked(100), nil, seconds(2), false},
		{"who waits on for a while has not", seconds(9), seconds(1), asked(3), cause, 1600 * time.Millisecond, true},
	} {
		for how, wait := range map[string]func(context.Context, chan struct{}) error{
			"Wait":  func(ctx context.Context, done chan struct{}) error { return Wait(ctx, done) },
			"Sleep": func(ctx context.Context, _ chan struct{}) error { return Sleep(ctx, tt.done) },
		} {
			t.Run(tt.name+": "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancelCause(context.Background())
					done := make(chan struct{})
					time.AfterFunc(tt.done, func() { close(done) })
					time.AfterFunc(tt.ends, func() { cancel(cause) })
					if tt.done == 0 {
						synctest.Wait()
					}
					began := time.Now()
					var waits context.Context = ctx
					if tt.ctx != nil {
						waits = tt.ctx(ctx)
					}
					err := wait(waits, done)
					if took := time.Since(began); err != tt.want || took != tt.after {
						t.Errorf("got %v after %v, want %v after %v", err, took, tt.want, tt.after)
					}
					if gone := GaveUp(waits); gone != tt.gone {
						t.Errorf("GaveUp: %v, want %v", gone, tt.gone)
					}
					time.Sleep(seconds(10))
				})
			})
		}
	}
}
