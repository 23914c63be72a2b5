package mounter

import (
	"errors"
	"strings"

	"github.com/gonfs/gonfs/mount"
)

// message is the line that the user sees: mount.nfs's own words where there
// are some.
func message(err error) string {
	var m *mount.Error
	if errors.As(err, &m) {
		return m.Message()
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
