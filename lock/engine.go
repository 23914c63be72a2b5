package lock

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Config says how an Engine locks. The zero Config asks a server that is not
// there: Local or Server must be given.
type Config struct {
	// Local are the kinds of locks that are kept in this process and not asked
	// of the server (nfs(5) nolock and local_lock).
	Local mountopt.LocalLock
	// Logger gets what an administrator should know; nil is silent.
	Logger *slog.Logger
}

// Engine holds the locks of one mount. It is safe for concurrent use.
//
// The methods take the file's handle, and the credential to ask the server
// with, which may be nil for the default of the mount. Errors are an *Error, or
// the cause of ctx.
type Engine struct {
	local mountopt.LocalLock
	log   *slog.Logger

	lastOwner atomic.Uint64

	mu     sync.Mutex // guards all below, and all files and requests
	files  map[nfs3.FH]*file
	held   int // ranges in all files
	closed bool
	lost   func(nfs3.FH, Owner) // of OnLost
}

// maxHeld is the most ranges that an Engine keeps, about 20 MiB of them. What
// is over it fails with ENOLCK, as it would at a server.
const maxHeld = 256 << 10

// New returns an engine that holds nothing. It is to be closed.
func New(c Config) *Engine {
	e := &Engine{local: c.Local, log: c.Logger, files: map[nfs3.FH]*file{}}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	return e
}

// NewOwner returns an owner that no other call has returned or will return, for
// programs that have no lock_owner from the kernel.
func (e *Engine) NewOwner(k Kind) Owner {
	// The top bit keeps them apart from the kernel's, which are hashes: a
	// process serves either FUSE or a program.
	return Owner{Kind: k, ID: 1<<63 | e.lastOwner.Add(1)}
}

// Lock takes the bytes of l for its owner, instead of whatever lock he has
// there: so a shared lock becomes an exclusive one, and the other way round. If
// another lock is in the way it waits if wait is true, until ctx ends, and
// fails with EAGAIN otherwise.
//
// Other errors: EDEADLK if the wait could never end, ENOLCK if there is no room
// or no lock manager, EINVAL and EOVERFLOW for a range that cannot be.
func (e *Engine) Lock(ctx context.Context, fh nfs3.FH, cred *rpc.Cred, l Lock, wait bool) error {
	var err error
	if l.Range, err = l.Range.normal(); err != nil {
		return fail("lock", l.Range, err)
	}
	r := &request{fh: fh, cred: cred, lock: l, wait: wait, wake: make(chan struct{}, 1)}
	return e.lockHere(ctx, r)
}

// Unlock gives the bytes r of owner back. Bytes that he had not locked are no
// error.
func (e *Engine) Unlock(ctx context.Context, fh nfs3.FH, cred *rpc.Cred, owner Owner, r Range) error {
	r, err := r.normal()
	if err != nil {
		return fail("unlock", r, err)
	}
	e.unlockHere(fh, owner, r)
	return nil
}

// Test returns a lock that is in the way of l, or nil if Lock would be granted.
func (e *Engine) Test(ctx context.Context, fh nfs3.FH, cred *rpc.Cred, l Lock) (*Lock, error) {
	r, err := l.Range.normal()
	if err != nil {
		return nil, fail("test", l.Range, err)
	}
	l.Range = r
	e.mu.Lock()
	defer e.mu.Unlock()
	if f := e.files[fh]; f != nil {
		if h, ok := f.spaces[e.space(l.Owner.Kind)].held.conflict(l); ok {
			return &h, nil
		}
	}
	return nil, nil
}

// Release gives back all that owner has of a file: a process has closed it, or
// the last descriptor of an open file description is gone.
func (e *Engine) Release(ctx context.Context, fh nfs3.FH, owner Owner) error {
	e.mu.Lock()
	f := e.files[fh]
	nothing := f == nil || len(f.spaces[e.space(owner.Kind)].held.of(owner, WholeFile)) == 0
	e.mu.Unlock()
	if nothing { // as at nearly every close
		return nil
	}
	return e.Unlock(ctx, fh, nil, owner, WholeFile)
}

// Holds reports whether anybody of this mount holds a lock on a file.
func (e *Engine) Holds(fh nfs3.FH) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.files[fh]
	return f != nil && len(f.spaces[0].held)+len(f.spaces[1].held) > 0
}

// OnLost has f called when a lock is lost: the server has restarted and did not
// give it back, or gave it to another. What owner does with the file from then
// on is not protected: reads and writes should fail with EIO until he has
// closed it. f is called without any mutex held, may be called from any
// goroutine, and must be set before the first lock.
func (e *Engine) OnLost(f func(fh nfs3.FH, owner Owner)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lost = f
}

// Close gives all locks back and ends what waits, with ENOLCK. ctx bounds the
// time that the server may take.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for _, f := range e.files {
		for i := range f.spaces {
			for _, r := range f.spaces[i].waiting {
				r.kick()
			}
		}
	}
	return nil
}

// space tells which locks a kind is in conflict with. At a server all kinds are
// in each other's way. Where some are local, flock(2) and fcntl(2) know nothing
// of each other, as on a local file system.
func (e *Engine) space(k Kind) int {
	if k == Flock && e.local != mountopt.LocalNone {
		return 1
	}
	return 0
}

// fail makes the Error of an operation.
func fail(op string, r Range, err error) error {
	errno, ok := err.(syscall.Errno)
	if ok {
		return &Error{Op: op, Range: r, Errno: errno}
	}
	return &Error{Op: op, Range: r, Errno: syscall.EIO, Cause: err}
}
