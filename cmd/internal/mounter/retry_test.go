package mounter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
)

func failure(err error, temporary bool) error {
	return &mount.Error{Op: "MNT", Server: "h", Spec: "h:/e", Err: err, Temporary: temporary}
}

var (
	refused = failure(syscall.ECONNREFUSED, true)
	silent  = failure(context.DeadlineExceeded, true)
	denied  = failure(syscall.EACCES, false)
	absent  = failure(&portmap.Error{Err: portmap.ErrNotRegistered}, true)
	stale   = failure(nfs3.ErrStale, true)
)

func TestWhenAMountIsTriedAgain(t *testing.T) {
	again := func(n int, err error) (l []error) {
		for range n {
			l = append(l, err)
		}
		return l
	}
	for _, tt := range []struct {
		name, opts string
		answers    []error // the last one is repeated
		takes      time.Duration
		want       string // seconds between attempts, as they begin
		behind     bool
		err        error
	}{
		{name: "the first attempt succeeds", answers: []error{nil}},
		{name: "a refusal for good is the end", answers: []error{denied}, err: denied},
		{name: "retry=0 is one attempt", opts: "retry=0", answers: []error{refused}, err: refused},
		{name: "in the foreground the waits grow to 10 s", answers: append(again(6, refused), nil), want: "1 2 4 8 10 10"},
		{name: "for two minutes, and once more at their end", answers: []error{refused}, want: "1 2 4 8 10 10 10 10 10 10 10 10 10 10 5", err: refused},
		{name: "retry=1 is a minute", opts: "retry=1", answers: []error{refused}, want: "1 2 4 8 10 10 10 10 5", err: refused},
		{name: "a timeout has waited enough", opts: "retry=1", answers: []error{silent}, takes: 25 * time.Second, want: "25 25", err: silent},
		{name: "then it is refused for good", answers: []error{refused, refused, denied}, want: "1 2", err: denied},
		{name: "three times not registered is the truth", answers: []error{absent}, want: "1 2", err: absent},
		{name: "three times stale too", answers: []error{stale}, want: "1 2", err: stale},
		{name: "not three times in a row", answers: []error{absent, absent, refused, absent, stale, nil}, want: "1 2 4 8 10"},
		{name: "in the background the waits grow to 2 minutes", opts: "bg", answers: append(again(10, refused), nil), want: "1 2 4 8 16 32 64 120 120 120", behind: true},
		{name: "a timeout is waited after in the background", opts: "bg", answers: []error{silent, silent, nil}, takes: 10 * time.Second, want: "11 12", behind: true},
		{name: "bg does not begin with what is refused for good", opts: "bg", answers: []error{denied}, err: denied},
		{name: "bg ends with it", opts: "bg", answers: []error{refused, denied}, want: "1", behind: true, err: denied},
		{name: "bg with retry=0 tries once more", opts: "bg,retry=0", answers: []error{refused}, want: "1", behind: true, err: refused},
		{name: "bg with retry=1", opts: "bg,retry=1", answers: []error{refused}, want: "1 2 4 8 16 29", behind: true, err: refused},
		{name: "a first success needs no background", opts: "bg", answers: []error{nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, err := mountopt.Parse(tt.opts)
				if err != nil {
					t.Fatal(err)
				}
				behind := 0
				tr := newTrial(o, mountopt.Spec{Host: "h", Path: "/e"}, slog.New(slog.DiscardHandler), func() error { behind++; return nil })
				tr.jitter = func() float64 { return 0.5 }
				var waits []string
				last := time.Now()
				n := 0
				err = tr.run(t.Context(), func() error {
					if n > 0 {
						waits = append(waits, fmt.Sprint(int(time.Since(last).Seconds())))
					}
					last = time.Now()
					time.Sleep(tt.takes)
					n++
					return tt.answers[min(n, len(tt.answers))-1]
				})
				if err != tt.err {
					t.Errorf("ends with %v, want %v", err, tt.err)
				}
				if got := strings.Join(waits, " "); got != tt.want {
					t.Errorf("attempts are %s s apart, want %s", got, tt.want)
				}
				if want := map[bool]int{true: 1}[tt.behind]; behind != want {
					t.Errorf("went into the background %d times, want %d", behind, want)
				}
			})
		})
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("a signal")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(500*time.Millisecond, func() { cancel(why) })
		tr := newTrial(new(mountopt.Options), mountopt.Spec{Host: "h"}, slog.New(slog.DiscardHandler), nil)
		if err := tr.run(ctx, func() error { return refused }); err != why {
			t.Errorf("got %v", err)
		}
	})
}

// Waits differ by a quarter at most.
func TestJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for j, want := range map[float64]time.Duration{0: 6 * time.Second, 0.5: 8 * time.Second, 1: 10 * time.Second} {
			tr := &trial{jitter: func() float64 { return j }}
			start := time.Now()
			if err := tr.sleep(t.Context(), 8*time.Second, 0); err != nil || time.Since(start) != want {
				t.Errorf("jitter %v: %v, want %v (%v)", j, time.Since(start), want, err)
			}
		}
	})
}
