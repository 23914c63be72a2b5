package client

import (
	"context"
	"fmt"
	"sync"
	"syscall"

	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// ErrLockLost is the error of reads and writes through a File after a lock that
// was taken through it was lost: the server has restarted and did not give it
// back. It is EIO. Somebody else may have changed what the lock protected, so
// nothing that the File's user believes of the content holds any more; it must be
// closed and opened again.
var ErrLockLost = fmt.Errorf("client: a lock on the file was lost when the server restarted: close it and begin again: %w", syscall.EIO)

// lockers knows through which open files locks were taken, and for whom. (What
// is locked the engine knows.) An owner is in it from before he asks for his
// first lock until he has given all back.
type lockers struct {
	mu      sync.Mutex // guards all below
	m       map[locker]map[*File]bool
	leaving map[locker]chan struct{} // owners whose last File is giving back what they hold; closed when it has
}

// locker is an owner at a file. The handle is the one that his locks were asked
// for with: a server may change handles (see stale.go), but not under a lock.
type locker struct {
	fh    nfs3.FH
	owner lock.Owner
}

// add notes that owner locks, or is about to lock, through f.
func (l *lockers) add(k locker, f *File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addLocked(k, f)
}

func (l *lockers) addLocked(k locker, f *File) {
	if l.m == nil {
		l.m = map[locker]map[*File]bool{}
	}
	if l.m[k] == nil {
		l.m[k] = map[*File]bool{}
	}
	l.m[k][f] = true
}

// enter is add for a File that is about to lock. The number of an owner may be
// that of another who has just left, for the kernel makes it of an address: what
// was his is given back first, which enter waits for, as long as ctx allows.
func (l *lockers) enter(ctx context.Context, k locker, f *File) error {
	for {
		l.mu.Lock()
		left := l.leaving[k]
		if left == nil {
			l.addLocked(k, f)
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
		if err := rpc.Wait(ctx, left); err != nil {
			return err
		}
	}
}

// leave notes that f is closed. last says that it was the last File that owner
// locked through: the caller gives back what he holds, and calls done then. If
// another has it open under the same number, the locks are that one's now.
func (l *lockers) leave(k locker, f *File) (last bool, done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	files := l.m[k]
	if !files[f] {
		return false, nil
	}
	if delete(files, f); len(files) > 0 {
		return false, nil
	}
	return true, l.leavingLocked(k)
}

// leaveAll is leave for an owner who gives back what he locked through any File.
func (l *lockers) leaveAll(k locker) (known bool, done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.m[k] == nil {
		return false, nil
	}
	return true, l.leavingLocked(k)
}

func (l *lockers) leavingLocked(k locker) (done func()) {
	delete(l.m, k)
	if l.leaving == nil {
		l.leaving = map[locker]chan struct{}{}
	}
	left := make(chan struct{})
	l.leaving[k] = left
	return func() {
		l.mu.Lock()
		delete(l.leaving, k)
		l.mu.Unlock()
		close(left)
	}
}

// forget notes that owner has given all back, and reports whether he was known.
func (l *lockers) forget(k locker) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.m[k]
	delete(l.m, k)
	return known
}

// knows reports whether owner may hold locks.
func (l *lockers) knows(k locker) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.m[k] != nil
}

// through returns the owners that locked through f.
func (l *lockers) through(f *File) (all []locker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, files := range l.m {
		if files[f] {
			all = append(all, k)
		}
	}
	return all
}

// files returns the Files that owner locked through.
func (l *lockers) files(k locker) (all []*File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.m[k] {
		all = append(all, f)
	}
	return all
}

// lockLost is the engine's word that a lock is gone.
func (fs *FS) lockLost(fh nfs3.FH, owner lock.Owner) {
	for _, f := range fs.lockers.files(locker{fh, owner}) {
		f.lost.Store(true)
		fs.dropReadahead(f.ino)
		fs.changes.post(fs, f.ino) // pages elsewhere would be read without asking us
	}
}

// lockHandle returns the handle that ino's locks are asked for with.
func (fs *FS) lockHandle(ino *Inode) nfs3.FH {
	now := ino.FH()
	ino.mu.Lock()
	defer ino.mu.Unlock()
	if ino.lockFH == nil || *ino.lockFH != now && !fs.locks.Holds(*ino.lockFH) {
		own := now // the address of now itself would make each call allocate
		ino.lockFH = &own
	}
	return *ino.lockFH
}
