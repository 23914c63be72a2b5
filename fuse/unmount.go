package fuse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// grace is how long an unmounted mount may take to end by itself. It does
	// not end while it is still mounted elsewhere: other programs' mount
	// namespaces keep copies.
	grace = 5 * time.Second
	// afterAbort is how long it may take after it was aborted.
	afterAbort = 2 * time.Second
	// busyTries and busyPause bound the wait for files that are just being
	// closed.
	busyTries = 6
	busyPause = 40 * time.Millisecond
)

// Unmount unmounts the mount and waits until it has ended. If it is in use, it
// stays and the error is EBUSY (see Detach). If ctx ends, or if the mount has
// not ended 5 s after it was unmounted, it is aborted: what programs still do
// with it fails. Unmount returns within seconds of ctx's end whatever happens,
// with an error if the mount has not ended even then; it does when the process
// exits. A mount that has ended already is no error.
func (m *Mounted) Unmount(ctx context.Context) error {
	return m.end(ctx, 0, grace)
}

// Detach takes the mount out of the directory tree even if it is in use, and
// waits until it has ended: that is when the last file is closed, or when ctx
// ends. Then it is aborted.
func (m *Mounted) Detach(ctx context.Context) error {
	return m.end(ctx, unix.MNT_DETACH, 0)
}

// Abort makes all that programs do with the mount fail at once, and unmounts
// it: for servers that will not come back.
func (m *Mounted) Abort(ctx context.Context) error {
	if err := m.conn.abort(); err != nil && !m.over() {
		return &Error{"unmount", m.dir, fmt.Errorf("abort: %w", err)}
	}
	return m.Detach(ctx)
}

// end unmounts and waits until the mount has ended, for limit at most if that
// is not 0.
func (m *Mounted) end(ctx context.Context, flags int, limit time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- m.umount(flags) }() // ends with umount(2), which may wait for a server until the abort
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		if err = m.conn.abort(); err == nil {
			select {
			case err = <-done:
			case <-time.After(afterAbort):
				err = context.Cause(ctx)
			}
		}
	}
	if err != nil {
		return &Error{"unmount", m.dir, err}
	}
	return m.await(ctx, limit)
}

// await waits for the end of a mount that was unmounted, and aborts it when
// that takes too long.
func (m *Mounted) await(ctx context.Context, limit time.Duration) error {
	var late <-chan time.Time
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		late = t.C
	}
	select {
	case <-m.ended:
		return nil
	case <-ctx.Done():
	case <-late:
	}
	err := m.conn.abort()
	select {
	case <-m.ended:
		return nil
	case <-time.After(afterAbort):
	}
	return &Error{"unmount", m.dir, errors.Join(
		errors.New("it is unmounted here, but the kernel has not given it up; it will when this process exits"), err)}
}

// over reports whether the mount has ended.
func (m *Mounted) over() bool {
	select {
	case <-m.ended:
		return true
	default:
		return false
	}
}

// umount unmounts, unless somebody else has done it: what is mounted there by
// then is none of our business. A mount that was aborted is still to be
// unmounted.
func (m *Mounted) umount(flags int) (err error) {
	m.umounting.Lock()
	defer m.umounting.Unlock()
	for try := range busyTries {
		if !m.conn.visible(m.dir) {
			return nil
		}
		if try > 0 {
			time.Sleep(busyPause)
		}
		if err = m.umountOnce(flags); err == nil || !errors.Is(err, unix.EBUSY) {
			return err
		}
	}
	return err
}

func (m *Mounted) umountOnce(flags int) error {
	if m.direct {
		return unix.Unmount(m.dir, flags|unix.UMOUNT_NOFOLLOW)
	}
	args := []string{"-u", "--", m.dir}
	if flags&unix.MNT_DETACH != 0 {
		args = []string{"-u", "-z", "--", m.dir}
	}
	err := Fusermount(args...)
	if err != nil && m.conn.visible(m.dir) {
		return fmt.Errorf("%w: %w", unix.EBUSY, err) // its words may be in any language
	}
	return err
}

// detach undoes a mount that never answered.
func (m *Mounted) detach() error {
	if m.direct {
		return unix.Unmount(m.dir, unix.MNT_DETACH)
	}
	return Fusermount("-u", "-z", "--", m.dir)
}
