package main

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
)

// enter moves this thread into the mount namespace that path is a file of, as
// mount(8) passes it with -N; "" is the one where it is. Processes that the
// thread starts are there as well: the daemon, above all.
func enter(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return exitcodes.New(exitcodes.System, "mount namespace: %w", err)
	}
	defer f.Close()
	// A thread that shares its working directory with others cannot leave.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return exitcodes.New(exitcodes.System, "mount namespace %s: unshare: %w", path, err)
	}
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNS); err != nil {
		return exitcodes.New(exitcodes.System, "mount namespace %s: %w", path, err)
	}
	return nil
}
