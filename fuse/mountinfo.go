package fuse

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mountEntry is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)). It
// tells of a mount without touching it.
type mountEntry struct {
	id             uint64 // unique among the mounts of the moment
	dev            string // major:minor
	dir            string
	fsType, source string
}

// findMount returns the topmost mount on dir.
func findMount(dir string) (mountEntry, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return mountEntry{}, err
	}
	defer f.Close()
	return findMountIn(f, dir)
}

func findMountIn(r io.Reader, dir string) (found mountEntry, err error) {
	ok := false
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if e, good := parseMount(s.Text()); good && e.dir == dir {
			found, ok = e, true // what is mounted later lies on top
		}
	}
	if err := s.Err(); err != nil {
		return found, err
	}
	if !ok {
		return found, fmt.Errorf("nothing is mounted on %s: %w", dir, unix.EINVAL)
	}
	return found, nil
}

// parseMount parses a line: "36 35 98:0 /root /mnt rw,noatime shared:1 - ext3
// /dev/root rw,errors=continue", with any number of optional fields before the
// dash.
func parseMount(line string) (e mountEntry, ok bool) {
	before, after, ok := strings.Cut(line, " - ")
	head, tail := strings.Fields(before), strings.Split(after, " ")
	if !ok || len(head) < 6 || len(tail) < 2 {
		return e, false
	}
	id, err := strconv.ParseUint(head[0], 10, 64)
	return mountEntry{id: id, dev: head[2], dir: unescape(head[4]), fsType: tail[0], source: unescape(tail[1])}, err == nil
}

// unescape undoes the octal escapes of mountinfo: a space is \040.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
