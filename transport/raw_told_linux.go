//go:build !portable && (race || 386 || s390x)

package transport

import "golang.org/x/sys/unix"

// The race detector must hear of what the kernel reads and writes, and of the
// order that this brings with it; and where all calls on sockets once were one
// (socketcall), recvmsg is no system call before Linux 4.3. These wait only if
// somebody has put the socket into blocking mode.

func receive(fd int, segments [][]byte) (int, error) { return unix.Readv(fd, segments) }

func send(fd int, segments [][]byte) (int, error) { return unix.Writev(fd, segments) }
