package fuse

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// connection is what can be asked of a mount's line to the kernel besides
// requests: whether it is still there, and to end it.
type connection struct {
	dev string // major:minor of the file system

	mu sync.Mutex // guards fd
	fd int        // a second descriptor of the device; -1 after close
}

// newConnection returns the connection of a FUSE device that was mounted on
// dir. The device stays the caller's.
func newConnection(device int, dir, source string) (*connection, error) {
	e, err := findMount(dir)
	if err != nil {
		return nil, err
	}
	if source != "" && e.source != source {
		return nil, fmt.Errorf("%s was mounted on %s meanwhile: %w", e.source, dir, unix.EBUSY)
	}
	fd, err := unix.FcntlInt(uintptr(device), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return &connection{dev: e.dev, fd: fd}, nil
}

// dead reports whether the kernel has given the mount up: it is unmounted
// everywhere, or was aborted (umount -f). Nobody waits for replies then.
func (c *connection) dead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return true
	}
	p := []unix.PollFd{{Fd: int32(c.fd)}} // POLLERR alone, which is always told
	n, err := unix.Poll(p, 0)
	return err == nil && n > 0 && p[0].Revents&unix.POLLERR != 0
}

// abort makes the kernel give the mount up: all requests that are under way
// fail with ECONNABORTED, and all to come with ENOTCONN. It needs the fusectl
// file system, which most systems mount.
func (c *connection) abort() error {
	_, minor, _ := strings.Cut(c.dev, ":")
	return os.WriteFile("/sys/fs/fuse/connections/"+minor+"/abort", []byte("1"), 0)
}

// close closes the second descriptor.
func (c *connection) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd >= 0 {
		_ = unix.Close(c.fd)
		c.fd = -1
	}
}
