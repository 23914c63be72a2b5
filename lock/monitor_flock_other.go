//go:build !linux

package lock

import "os"

// waitLock does nothing: elsewhere than on Linux, where no daemon mounts, one
// process has a state directory for itself.
func waitLock(*os.File) error { return nil }

// tryLock does nothing, and says that somebody else has f: what cannot be told
// to be dead is left alone.
func tryLock(*os.File) (ok bool, err error) { return false, nil }

// bootID names this boot of the host: not known here, so a restart of the host
// is not noticed.
func bootID() string { return "" }
