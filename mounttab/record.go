package mounttab

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// Record describes a live mount. Who adds it fills in what is about the mount;
// Add fills in what is about the process.
type Record struct {
	Spec    string    `json:"spec"`    // host:path, the source of the mount
	Dir     string    `json:"dir"`     // the mount point, absolute and without symbolic links
	FSType  string    `json:"fstype"`  // as in /proc/mounts: fuse.gonfs
	Options string    `json:"options"` // in effect, as mountopt's String has them
	Asked   string    `json:"asked"`   // the options as they were given after -o: what a remount is compared with
	Version string    `json:"version"` // of gonfs
	Created time.Time `json:"created"`
	// MountID is the first field of the mount's line in mountinfo, which tells
	// apart mounts that lie on each other; 0 until the mount is there.
	MountID uint64 `json:"mount_id,omitempty"`
	// Device is the third field there, major:minor of the file system: the same
	// in each mount namespace that has a copy of the mount, and nobody else's as
	// long as the daemon serves it; "" until the mount is there.
	Device string `json:"device,omitempty"`

	PID       int    `json:"pid"`
	StartTime uint64 `json:"start_time"` // of the process, in ticks since boot: proc(5), stat, field 22
	BootID    string `json:"boot_id"`    // of the host, when the process was started
	UID       int    `json:"uid"`        // of the process

	// socket is the path of the socket; empty in a record that came from
	// somewhere else than a Table.
	socket string
}

// Live reports whether the process that the record names still runs. A process
// that merely has its number, now or after a reboot, does not count.
func (r *Record) Live() bool {
	if r.BootID != bootID() {
		return false
	}
	start, err := startTime(r.PID)
	return err == nil && start == r.StartTime
}

// self fills in what is about this process.
func (r *Record) self() error {
	start, err := startTime(os.Getpid())
	if err != nil {
		return fmt.Errorf("mounttab: start time of this process: %w", err)
	}
	r.PID, r.StartTime, r.BootID, r.UID = os.Getpid(), start, bootID(), os.Geteuid()
	if r.Created.IsZero() {
		r.Created = time.Now()
	}
	return nil
}

// errNoProcess is the end of a process that cannot be read to the end of its
// stat line.
var errNoProcess = errors.New("malformed stat line")

// startTime returns when process pid was started, in ticks since boot. A
// process that has ended and was not waited for is as good as gone.
func startTime(pid int) (uint64, error) {
	if pid <= 0 {
		return 0, fs.ErrNotExist
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	// The second field is the command in parentheses, which may hold anything;
	// the third comes after the last of them.
	i := bytes.LastIndexByte(b, ')')
	fields := strings.Fields(string(b[i+1:]))
	if i < 0 || len(fields) < 20 {
		return 0, errNoProcess
	}
	if state := fields[0]; state == "Z" || state == "X" {
		return 0, fs.ErrNotExist
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// bootID is a number that the kernel draws at each boot; "" where it cannot be
// read, which then is the same for all records.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
