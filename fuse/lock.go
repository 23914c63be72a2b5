package fuse

import (
	"context"
	"math"
	"syscall"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/mountopt"
)

// Whose a lock is, the kernel tells by a number and a flag. The number stands for
// a process (fcntl(2) F_SETLK) or for an open file description (flock(2) and
// F_OFD_SETLK); the flag tells flock(2) from the two others, which look alike.
// They need not be told apart: a process that closes any descriptor of a file
// gives back what it locked, and FLUSH brings the process's number then; what is
// left of a file description when its last descriptor is closed, at RELEASE, was
// the description's own.
//
// The kernel sends no UNLOCK when a file is closed or a process dies: FLUSH and
// RELEASE are all that one hears of it.

// ownerOf returns whose lock a request is about. The kernel's number is made of
// an address, which the next open file may have while the RELEASE of the last
// one is still under way; the number of the handle, which is as much the file
// description's, is never used again.
func ownerOf(in *gofuse.LkIn) lock.Owner {
	if in.LkFlags&gofuse.LK_FLOCK != 0 {
		return lock.Owner{Kind: lock.Flock, ID: in.Fh}
	}
	return lock.Owner{Kind: lock.Posix, ID: in.Owner}
}

// rangeOf returns the bytes of a request. The kernel's last byte, 2^63-1, is "to
// the end".
func rangeOf(l *gofuse.FileLock) lock.Range {
	if l.End >= math.MaxInt64 {
		return lock.Range{Start: l.Start, End: lock.EOF}
	}
	return lock.Range{Start: l.Start, End: l.End}
}

// typeOf returns the type of a request that locks.
func typeOf(l *gofuse.FileLock) (lock.Type, bool) {
	switch l.Typ {
	case syscall.F_RDLCK:
		return lock.Shared, true
	case syscall.F_WRLCK:
		return lock.Exclusive, true
	}
	return 0, false
}

// lockOf returns the lock of a request.
func lockOf(in *gofuse.LkIn) (lock.Lock, bool) {
	t, ok := typeOf(&in.Lk)
	return lock.Lock{Owner: ownerOf(in), Range: rangeOf(&in.Lk), Type: t, PID: in.Lk.Pid}, ok
}

// GetLk implements gofuse.RawFileSystem: F_GETLK.
func (r *raw) GetLk(cancel <-chan struct{}, in *gofuse.LkIn, out *gofuse.LkOut) gofuse.Status {
	h := r.handles.file(in.Fh)
	if h == nil {
		return badFD
	}
	l, ok := lockOf(in)
	if !ok {
		return gofuse.EINVAL
	}
	other, err := h.file.TestLockFor(r.wait(cancel, &in.InHeader), l)
	if err != nil {
		return status(err)
	}
	out.Lk = gofuse.FileLock{Typ: syscall.F_UNLCK}
	if other != nil {
		out.Lk = gofuse.FileLock{Start: other.Range.Start, End: min(other.Range.End, math.MaxInt64), Typ: syscall.F_RDLCK, Pid: other.PID}
		if other.Type == lock.Exclusive {
			out.Lk.Typ = syscall.F_WRLCK
		}
	}
	return gofuse.OK
}

// SetLk implements gofuse.RawFileSystem: F_SETLK, and flock(2) with LOCK_NB.
func (r *raw) SetLk(cancel <-chan struct{}, in *gofuse.LkIn) gofuse.Status {
	return r.setLock(r.wait(cancel, &in.InHeader), in, false)
}

// SetLkw implements gofuse.RawFileSystem: F_SETLKW, and flock(2). Unlike all
// others this wait ends with any signal: it may be for a program that never
// gives its lock back, and signal(7) has it so. The kernel begins the call anew
// where SA_RESTART says that.
func (r *raw) SetLkw(cancel <-chan struct{}, in *gofuse.LkIn) gofuse.Status {
	if _, locks := typeOf(&in.Lk); !locks {
		return r.SetLk(cancel, in)
	}
	return r.setLock(interruptible{cancel}, in, true)
}

// interruptible is the context of a request that ends with any signal.
type interruptible struct{ cancel <-chan struct{} }

// Deadline implements context.Context: there is none.
func (interruptible) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (i interruptible) Done() <-chan struct{} { return i.cancel }

// Err implements context.Context.
func (i interruptible) Err() error {
	select {
	case <-i.cancel:
		return context.Canceled
	default:
		return nil
	}
}

// Value implements context.Context: there are none.
func (interruptible) Value(any) any { return nil }

// setLock locks or unlocks. Pages that the kernel has of a file are dropped
// after a lock was granted, before anybody can read them under it, and before
// one is given back: what was written through a memory map is written back
// then, and goes to the server with the rest.
func (r *raw) setLock(ctx context.Context, in *gofuse.LkIn, wait bool) gofuse.Status {
	h := r.handles.file(in.Fh)
	if h == nil {
		return badFD
	}
	if in.Lk.Typ == syscall.F_UNLCK {
		r.writeMapsBack(h)
		return status(h.file.UnlockFor(ctx, ownerOf(in), rangeOf(&in.Lk)))
	}
	l, ok := lockOf(in)
	if !ok {
		return gofuse.EINVAL
	}
	r.writeMapsBack(h)
	if err := h.file.LockFor(ctx, l, wait); err != nil {
		return status(err)
	}
	r.dropPages(h)
	return gofuse.OK
}

// writeMapsBack has the kernel write back what was changed through memory maps,
// which only a file that is open for both can have. It has no other call for
// that than to drop all pages; under locks they are read anew anyway.
func (r *raw) writeMapsBack(h *handle) {
	if h.file.Flags()&syscall.O_ACCMODE == syscall.O_RDWR {
		r.dropPages(h)
	}
}

// dropPages has the kernel drop all pages and attributes of a file at once. It
// is done here and not by the invalidator, which may be waiting for another file:
// a request about locks holds nothing in the kernel that this would wait for.
func (r *raw) dropPages(h *handle) {
	if r.notify != nil { // nil without a kernel, in tests
		r.notify(h.node.ino.ID(), 0, 0)
	}
}

// lockCapabilities are the kinds of locks that the kernel is to ask us about. It
// keeps the others itself, which is what local locks are.
func lockCapabilities(local mountopt.LocalLock) (caps uint64) {
	if local&mountopt.LocalPosix == 0 {
		caps |= gofuse.CAP_POSIX_LOCKS
	}
	if local&mountopt.LocalFlock == 0 {
		caps |= gofuse.CAP_FLOCK_LOCKS
	}
	return caps
}
