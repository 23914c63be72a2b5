package mounter

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
)

// signals turns SIGTERM and SIGINT into values. SIGHUP, which a closing
// terminal sends, is ignored.
type signals struct {
	c    chan os.Signal
	ctx  context.Context // of the mounting: ends with the first signal
	stop func()
}

// errSignal is why a mount was given up.
var errSignal = errors.New("interrupted by a signal")

func catch(parent context.Context) *signals {
	ctx, cancel := context.WithCancelCause(parent)
	raw := make(chan os.Signal, 4)
	signal.Notify(raw, syscall.SIGTERM, os.Interrupt)
	signal.Ignore(syscall.SIGHUP)
	s := &signals{c: make(chan os.Signal, 4), ctx: ctx}
	done := make(chan struct{})
	go func() { // ends with stop
		for {
			select {
			case x := <-raw:
				cancel(errSignal)
				select {
				case s.c <- x:
				default: // three unread ones say enough
				}
			case <-done:
				return
			}
		}
	}()
	s.stop = func() {
		signal.Stop(raw)
		close(done)
		cancel(nil)
	}
	return s
}

// because returns err, or that a signal ended the mount if that is the reason.
func (s *signals) because(err error) error {
	if errors.Is(context.Cause(s.ctx), errSignal) {
		return exitcodes.New(exitcodes.Interrupted, "%w", errSignal)
	}
	return err
}
