package fuse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// connection is what can be asked of a mount's line to the kernel besides
// requests: whether it is still there, and to end it.
type connection struct {
	dev string // major:minor of the file system
	id  uint64 // of the mount

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
	return &connection{dev: e.dev, id: e.id, fd: fd}, nil
}

// visible reports whether the mount is still what one sees at dir.
func (c *connection) visible(dir string) bool {
	e, err := findMount(dir)
	return err == nil && e.id == c.id && e.dev == c.dev
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
// fail with ECONNABORTED, and all to come with ENOTCONN. It is done by a file
// of the fusectl file system, which most systems have mounted; root mounts it
// for the moment where it is not.
func (c *connection) abort() error {
	err := c.abortIn("/sys/fs/fuse/connections")
	if !errors.Is(err, unix.ENOENT) || os.Geteuid() != 0 {
		return err
	}
	dir, err := os.MkdirTemp("", "gonfs-fusectl")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	if err := unix.Mount("fusectl", dir, "fusectl", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return os.NewSyscallError("mount of fusectl", err)
	}
	return errors.Join(c.abortIn(dir), unix.Unmount(dir, unix.MNT_DETACH))
}

// abortIn aborts by the file of a fusectl that is mounted on dir. It is named
// by the minor number of the file system's device.
func (c *connection) abortIn(dir string) error {
	_, minor, _ := strings.Cut(c.dev, ":")
	f, err := os.OpenFile(filepath.Join(dir, minor, "abort"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("1")
	return errors.Join(err, f.Close())
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
