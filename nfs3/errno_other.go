//go:build !linux

package nfs3

import "syscall"

// eRemoteIO: only Linux has EREMOTEIO.
const eRemoteIO = syscall.EIO
