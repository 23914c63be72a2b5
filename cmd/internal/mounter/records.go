package mounter

import (
	"os"
	"slices"

	"github.com/gonfs/gonfs/mounttab"
)

// Records lists the live mounts of this user; for root, those of every user
// that the kernel's table names. What is still being mounted is left out.
func Records() ([]mounttab.Record, error) {
	tab, err := mounttab.Open()
	if err != nil {
		return nil, err
	}
	out, err := tab.List()
	if err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		out = append(out, others()...)
	}
	return slices.DeleteFunc(out, func(r mounttab.Record) bool { return r.MountID == 0 }), nil
}

// others lists the records of other users.
func others() (out []mounttab.Record) {
	seen := map[int]bool{0: true}
	for _, e := range mounts() {
		uid, ok := userOf(e.options)
		if !ok || seen[uid] || e.fstype != "fuse.gonfs" {
			continue
		}
		seen[uid] = true
		if more, err := mounttab.OpenUser(uid).List(); err == nil {
			out = append(out, more...)
		}
	}
	return out
}
