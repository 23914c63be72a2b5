package fuse

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/rpc"
)

// waiter is the context of one request. Done is closed by go-fuse when the
// kernel sends INTERRUPT, which it does once, at whatever signal the process
// gets, SIGALRM and the SIGURG of Go's scheduler among them. An NFS mount is
// not interrupted by these, so the rest is left to GiveUp: package rpc and
// package client ask it when Done is closed, and each 200 ms from then on,
// because the SIGKILL that comes later sends no second INTERRUPT.
//
// It is no context of the standard library's making, so deriving contexts from
// it would start a goroutine for each request. Nobody does.
type waiter struct {
	cancel <-chan struct{}
	pid    uint32 // thread id of the process; 0 if it cannot be seen from here
	gone   func() bool
}

var _ rpc.GiveUpper = (*waiter)(nil)

// Deadline implements context.Context: there is none.
func (w *waiter) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (w *waiter) Done() <-chan struct{} { return w.cancel }

// Err implements context.Context. It is not nil once Done is closed, whatever
// GiveUp says: code that does not know GiveUp then ends with EINTR.
func (w *waiter) Err() error {
	select {
	case <-w.cancel:
		return context.Canceled
	default:
		return nil
	}
}

// Value implements context.Context: there are none.
func (w *waiter) Value(any) any { return nil }

// GiveUp implements rpc.GiveUpper. It is true when nobody waits for the reply
// any more: the process has a fatal signal pending or is gone, or the kernel
// has given the mount up. A process in another pid namespace cannot be asked;
// that its SIGKILL works is worth more than that its SIGALRM does not.
func (w *waiter) GiveUp() bool {
	return w.Err() != nil && (w.pid == 0 || w.gone() || dying(w.pid))
}

// sigkill is SIGKILL's bit in the masks of /proc/PID/status. A signal whose
// default action ends a process that does not handle it counts too: the kernel
// turns it into a SIGKILL of each thread.
const sigkill = 1 << 8

// dying reports whether a thread has a fatal signal pending or is gone.
func dying(pid uint32) bool {
	text, err := os.ReadFile("/proc/" + strconv.FormatUint(uint64(pid), 10) + "/status")
	if err != nil {
		return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH)
	}
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
		value = bytes.TrimSpace(value)
		switch string(name) {
		case "State":
			if len(value) > 0 && (value[0] == 'Z' || value[0] == 'X') {
				return true
			}
		case "SigPnd", "ShdPnd":
			if mask, err := strconv.ParseUint(string(value), 16, 64); err == nil && mask&sigkill != 0 {
				return true
			}
		}
	}
	return false
}
