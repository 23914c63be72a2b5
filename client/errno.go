package client

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Errno returns the system's number for an error of this package: what a
// system call on a mount of this FS fails with. nil is 0.
//
// What the server answered is its Status.Errno. A soft mount's time-out is EIO,
// a softerr mount's ETIMEDOUT; a context that ended is EINTR, or ETIMEDOUT if
// its deadline passed; a closed FS is ENOTCONN. What has no number of its own,
// such as a server that speaks nonsense, is EIO. It is never ENOSYS, which the
// kernel would take for "never ask again".
func Errno(err error) syscall.Errno {
	if err == nil || errors.Is(err, io.EOF) {
		return 0
	}
	errno := errnoOf(err)
	if errno == syscall.ENOSYS || errno == 0 {
		return syscall.EIO
	}
	return errno
}

func errnoOf(err error) syscall.Errno {
	var (
		status  nfs3.Status
		number  syscall.Errno
		timeout *rpc.TimeoutError
	)
	switch {
	case errors.As(err, &status):
		return status.Errno()
	case errors.Is(err, ErrClosed), errors.Is(err, rpc.ErrClosed):
		return syscall.ENOTCONN
	case errors.As(err, &timeout):
		if timeout.Recovery == rpc.SoftErr {
			return syscall.ETIMEDOUT
		}
		return syscall.EIO
	case errors.Is(err, context.Canceled):
		return syscall.EINTR
	case errors.Is(err, context.DeadlineExceeded):
		return syscall.ETIMEDOUT
	case errors.As(err, &number):
		return number
	}
	for _, e := range []syscall.Errno{ // errors of rpc say by Is what they are
		syscall.EACCES, syscall.EOPNOTSUPP, syscall.EPROTONOSUPPORT, syscall.EPFNOSUPPORT,
	} {
		if errors.Is(err, e) {
			return e
		}
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return syscall.EACCES
	case errors.Is(err, fs.ErrNotExist):
		return syscall.ENOENT
	case errors.Is(err, fs.ErrExist):
		return syscall.EEXIST
	case errors.Is(err, fs.ErrInvalid):
		return syscall.EINVAL
	case errors.Is(err, os.ErrClosed):
		return syscall.EBADF
	}
	return syscall.EIO
}
