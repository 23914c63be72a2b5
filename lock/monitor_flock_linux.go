package lock

import (
	"os"
	"syscall"
)

// waitLock locks f for this open file; closing it ends the lock. Whoever holds
// it does so for some file operations only.
func waitLock(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			return err
		}
	}
}

// tryLock locks f if nobody else has; ok says whether.
func tryLock(f *os.File) (ok bool, err error) {
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
	case nil:
		return true, nil
	case syscall.EWOULDBLOCK:
		return false, nil
	default:
		return false, err
	}
}

// bootID names this boot of the host.
func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return string(text[:min(36, len(text))])
}
