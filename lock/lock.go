package lock

import (
	"fmt"
	"math"
	"syscall"
)

// Kind is the family of calls that a lock was asked for by. Owners of different
// kinds are never the same owner, and so are in each other's way.
type Kind uint8

// The kinds.
const (
	Posix Kind = iota // fcntl(2) F_SETLK: the owner is a process
	OFD               // fcntl(2) F_OFD_SETLK: the owner is an open file description
	Flock             // flock(2): likewise, and always the whole file
)

// String returns the word of the manual pages.
func (k Kind) String() string {
	switch k {
	case OFD:
		return "ofd"
	case Flock:
		return "flock"
	}
	return "posix"
}

// Owner is who holds a lock, within this process: ID is FUSE's lock_owner, or
// a number from Engine.NewOwner.
type Owner struct {
	Kind Kind
	ID   uint64
}

// Type says whether others may hold the same bytes.
type Type uint8

// The types.
const (
	Shared    Type = iota // F_RDLCK, LOCK_SH: with other shared locks
	Exclusive             // F_WRLCK, LOCK_EX: alone
)

// String returns the word of the manual pages.
func (t Type) String() string {
	if t == Exclusive {
		return "exclusive"
	}
	return "shared"
}

// EOF as the last byte of a Range means "to the end of the file, wherever that
// will be".
const EOF = math.MaxUint64

// maxOffset is the last byte that a file can have. A range that ends there ends
// at EOF: it is what fcntl(2) makes of l_len 0.
const maxOffset = math.MaxInt64

// Range is the bytes Start to End, both included.
type Range struct{ Start, End uint64 }

// WholeFile is all bytes of a file: what flock(2) locks.
var WholeFile = Range{0, EOF}

// String returns "10-19", or "10-" for one that goes to the end.
func (r Range) String() string {
	if r.End == EOF {
		return fmt.Sprintf("%d-", r.Start)
	}
	return fmt.Sprintf("%d-%d", r.Start, r.End)
}

// normal returns r as the table keeps it. The error is EINVAL for a range that
// ends before it begins, and EOVERFLOW for one that begins past 2^63-1, as
// fcntl(2) has them.
func (r Range) normal() (Range, error) {
	switch {
	case r.End < r.Start:
		return r, syscall.EINVAL
	case r.Start > maxOffset:
		return r, syscall.EOVERFLOW
	case r.End >= maxOffset:
		r.End = EOF
	}
	return r, nil
}

// overlaps reports whether r and o have a byte in common.
func (r Range) overlaps(o Range) bool { return r.Start <= o.End && o.Start <= r.End }

// Lock is a lock that is held or wanted.
type Lock struct {
	Owner Owner
	Range Range
	Type  Type
	PID   uint32 // of the process that asked, for people; 0 if unknown
}

// conflicts reports whether l and o cannot be held at once.
func (l Lock) conflicts(o Lock) bool {
	return l.Owner != o.Owner && (l.Type == Exclusive || o.Type == Exclusive) && l.Range.overlaps(o.Range)
}

// Error is why a lock was not had, or could not be given back. errors.Is holds
// with Errno and with what Cause is.
type Error struct {
	Op    string // lock, unlock or test
	Range Range
	Errno syscall.Errno // what fcntl(2) and flock(2) fail with
	Cause error         // the server's answer or the network's error, if that is why
}

// Error implements error.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s of bytes %v: %v", e.Op, e.Range, e.Errno)
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns Errno and Cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Errno}
	}
	return []error{e.Errno, e.Cause}
}
