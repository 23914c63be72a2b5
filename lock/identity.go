package lock

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// network names the network that this process sees, so that another container's
// journal, whose locks another address has taken, is left alone; "" where there
// is only one.
func network() string {
	name, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return ""
	}
	return name
}

// newOH is the oh of a daemon's owners: nobody else on this host, now or since
// it was booted, has it. It stays the same when locks are reclaimed.
func newOH() []byte {
	var id [8]byte
	_, _ = rand.Read(id[:]) // it never fails
	boot, _, _ := strings.Cut(bootID(), "-")
	return []byte(ohPrefix + boot + "-" + hex.EncodeToString(id[:]))
}

// ohPrefix begins every oh of ours.
const ohPrefix = "gonfs-"

// DefaultStateDir is where daemons of this user keep what must outlive them:
// /var/lib/gonfs for root, and $XDG_STATE_HOME/gonfs or ~/.local/state/gonfs
// for others. Who sees another network than the rest of the host (ip-netns(8))
// has a directory of his own below it: to servers he is another host. It is ""
// where there is no such place.
func DefaultStateDir() string {
	dir := "/var/lib/gonfs"
	if os.Geteuid() != 0 {
		state := os.Getenv("XDG_STATE_HOME")
		if !filepath.IsAbs(state) {
			home := homeDir()
			if home == "" {
				return ""
			}
			state = filepath.Join(home, ".local", "state")
		}
		dir = filepath.Join(state, "gonfs")
	}
	// Only root may ask what the first process sees; to others it is the same.
	host, err := os.Readlink("/proc/1/ns/net")
	if own := network(); err == nil && own != host {
		dir = filepath.Join(dir, strings.NewReplacer(":[", "-", "]", "").Replace(own))
	}
	return dir
}

// homeDir returns $HOME, or where it is missing, as mount(8) leaves its helpers
// without, what the list of users says; or "".
func homeDir() string {
	if home, err := os.UserHomeDir(); err == nil {
		return home
	}
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.HomeDir
}
