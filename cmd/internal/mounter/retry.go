package mounter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// Waits between attempts to mount: those of mount.nfs (nfs-utils
// utils/mount/stropts.c), each up to a quarter longer or shorter, so that a
// hundred clients that start with their server do not ask it in step.
const (
	waitFirst      = time.Second
	waitForeground = 10 * time.Second
	waitBackground = 2 * time.Minute
	maxMisses      = 3 // answers in a row that somebody else has to mend
)

// trial is a mount that is tried until it succeeds, is refused for good, or its
// time is up.
type trial struct {
	background bool
	minutes    uint32 // retry=
	server     string
	log        *slog.Logger
	// behind is called in the background mode once, when the first attempt has
	// failed for now: the command ends, and we go on without it.
	behind func() error
	gone   bool           // behind was called
	jitter func() float64 // 0 to 1
}

// newTrial returns the trial that the options ask for.
func newTrial(o *mountopt.Options, spec mountopt.Spec, log *slog.Logger, behind func() error) *trial {
	return &trial{
		background: o.Background.Value, minutes: o.RetryMinutes(), server: spec.Host,
		log: log, behind: behind, jitter: rand.Float64,
	}
}

// run makes attempts until one succeeds, and returns the error of the last one.
// Each attempt is a whole one: names are resolved and rpcbind is asked again.
// It ends with ctx.
func (t *trial) run(ctx context.Context, attempt func() error) error {
	deadline := time.Now().Add(time.Duration(min(t.minutes, 1<<26)) * time.Minute) // 127 years are enough
	wait, most := waitFirst, waitForeground
	if t.background {
		most = waitBackground
	}
	for n, misses := 0, 0; ; n++ {
		began := time.Now()
		err := attempt()
		if err == nil || ctx.Err() != nil {
			return err
		}
		if miss(err) {
			misses++
		} else {
			misses = 0
		}
		left := time.Until(deadline)
		switch {
		case !temporary(err) || misses == maxMisses:
			return err
		case t.background && n == 0: // even with retry=0 there is an attempt in the background
			t.gone = true
			if err := t.behind(); err != nil {
				return err
			}
		case left <= 0:
			return err
		}
		level := slog.LevelInfo // somebody waits, and will see how it ends
		if t.gone {
			level = slog.LevelWarn
		}
		t.log.Log(ctx, level, fmt.Sprintf("mount to NFS server '%s' failed: %s, retrying", t.server, message(err)))
		// In the foreground a timeout has waited already.
		if t.background || !timedOut(err) || time.Since(began) < waitFirst {
			if err := t.sleep(ctx, wait, left); err != nil {
				return err
			}
			wait = min(2*wait, most)
		}
	}
}

// giveUp returns err, and logs it if no command hears of it any more.
func (t *trial) giveUp(err error) error {
	if t.gone {
		t.log.Error(fmt.Sprintf("mount to NFS server '%s' failed: %s, giving up", t.server, message(err)))
	}
	return err
}

// sleep waits for d with its jitter, but, unless it is past, not beyond the
// deadline: the last attempt is made then.
func (t *trial) sleep(ctx context.Context, d, left time.Duration) error {
	d += time.Duration((t.jitter() - 0.5) / 2 * float64(d))
	if left > 0 {
		d = min(d, left)
	}
	return rpc.Sleep(ctx, d)
}

// temporary reports whether the same mount may succeed later.
func temporary(err error) bool {
	var e *mount.Error
	return errors.As(err, &e) && e.Temporary
}

// timedOut reports whether nobody answered.
func timedOut(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

// miss reports whether the server answered that it has no such thing. While it
// starts this passes; three times in a row it is taken for the truth.
func miss(err error) bool {
	return errors.Is(err, portmap.ErrNotRegistered) || errors.Is(err, nfs3.ErrStale)
}
