package exitcodes

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
)

// The exit codes of mount(8).
const (
	OK          = 0
	UsageError  = 1  // incorrect invocation or permissions
	System      = 2  // out of memory, cannot fork
	Internal    = 4  // a bug of ours
	Interrupted = 8  // the user interrupted it
	Mtab        = 16 // the record of the mount could not be written
	Failure     = 32 // the mount failed
	Partly      = 64 // some of several succeeded
)

// Error is an error with an exit code.
type Error struct {
	Code int
	Err  error
}

// Error implements error. It says nothing of the code.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns what went wrong.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error with an exit code.
func New(code int, format string, a ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, a...)}
}

// Usage makes err one of a wrong invocation.
func Usage(err error) error { return &Error{Code: UsageError, Err: err} }

// Of returns the exit code for err: that which it carries, or Failure for what
// goes wrong with a mount, or UsageError.
func Of(err error) int {
	var e *Error
	var c cli.ExitCoder
	var m *mount.Error
	var o *mountopt.Error
	switch {
	case err == nil:
		return OK
	case errors.As(err, &e):
		return e.Code
	case errors.As(err, &c):
		return c.ExitCode()
	case errors.As(err, &m):
		return m.ExitCode()
	case errors.As(err, &o):
		return Failure
	}
	return UsageError
}
