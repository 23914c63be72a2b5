package fuse

import (
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// readAheadKB is how far the kernel reads ahead, in KiB. Package client decides
// how far to read ahead of a program; this only makes the kernel's READs 1 MiB
// long in place of 128 KiB. Ordinary users may not change it.
const readAheadKB = 1024

// settle makes the best of a mount that answers requests by now.
func (m *Mounted) settle() {
	path := filepath.Join("/sys/class/bdi", m.conn.dev, "read_ahead_kb")
	if err := os.WriteFile(path, []byte(strconv.Itoa(readAheadKB)), 0); err != nil && m.direct {
		m.log.Debug("reads of other programs are limited to 128 KiB", "err", err)
	}
	refusePoll(m.dir)
}

// refusePoll makes the kernel ask for POLL once, on a file that go-fuse makes
// up for the purpose, and learn that there is none. Without that, a program
// that both serves a mount and opens files on it can hang: Go's runtime polls
// a file when it is opened, and no thread may be left to answer.
func refusePoll(dir string) {
	fd, err := unix.Open(filepath.Join(dir, ".go-fuse-epoll-hack"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	_ = unix.Close(fd)
}
