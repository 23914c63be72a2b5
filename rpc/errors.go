package rpc

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Three kinds of failure are kept apart, because each wants another cure. The
// network failed: errors of the transport (*net.OpError and its like) and
// *TimeoutError, which wraps the last of them. The peer refused: *AcceptError,
// *DeniedError. The peer spoke nonsense: *ProtocolError.

// ErrClosed is the error of a call on a Client that was closed.
var ErrClosed = errors.New("rpc: client closed")

// AcceptError says that the server took the call but did not execute it: an
// accept_stat other than SUCCESS (RFC 5531 section 9).
type AcceptError struct {
	Prog, Vers, Proc uint32
	Stat             AcceptStat
	// Low and High are the versions that the server has, with PROG_MISMATCH.
	// They are 0 and 0 if the server left them out, as some do.
	Low, High uint32
}

// Error implements error.
func (e *AcceptError) Error() string {
	s := fmt.Sprintf("rpc: program %d version %d procedure %d: %v", e.Prog, e.Vers, e.Proc, e.Stat)
	if e.Stat == ProgMismatch && (e.Low != 0 || e.High != 0) {
		s += fmt.Sprintf(", the server has versions %d to %d", e.Low, e.High)
	}
	return s
}

// Is maps e to the errno that the Linux client gives for it, and to what that
// errno is.
func (e *AcceptError) Is(target error) bool {
	switch e.Stat {
	case ProgUnavail:
		return isErrno(syscall.EPFNOSUPPORT, target)
	case ProgMismatch:
		return isErrno(syscall.EPROTONOSUPPORT, target)
	case ProcUnavail:
		return isErrno(syscall.EOPNOTSUPP, target)
	}
	return isErrno(syscall.EIO, target)
}

// DeniedError says that the server did not take the call: MSG_DENIED (RFC 5531
// section 9).
type DeniedError struct {
	Stat RejectStat
	// Low and High are the versions of RPC that the server speaks, with
	// RPC_MISMATCH.
	Low, High uint32
	// Auth is what was wrong, with AUTH_ERROR.
	Auth AuthStat
}

// Error implements error.
func (e *DeniedError) Error() string {
	switch {
	case e.Stat == AuthError:
		return fmt.Sprintf("rpc: call denied: AUTH_ERROR: %v", e.Auth)
	case e.Low != 0 || e.High != 0:
		return fmt.Sprintf("rpc: call denied: RPC_MISMATCH, the server speaks RPC versions %d to %d", e.Low, e.High)
	}
	return fmt.Sprintf("rpc: call denied: %v", e.Stat)
}

// Is maps e to EACCES (AUTH_ERROR) or EPROTONOSUPPORT.
func (e *DeniedError) Is(target error) bool {
	if e.Stat == AuthError {
		return isErrno(syscall.EACCES, target)
	}
	return isErrno(syscall.EPROTONOSUPPORT, target)
}

// ProtocolError says that a message is not what RFC 5531 or the program's own
// specification allows.
type ProtocolError struct {
	// What names the part that is wrong: "reply header", "results" …
	What string
	// Err tells more, if there is more: often an *xdr.Error.
	Err error
}

// Error implements error.
func (e *ProtocolError) Error() string {
	if e.Err == nil {
		return "rpc: malformed reply: " + e.What
	}
	return "rpc: malformed reply: " + e.What + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ProtocolError) Unwrap() error { return e.Err }

// Is maps e to EIO.
func (e *ProtocolError) Is(target error) bool { return isErrno(syscall.EIO, target) }

// TimeoutError says that the server did not answer until the major timeout of
// a soft or softerr policy.
type TimeoutError struct {
	Server        string
	Recovery      Recovery      // Soft or SoftErr
	After         time.Duration // since the call began
	Transmissions int           // 0: there never was a connection, or no slot
	Err           error         // why there is no connection; nil when there is one
}

// Error implements error.
func (e *TimeoutError) Error() string {
	s := fmt.Sprintf("rpc: server %s not responding, timed out after %v (sent %d times)",
		e.Server, e.After.Round(time.Millisecond), e.Transmissions)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the error of the last connection, if it is gone.
func (e *TimeoutError) Unwrap() error { return e.Err }

// Timeout reports true, as net.Error's does.
func (e *TimeoutError) Timeout() bool { return true }

// Is maps e to os.ErrDeadlineExceeded, and to EIO (Soft) or ETIMEDOUT (SoftErr).
func (e *TimeoutError) Is(target error) bool {
	if target == os.ErrDeadlineExceeded {
		return true
	}
	if e.Recovery == SoftErr {
		return isErrno(syscall.ETIMEDOUT, target)
	}
	return isErrno(syscall.EIO, target)
}

// ReplayError says that a call which must not be executed twice was sent, that
// its connection was lost before the reply came, and that the next connection
// has another source address: the server's duplicate-request cache would not
// know the call again. Whether it was executed is unknown; the caller decides
// by evidence.
type ReplayError struct {
	// Transmissions is how often the call was sent.
	Transmissions int
}

// Error implements error.
func (e *ReplayError) Error() string {
	return fmt.Sprintf("rpc: sent %d times from a source address that is lost: unknown whether the call was executed", e.Transmissions)
}

// Is maps e to EIO.
func (e *ReplayError) Is(target error) bool { return isErrno(syscall.EIO, target) }

// flavorError is a verifier of a flavour that does not answer ours.
type flavorError struct{ flavor Flavor }

func (e *flavorError) Error() string { return fmt.Sprintf("verifier of flavour %d", e.flavor) }

// isErrno reports whether target is errno, or what errno is (fs.ErrPermission
// for EACCES).
func isErrno(errno syscall.Errno, target error) bool {
	return target == errno || errno.Is(target)
}
