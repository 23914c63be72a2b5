package mountd

import (
	"fmt"
	"io/fs"
	"syscall"
)

// Status is mountstat3 (RFC 1813 section 5.1.5), the server's answer to MNT.
// Every value but OK is an error, for which errors.Is holds with its errno and
// with fs.ErrNotExist, fs.ErrPermission or fs.ErrInvalid where these fit.
type Status uint32

// The values of Status.
const (
	OK             Status = 0     // MNT3_OK
	ErrPerm        Status = 1     // MNT3ERR_PERM: not owner
	ErrNoent       Status = 2     // MNT3ERR_NOENT: no such file or directory
	ErrIO          Status = 5     // MNT3ERR_IO: I/O error
	ErrAcces       Status = 13    // MNT3ERR_ACCES: permission denied
	ErrNotdir      Status = 20    // MNT3ERR_NOTDIR: not a directory
	ErrInval       Status = 22    // MNT3ERR_INVAL: invalid argument
	ErrNametoolong Status = 63    // MNT3ERR_NAMETOOLONG: filename too long
	ErrNotsupp     Status = 10004 // MNT3ERR_NOTSUPP: operation not supported
	ErrServerfault Status = 10006 // MNT3ERR_SERVERFAULT: a failure on the server
)

// describe returns the RFC's name of s, the classic text of its errno, and the
// errno.
func (s Status) describe() (name, text string, errno syscall.Errno) {
	switch s {
	case OK:
		return "MNT3_OK", "no error", 0
	case ErrPerm:
		return "MNT3ERR_PERM", "Operation not permitted", syscall.EPERM
	case ErrNoent:
		return "MNT3ERR_NOENT", "No such file or directory", syscall.ENOENT
	case ErrIO:
		return "MNT3ERR_IO", "Input/output error", syscall.EIO
	case ErrAcces:
		return "MNT3ERR_ACCES", "Permission denied", syscall.EACCES
	case ErrNotdir:
		return "MNT3ERR_NOTDIR", "Not a directory", syscall.ENOTDIR
	case ErrInval:
		return "MNT3ERR_INVAL", "Invalid argument", syscall.EINVAL
	case ErrNametoolong:
		return "MNT3ERR_NAMETOOLONG", "File name too long", syscall.ENAMETOOLONG
	case ErrNotsupp:
		return "MNT3ERR_NOTSUPP", "Operation not supported", syscall.EOPNOTSUPP
	case ErrServerfault:
		return "MNT3ERR_SERVERFAULT", "Remote I/O error", syscall.EIO
	}
	return fmt.Sprintf("unknown status %d", uint32(s)), "Permission denied", syscall.EACCES
}

// Text is the classic text of the status, as strerror(3) has it on Linux.
func (s Status) Text() string {
	_, text, _ := s.describe()
	return text
}

// String is the RFC's name of the status.
func (s Status) String() string {
	name, _, _ := s.describe()
	return name
}

// Error implements error.
func (s Status) Error() string {
	name, text, _ := s.describe()
	return name + ": " + text
}

// Errno is the error number that stands for s. An unknown status is EACCES, as
// in the Linux client; SERVERFAULT is EIO, for want of EREMOTEIO outside Linux.
func (s Status) Errno() syscall.Errno {
	_, _, errno := s.describe()
	return errno
}

// Is makes errors.Is hold for the errno, for what that is, such as
// fs.ErrNotExist, and for fs.ErrInvalid.
func (s Status) Is(target error) bool {
	if target == fs.ErrInvalid {
		return s == ErrInval
	}
	errno := s.Errno()
	return errno != 0 && (target == errno || errno.Is(target))
}

// Error is a MNT that the server answered with a Status other than OK.
type Error struct {
	Path          string
	Status        Status
	Transmissions int // how often the call was sent
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("MNT of %q: %v", e.Path, e.Status) }

// Unwrap returns e.Status.
func (e *Error) Unwrap() error { return e.Status }
