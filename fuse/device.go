package fuse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// fsType is the type that /proc/mounts shows.
const fsType = "fuse.gonfs"

// mountPoint returns the absolute path of a directory without symbolic links.
// A mount of the same source whose daemon has died is taken away first: each
// system call on it fails with ENOTCONN.
func mountPoint(dir, source string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	path, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, syscall.ENOTCONN) {
		path, err = filepath.EvalSymlinks(filepath.Dir(abs))
		path = filepath.Join(path, filepath.Base(abs))
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if errors.Is(err, syscall.ENOTCONN) {
		if err := removeDead(path, source); err != nil {
			return "", err
		}
		info, err = os.Stat(path)
	}
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", syscall.ENOTDIR
	}
	return path, nil
}

// removeDead detaches a dead mount of ours.
func removeDead(path, source string) error {
	e, err := findMount(path)
	if err != nil {
		return err
	}
	if e.fsType != fsType || e.source != source {
		return fmt.Errorf("%w: a dead mount of %s (%s) is in the way: umount it first", syscall.ENOTCONN, e.source, e.fsType)
	}
	if os.Geteuid() == 0 {
		return unix.Unmount(path, unix.MNT_DETACH)
	}
	return Fusermount("-u", "-z", "--", path)
}

// mountDirect mounts by mount(2) and returns the FUSE device.
func mountDirect(dir string, c *Config) (fd int, err error) {
	fd, err = unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: "/dev/fuse", Err: err}
	}
	options := append([]string{
		fmt.Sprintf("fd=%d", fd),
		fmt.Sprintf("rootmode=%o", syscall.S_IFDIR),
		fmt.Sprintf("user_id=%d", os.Geteuid()),
		fmt.Sprintf("group_id=%d", os.Getegid()),
	}, kernelOptions(c)...)
	source := c.FsName
	if source == "" {
		source = fsType
	}
	err = unix.Mount(source, dir, fsType, vfsFlags(&c.Options.VFS), strings.Join(options, ","))
	if err != nil {
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("mount", err)
	}
	return fd, nil
}
