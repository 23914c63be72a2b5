//go:build !portable && race

package transport

import "golang.org/x/sys/unix"

// The race detector must hear of what the kernel reads and writes, and of the
// order that this brings with it.

func receive(fd int, segments [][]byte) (int, error) { return unix.Readv(fd, segments) }

func send(fd int, segments [][]byte) (int, error) { return unix.Writev(fd, segments) }
