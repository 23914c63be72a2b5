package mounttab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// candidates are the directories where the daemons of user uid keep their
// records, the preferred one first. runtime is the user's XDG_RUNTIME_DIR, or
// "".
func candidates(uid int, runtime string) []string {
	var dirs []string
	switch {
	case uid == 0:
		dirs = []string{"/run/gonfs"}
	case filepath.IsAbs(runtime):
		dirs = []string{filepath.Join(runtime, "gonfs")}
	}
	return append(dirs, filepath.Join("/tmp", "gonfs-"+strconv.Itoa(uid)))
}

// DirError is a directory that cannot be trusted with records.
type DirError struct {
	Dir, Why string
}

// Error implements error.
func (e *DirError) Error() string {
	return fmt.Sprintf("mounttab: %s %s: remove it, or set XDG_RUNTIME_DIR", e.Dir, e.Why)
}

// check reports whether dir is a directory that only user uid can enter. It
// does not follow a symbolic link: in /tmp anybody may have put one there
// first. Nobody else can replace the directory once it passed, because its
// parent is root's, the user's own, or sticky.
func check(dir string, uid int) error {
	st, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	switch {
	case !st.IsDir():
		return &DirError{dir, "is not a directory"}
	case !ok || int(sys.Uid) != uid:
		return &DirError{dir, "belongs to another user"}
	case st.Mode().Perm()&0o077 != 0:
		return &DirError{dir, fmt.Sprintf("is open to other users (mode %04o)", st.Mode().Perm())}
	}
	return nil
}

// makeDir creates dir, its parent being there, and checks it.
func makeDir(dir string, uid int) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return check(dir, uid)
}
