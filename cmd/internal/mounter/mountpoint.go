package mounter

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
)

// checkDir makes sure that dir can be mounted on and returns its real path. A
// dead mount of the same spec, which a daemon that crashed left behind, is
// taken away first.
func checkDir(dir, spec string) (string, error) {
	abs, err := PathOf(dir)
	if err != nil {
		return "", err
	}
	twice := exitcodes.New(exitcodes.Failure, "%s is busy or already mounted or sharecache fail", dir)
	if dead(abs, spec) {
		if err := detach(abs); err != nil {
			return "", exitcodes.New(exitcodes.Failure, "mount point %s is a dead mount and cannot be unmounted: %w", dir, err)
		}
	}
	if mountedAt(abs, spec) { // before it is looked at: its server may be away
		return "", twice
	}
	fi, err := os.Stat(abs)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", exitcodes.New(exitcodes.Failure, "mount point %s does not exist", dir)
	case errors.Is(err, unix.ENOTCONN):
		return "", exitcodes.New(exitcodes.Failure, "mount point %s is a dead mount of something else: unmount it first", dir)
	case err != nil:
		return "", exitcodes.New(exitcodes.Failure, "mount point %s: %w", dir, err)
	case !fi.IsDir():
		return "", exitcodes.New(exitcodes.Failure, "mount point %s is not a directory", dir)
	}
	abs, err = filepath.EvalSymlinks(abs)
	if err != nil {
		return "", exitcodes.New(exitcodes.Failure, "mount point %s: %w", dir, err)
	}
	if mountedAt(abs, spec) {
		return "", twice
	}
	return abs, nil
}

// PathOf returns the path of a mount point as the kernel shows it: absolute,
// with symbolic links resolved above it. The mount itself is not looked at: it
// may have to wait for its server.
func PathOf(dir string) (string, error) {
	if dir == "" { // which would be the working directory
		return "", exitcodes.New(exitcodes.Failure, "the mount point is an empty name")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", exitcodes.New(exitcodes.System, "mount point %s: %w", dir, err)
	}
	if parent, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		abs = filepath.Join(parent, filepath.Base(abs))
	}
	return abs, nil
}

// mountedAt reports whether what one sees at dir is a mount of spec.
func mountedAt(dir, spec string) bool {
	e := mountAt(dir)
	return e != nil && e.source == spec && strings.HasPrefix(e.fstype, "fuse.gonfs")
}

// dead reports whether dir is a mount of spec, made by this user, whose daemon
// is gone: there is no record of it, and the kernel says so, too. The record
// could be where we do not look, in another XDG_RUNTIME_DIR.
func dead(dir, spec string) bool {
	e := mountAt(dir)
	if e == nil || e.source != spec || e.fstype != "fuse.gonfs" {
		return false
	}
	if uid, ok := userOf(e.options); !ok || uid != os.Geteuid() {
		return false
	}
	_, lives := recordOf(dir)
	return !lives && disconnected(dir)
}

// askTime is how long a daemon may take to answer disconnected. One whose server
// is away lives, and does not.
const askTime = time.Second

// disconnected reports whether the FUSE mount at dir has no daemon any more. It
// asks for statfs(2): most else the kernel answers for a while from what it
// remembers.
func disconnected(dir string) bool {
	answer := make(chan error, 1)
	go func() { answer <- unix.Statfs(dir, new(unix.Statfs_t)) }() // ends with the answer, or with this process
	select {
	case err := <-answer:
		return errors.Is(err, unix.ENOTCONN) || errors.Is(err, unix.ECONNABORTED)
	case <-time.After(askTime):
		return false
	}
}

// mountEntry is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)). The
// options are those of the mount and of its file system.
type mountEntry struct{ source, dir, fstype, options, device string }

// mountAt returns what is mounted on dir, the topmost, or nil.
func mountAt(dir string) (found *mountEntry) {
	for _, e := range mounts() {
		if e.dir == dir {
			found = &e
		}
	}
	return found
}

// mounts lists what is mounted, in order; it is empty where /proc is not.
func mounts() (out []mountEntry) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		of, what, _ := strings.Cut(s.Text(), " - ")
		if m, fs := strings.Fields(of), strings.Split(what, " "); len(m) >= 6 && len(fs) >= 3 { // a source may be empty
			out = append(out, mountEntry{unescape(fs[1]), unescape(m[4]), unescape(fs[0]), m[5] + "," + unescape(fs[2]), m[2]})
		}
	}
	return out
}

// unescape undoes the octal escapes of /proc/self/mountinfo.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && isOctal(s[i+1:i+4]) {
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | s[i+3] - '0')
			i += 3
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isOctal(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '7' {
			return false
		}
	}
	return s[0] <= '3'
}
