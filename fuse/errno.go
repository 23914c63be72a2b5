package fuse

import (
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
)

// status returns the reply that an error of package client becomes. It is
// never ENOSYS: the kernel takes that for "this mount does not have the
// operation", and an FSYNC that failed once would succeed for ever after.
func status(err error) gofuse.Status {
	e := client.Errno(err)
	if e == syscall.ENOSYS {
		return gofuse.EIO
	}
	return gofuse.Status(e)
}

const (
	stale    = gofuse.Status(syscall.ESTALE)
	badFD    = gofuse.Status(syscall.EBADF)
	notTTY   = gofuse.Status(syscall.ENOTTY)
	noAccess = gofuse.Status(syscall.EACCES)
)
