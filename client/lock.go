package client

import (
	"context"
	"os"
	"syscall"

	"github.com/gonfs/gonfs/lock"
)

// Lock locks the bytes r of the file and waits while others hold them, until
// ctx ends. The owner is the File, as with F_OFD_SETLKW of fcntl(2): its locks
// are given back by Unlock and Release, and a second Lock of the same bytes
// replaces the first. A shared lock needs a File that can be read, an exclusive
// one a File that can be written (EBADF). Errors are a *lock.Error with the
// errno that fcntl(2) fails with, or the cause of ctx.
//
// Where the mount asks the server for locks (mount option lock, the default),
// others are all programs on all clients. Under the lock the file is as the last
// holder left it: what is cached of it is dropped once the lock is granted, and
// what was written is sent and committed before it is given back.
func (f *File) Lock(ctx context.Context, r lock.Range, t lock.Type) error {
	return f.lockOwn(ctx, r, t, true)
}

// TryLock is Lock without waiting: bytes that others hold are EAGAIN.
func (f *File) TryLock(ctx context.Context, r lock.Range, t lock.Type) error {
	return f.lockOwn(ctx, r, t, false)
}

// Unlock gives the bytes r back, after what was written to the file was sent
// and committed. Bytes that were not locked are no error. An error of writing is
// told by Fsync and Flush, as ever; the bytes are given back all the same.
func (f *File) Unlock(ctx context.Context, r lock.Range) error {
	return f.UnlockFor(ctx, f.own(), r)
}

// TestLock returns a lock that is in the way of locking r, or nil if Lock would
// not wait. Of a lock that another host holds, Owner and PID are zero.
func (f *File) TestLock(ctx context.Context, r lock.Range, t lock.Type) (*lock.Lock, error) {
	return f.TestLockFor(ctx, lock.Lock{Owner: f.own(), Range: r, Type: t})
}

func (f *File) lockOwn(ctx context.Context, r lock.Range, t lock.Type, wait bool) error {
	access := f.flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
	if t == lock.Exclusive && access == os.O_RDONLY || t == lock.Shared && access == os.O_WRONLY {
		return &lock.Error{Op: "lock", Range: r, Errno: syscall.EBADF}
	}
	return f.LockFor(ctx, lock.Lock{Owner: f.own(), Range: r, Type: t, PID: uint32(os.Getpid())}, wait)
}

// own returns the owner that the File is.
func (f *File) own() lock.Owner {
	f.ownOnce.Do(func() { f.owner = f.fs.locks.NewOwner(lock.OFD) })
	return f.owner
}

// LockFor is Lock, or TryLock without wait, for whichever owner l names: FUSE
// knows owners of its own. Whether the File may be read or written the caller
// has looked at.
func (f *File) LockFor(ctx context.Context, l lock.Lock, wait bool) error {
	fs := f.fs
	if err := f.usable(); err != nil {
		return err
	}
	// Data from before the lock must not arrive under it, over what the last
	// holder wrote.
	if err := fs.flush(ctx, f.ino); err != nil {
		return err
	}
	k := locker{fs.lockHandle(f.ino), l.Owner}
	if err := fs.lockers.enter(ctx, k, f); err != nil {
		return err
	}
	if err := fs.locks.Lock(ctx, k.fh, f.cred, l, wait); err != nil {
		return err
	}
	fs.lockers.add(k, f)   // again: an unlock or close of his while he waited has made him forgotten
	if f.released.Load() { // meanwhile: nobody would give it back
		_ = fs.giveBack(fs.life, f.ino, k) // it fails with the file system, and with it all locks end
		return os.ErrClosed
	}
	fs.revalidate(f.ino)
	return nil
}

// UnlockFor is Unlock for an owner.
func (f *File) UnlockFor(ctx context.Context, owner lock.Owner, r lock.Range) error {
	k := locker{f.fs.lockHandle(f.ino), owner}
	if err := f.fs.flush(ctx, f.ino); err != nil {
		return err // ctx ended: the lock is held until it is tried again, or until Release
	}
	// Before, not after: a lock that is granted to him meanwhile is not forgotten.
	whole := r == lock.WholeFile && f.fs.lockers.forget(k)
	err := f.fs.locks.Unlock(ctx, k.fh, f.cred, owner, r)
	if err != nil && whole {
		f.fs.lockers.add(k, f)
	}
	return err
}

// TestLockFor is TestLock for an owner.
func (f *File) TestLockFor(ctx context.Context, l lock.Lock) (*lock.Lock, error) {
	if err := f.usable(); err != nil {
		return nil, err
	}
	return f.fs.locks.Test(ctx, f.fs.lockHandle(f.ino), f.cred, l)
}

// UnlockAll gives back all that owner has of the file, through whichever File he
// locked it: what close(2) does with the locks of fcntl(2). An owner who holds
// nothing costs nothing. If ctx ends before the data was sent, that and the rest
// go on without the caller.
func (f *File) UnlockAll(ctx context.Context, owner lock.Owner) error {
	k := locker{f.fs.lockHandle(f.ino), owner}
	if !f.fs.lockers.knows(k) {
		return nil
	}
	if err := f.fs.flush(ctx, f.ino); err != nil {
		if known, done := f.fs.lockers.leaveAll(k); known { // whoever gets his number next waits for it
			f.fs.goroutine(func() { // ends with the file system's life, if not before
				defer done()
				_ = f.fs.returnLocks(f.fs.life, f.ino, k)
			})
		}
		return err
	}
	return f.fs.giveBack(ctx, f.ino, k)
}

// unlockThrough gives back what was locked through f and not given back since:
// the locks of open file descriptions, f's own among them.
func (f *File) unlockThrough(ctx context.Context) error {
	var first error
	for _, k := range f.fs.lockers.through(f) {
		last, done := f.fs.lockers.leave(k, f)
		if !last {
			continue
		}
		err := f.fs.returnLocks(ctx, f.ino, k)
		if err == nil {
			done()
			continue
		}
		f.fs.goroutine(func() { // ends with the file system's life, if not before
			defer done()
			_ = f.fs.returnLocks(f.fs.life, f.ino, k)
		})
		if first == nil {
			first = err
		}
	}
	return first
}

// giveBack saves what was written under a lock and gives it back.
func (fs *FS) giveBack(ctx context.Context, ino *Inode, k locker) error {
	if !fs.lockers.forget(k) {
		return nil
	}
	return fs.returnLocks(ctx, ino, k)
}

// returnLocks is giveBack for an owner who is forgotten already.
func (fs *FS) returnLocks(ctx context.Context, ino *Inode, k locker) error {
	if err := fs.flush(ctx, ino); err != nil {
		return err // the file system has ended, and with it all locks
	}
	return fs.locks.Release(ctx, k.fh, k.owner)
}

// revalidate forgets what is known of a file that was just locked: its last
// holder may have changed it. Times do not tell: two changes within a tick of
// the server's clock have one ctime.
func (fs *FS) revalidate(ino *Inode) {
	fs.dropReadahead(ino)
	ino.mu.Lock()
	ino.cache.distrust(fs.gen.Add(1))
	ino.mu.Unlock()
}

// usable returns why f cannot be used.
func (f *File) usable() error {
	if f.lost.Load() {
		return ErrLockLost
	}
	return f.fs.alive(f.ino)
}
