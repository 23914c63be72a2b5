package fuse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// helperLimit bounds one run of fusermount3.
const helperLimit = 30 * time.Second

// helper returns the path of fusermount3, which is set-uid root and mounts for
// ordinary users, or of its predecessor.
func helper() (string, error) {
	for _, name := range []string{"fusermount3", "/usr/bin/fusermount3", "/bin/fusermount3", "fusermount", "/bin/fusermount"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("fusermount3 is not installed: only root can mount and unmount without it (Debian: apt install fuse3)")
}

// mountHelped has fusermount3 mount, and returns the FUSE device that it sends
// over a socket.
func mountHelped(ctx context.Context, dir string, c *Config) (fd int, err error) {
	path, err := helper()
	if err != nil {
		return -1, err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "fusermount"), os.NewFile(uintptr(pair[1]), "fusermount")
	defer ours.Close()
	defer theirs.Close()

	options := append(vfsWords(&c.Options.VFS), kernelOptions(c)...)
	if c.FsName != "" {
		options = append(options, "fsname="+escape(c.FsName))
	}
	options = append(options, "subtype=gonfs")
	if err := runHelper(ctx, path, theirs, "-o", strings.Join(options, ","), "--", dir); err != nil {
		return -1, err
	}
	return receiveFD(pair[0])
}

// runHelper runs fusermount3. Its first descriptor after the standard ones is
// comm, if that is not nil. What it says on stderr becomes the error.
func runHelper(ctx context.Context, path string, comm *os.File, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, helperLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{} // nothing of ours is its business
	if comm != nil {
		cmd.Env = []string{"_FUSE_COMMFD=3"}
		cmd.ExtraFiles = []*os.File{comm}
	}
	cmd.WaitDelay = time.Second // auto_unmount leaves a child that holds stderr
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(said.String()); text != "" {
			return fmt.Errorf("%s (%w)", text, err)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Fusermount runs fusermount3 for something other than mounting, wherever it is
// installed: a helper of umount(8) has no PATH. What it says on stderr is in the
// error. It takes 30 seconds at most.
func Fusermount(args ...string) error {
	path, err := helper()
	if err != nil {
		return err
	}
	return runHelper(context.Background(), path, nil, args...)
}

// receiveFD receives one descriptor from a socket.
func receiveFD(socket int) (int, error) {
	var data [8]byte
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, data[:], oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("recvmsg", err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return -1, fmt.Errorf("fusermount3 sent %d messages in place of the device: %w", len(messages), errors.Join(err, unix.EPROTO))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return -1, fmt.Errorf("fusermount3 sent %d descriptors in place of one: %w", len(fds), errors.Join(err, unix.EPROTO))
	}
	return fds[0], nil
}
