package mounter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/fuse"
	"github.com/gonfs/gonfs/mounttab"
)

// UmountRequest is one unmount, as the command line asks for it.
type UmountRequest struct {
	Target   string // the mount point, or the spec of what is mounted
	Force    bool   // -f: even if the server is away; what cannot be saved within a second is lost
	Lazy     bool   // -l: now out of sight, ended when the last user is gone
	ReadOnly bool   // -r: if it is busy, make it read-only instead
}

// goneTime is how long Umount waits for the daemon to save what is left and to
// end.
const goneTime = 10 * time.Second

// Umount unmounts, and returns when the daemon has ended: all data is safe then,
// and nothing is left of the mount. Lazy unmounts are not waited for. The error
// carries an exit code.
func Umount(ctx context.Context, r UmountRequest) error {
	dir, err := findMount(r.Target)
	if err != nil {
		return err
	}
	rec, known := recordOf(dir)
	if r.Force && known && tell(ctx, rec, mounttab.OpDrain, drainTime) != nil {
		// The server does not answer, and what waits for it has to fail.
		if err := tell(ctx, rec, mounttab.OpAbort, drainTime); err != nil && rec.Live() {
			return exitcodes.New(exitcodes.Failure, "%s: its daemon (process %d) could not be told to give up: %w", r.Target, rec.PID, err)
		}
	}
	if err := unmount(dir, r.Force, r.Lazy); err != nil {
		if errors.Is(err, unix.EBUSY) && r.ReadOnly {
			if rerr := readOnly(dir); rerr == nil {
				return nil
			}
		}
		return exitcodes.New(exitcodes.Failure, "%s: %w", r.Target, umountText(err))
	}
	if !known || r.Lazy {
		return nil
	}
	for deadline := time.Now().Add(goneTime); rec.Live(); time.Sleep(10 * time.Millisecond) {
		if ctx.Err() != nil || time.Now().After(deadline) {
			if tell(context.WithoutCancel(ctx), rec, mounttab.OpDrain, drainTime) == nil {
				return nil // all is saved; another mount namespace has a copy of the mount
			}
			return exitcodes.New(exitcodes.Failure, "%s is unmounted, but its daemon (process %d) still runs: data may not be saved yet; kill it to give that data up", r.Target, rec.PID)
		}
	}
	return nil
}

// drainTime is how long a daemon may take to save what is left before it is told
// to give up, and to answer that.
const drainTime = time.Second

// tell asks the daemon of a mount to do something.
func tell(ctx context.Context, rec mounttab.Record, op mounttab.Op, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := mounttab.Call(ctx, rec, mounttab.Request{Op: op})
	return err
}

// readOnly makes a mount read-only, and leaves its other flags as they are.
func readOnly(dir string) error {
	e := mountAt(dir)
	if e == nil {
		return unix.EINVAL
	}
	flags := uintptr(unix.MS_REMOUNT | unix.MS_RDONLY)
	for o := range strings.SplitSeq(e.options, ",") {
		flags |= flagOf[o]
	}
	return unix.Mount("", dir, "", flags, "")
}

// flagOf are the flags of mount(2) as /proc/self/mountinfo writes them.
var flagOf = map[string]uintptr{
	"nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC, "sync": unix.MS_SYNCHRONOUS, "dirsync": unix.MS_DIRSYNC,
	"noatime": unix.MS_NOATIME, "nodiratime": unix.MS_NODIRATIME, "relatime": unix.MS_RELATIME,
}

// findMount returns the mount point of a gonfs mount that is named by its
// directory or its source. A directory is not looked into: that would wait for
// the server.
func findMount(target string) (string, error) {
	if target == "" { // which would be the working directory
		return "", exitcodes.New(exitcodes.Failure, "an empty name: not mounted")
	}
	abs, err := filepath.Abs(target)
	if err != nil {
		return "", exitcodes.New(exitcodes.System, "%s: %w", target, err)
	}
	all := mounts()
	for i := len(all) - 1; i >= 0; i-- {
		e := all[i]
		if !strings.HasPrefix(e.fstype, "fuse.gonfs") {
			continue
		}
		if e.dir == abs || e.source == target {
			return e.dir, nil
		}
	}
	if real, err := PathOf(abs); err == nil {
		if e := mountAt(real); e != nil && strings.HasPrefix(e.fstype, "fuse.gonfs") {
			return real, nil
		}
	}
	if e := mountAt(abs); e != nil {
		return "", exitcodes.New(exitcodes.Failure, "%s: is no mount of gonfs but of type %s", target, e.fstype)
	}
	return "", exitcodes.New(exitcodes.Failure, "%s: not mounted", target)
}

// recordOf returns the record of the mount at dir. Root finds those of other
// users by the owner that the mount's options tell.
func recordOf(dir string) (mounttab.Record, bool) {
	e := mountAt(dir)
	if e == nil {
		return mounttab.Record{}, false
	}
	tab, err := mounttab.Open()
	if err == nil {
		if rec, err := tab.Find(dir, e.device); err == nil {
			return rec, true
		}
	}
	if os.Geteuid() == 0 {
		if uid, ok := userOf(e.options); ok {
			if rec, err := mounttab.OpenUser(uid).Find(dir, e.device); err == nil {
				return rec, true
			}
		}
	}
	return mounttab.Record{}, false
}

// userOf returns the value of user_id=, which the kernel shows for FUSE mounts.
func userOf(options string) (uid int, ok bool) {
	for o := range strings.SplitSeq(options, ",") {
		if n, err := fmt.Sscanf(o, "user_id=%d", &uid); n == 1 && err == nil {
			return uid, true
		}
	}
	return 0, false
}

// How often, and after which pause, a busy mount is tried again.
const (
	busyTries = 6
	busyPause = 40 * time.Millisecond
)

// unmount lets the kernel end a mount: by umount2(2) where that is allowed,
// else through fusermount3, which lets users end their own.
func unmount(dir string, force, lazy bool) error {
	flags := unix.UMOUNT_NOFOLLOW
	if force {
		flags |= unix.MNT_FORCE
	}
	if lazy {
		flags |= unix.MNT_DETACH
	}
	var err error
	for range busyTries { // a file that was closed just now may keep it busy for a moment
		if err = unix.Unmount(dir, flags); !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(busyPause)
	}
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	if e := mountAt(dir); e != nil {
		if uid, ok := userOf(e.options); ok && uid != os.Geteuid() { // fusermount3 would say that there is no such mount
			return fmt.Errorf("must be superuser to unmount what user %d has mounted: %w", uid, err)
		}
	}
	args := []string{"-u"}
	if lazy || force { // it has no force; detached it goes as soon as nothing waits, and nothing does
		args = append(args, "-z")
	}
	ferr := fuse.Fusermount(append(args, "--", dir)...)
	if ferr != nil && strings.Contains(ferr.Error(), "busy") {
		return unix.EBUSY
	}
	return ferr
}

// detach takes a dead mount away.
func detach(dir string) error { return unmount(dir, false, true) }

// umountText says what umount(8) says.
func umountText(err error) error {
	switch {
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("target is busy: %w", err)
	case errors.Is(err, unix.EINVAL), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("not mounted: %w", err)
	}
	return err
}
