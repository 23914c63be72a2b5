package nlm

import (
	"fmt"
	"syscall"
)

// Stats is nlm4_stats, the server's answer (RFC 1813 section 6.1.2). Every
// value but Granted is an error, for which errors.Is holds with its errno.
type Stats uint32

// The values of Stats.
const (
	Granted           Stats = 0 // NLM4_GRANTED: done
	Denied            Stats = 1 // NLM4_DENIED: another holds a lock that conflicts
	DeniedNolocks     Stats = 2 // NLM4_DENIED_NOLOCKS: the server has no room, or cannot monitor the client
	Blocked           Stats = 3 // NLM4_BLOCKED: the request waits at the server, which will call GRANTED
	DeniedGracePeriod Stats = 4 // NLM4_DENIED_GRACE_PERIOD: only reclaims for now
	Deadlck           Stats = 5 // NLM4_DEADLCK: waiting would never end
	ROFS              Stats = 6 // NLM4_ROFS: the file system is read-only
	StaleFH           Stats = 7 // NLM4_STALE_FH: the handle names nothing
	FBig              Stats = 8 // NLM4_FBIG: the range is beyond what the server can lock
	Failed            Stats = 9 // NLM4_FAILED: no retry will help
)

// describe returns the RFC's name of s, the classic text of its errno, and the
// errno, which is the one that the Linux client gives.
func (s Stats) describe() (name, text string, errno syscall.Errno) {
	switch s {
	case Granted:
		return "NLM4_GRANTED", "no error", 0
	case Denied:
		return "NLM4_DENIED", "Resource temporarily unavailable", syscall.EAGAIN
	case DeniedNolocks:
		return "NLM4_DENIED_NOLOCKS", "No locks available", syscall.ENOLCK
	case Blocked:
		return "NLM4_BLOCKED", "Resource temporarily unavailable", syscall.EAGAIN
	case DeniedGracePeriod:
		return "NLM4_DENIED_GRACE_PERIOD", "No locks available", syscall.ENOLCK
	case Deadlck:
		return "NLM4_DEADLCK", "Resource deadlock avoided", syscall.EDEADLK
	case ROFS:
		return "NLM4_ROFS", "Read-only file system", syscall.EROFS
	case StaleFH:
		return "NLM4_STALE_FH", "Stale file handle", syscall.ESTALE
	case FBig:
		return "NLM4_FBIG", "Value too large for defined data type", syscall.EOVERFLOW
	case Failed:
		return "NLM4_FAILED", "No locks available", syscall.ENOLCK
	}
	return fmt.Sprintf("unknown status %d", uint32(s)), "No locks available", syscall.ENOLCK
}

// String is the RFC's name of the status.
func (s Stats) String() string {
	name, _, _ := s.describe()
	return name
}

// Error implements error.
func (s Stats) Error() string {
	name, text, _ := s.describe()
	return name + ": " + text
}

// Errno is the error number that stands for s; an unknown status is ENOLCK, as
// in the Linux client.
func (s Stats) Errno() syscall.Errno {
	_, _, errno := s.describe()
	return errno
}

// Is makes errors.Is hold for the errno, and for what the errno is.
func (s Stats) Is(target error) bool {
	errno := s.Errno()
	return errno != 0 && (target == errno || errno.Is(target))
}
