package lock

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Config says how an Engine locks.
type Config struct {
	// Local are the kinds of locks that are kept in this process and not asked
	// of the server (nfs(5) nolock and local_lock). Without a Server it must be
	// LocalAll.
	Local mountopt.LocalLock
	// Server is where the other kinds are asked for.
	Server *Server
	// Auto has all kinds local from the first lock on if the server turns out
	// to have no lock manager, instead of ENOLCK (option locks=auto).
	Auto bool
	// StateDir is where what must outlive this daemon is kept, for all daemons
	// of this user on this host: see DefaultStateDir. It is made when it is
	// needed. With "" there is none: the locks of a process that crashes stay
	// at the server.
	StateDir string
	// Siblings are the other daemons of this host. Without them we hear
	// neither callbacks nor notices of restarts, which might be meant for
	// them: locks that wait are polled for, and restarts of the server are
	// noticed by what it answers.
	Siblings Siblings
	// Rpcbind is the socket of this host's rpcbind; "" is the usual one.
	Rpcbind string
	// Host is the name by which servers know this host; "" is the system's.
	Host string
	// Logger gets what an administrator should know; nil is silent.
	Logger *slog.Logger
}

// Engine holds the locks of one mount. It is safe for concurrent use.
//
// The methods take the file's handle, and the credential to ask the server
// with, which may be nil for the default of the mount. Errors are an *Error, or
// the cause of ctx.
//
// The end of ctx ends every wait. Whoever may go on waiting all the same
// (rpc.GiveUpper) does, but not for a lock that another holds. What the server
// must still be told is told by the engine then.
type Engine struct {
	log     *slog.Logger
	auto    bool
	caller  *caller         // nil: there is no server
	machine string          // caller_name
	oh      []byte          // of all owners of this engine
	life    context.Context // ends with Close; what outlives its caller runs on it
	end     context.CancelFunc
	jobs    sync.WaitGroup // goroutines that have something to finish; Add only by begin
	keepers sync.WaitGroup // those that end with life
	journal *journal       // nil: there is none

	stateDir string // "": nothing outlives us
	siblings Siblings
	rpcbind  string
	started  sync.Once
	agent    atomic.Bool // servers call this daemon back
	callable atomic.Bool // they call this one or a sibling

	born         time.Time    // for times that a change of the clock cannot disturb
	stalledUntil atomic.Int64 // until when the server does not call back as it should, as time since born

	agentEvery time.Duration // shorter in tests

	watchOnce, monitorOnce sync.Once
	monitor                atomic.Pointer[Monitor]

	lastOwner   atomic.Uint64
	lastCookie  atomic.Uint32
	calledBack  atomic.Bool // the server is known to call back
	unmonitored atomic.Bool // the server takes NM_LOCK only
	silenceSaid atomic.Bool // that the server's rpcbind is silent was logged
	reclaims    atomic.Uint64
	repeats     atomic.Int32 // GRANTED_RES under way for locks that were granted before

	mu     sync.Mutex // guards all below, and all files, requests and parties
	local  mountopt.LocalLock
	files  map[nfs3.FH]*file
	held   int // ranges in all files
	closed bool
	lost   func(nfs3.FH, Owner) // of OnLost

	identities map[Owner]*identity
	bySvid     map[int32]Owner
	lastSvid   int32

	suspected  int           // how often a restart of the server was suspected since it was looked into
	recovering chan struct{} // not nil: locks are being reclaimed; closed at the end of it
	graceKnown bool          // that the server is in a grace period is no news
	lastHeard  time.Time
	lostLocks  []LostLock
	absentSaid bool // that the server has no lock manager was logged
}

// maxHeld is the most ranges that an Engine keeps, about 20 MiB of them. What
// is over it fails with ENOLCK, as it would at a server.
const maxHeld = 256 << 10

// New returns an engine that holds nothing. It is to be closed.
func New(c Config) *Engine {
	e := &Engine{
		log: c.Logger, auto: c.Auto, local: c.Local, machine: c.Host, files: map[nfs3.FH]*file{},
		identities: map[Owner]*identity{}, bySvid: map[int32]Owner{}, lastSvid: rand.Int32(), agentEvery: agentEvery, born: time.Now(),
	}
	e.lastCookie.Store(rand.Uint32())
	e.life, e.end = context.WithCancel(context.Background())
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if c.Server == nil {
		e.local = mountopt.LocalAll
		return e
	}
	if e.machine == "" {
		e.machine, _ = os.Hostname() // a host without a name is known by its address
	}
	e.machine = e.machine[:min(len(e.machine), maxMachine)]
	e.oh = newOH()
	e.caller = &caller{server: *c.Server, machine: e.machine, ended: e.disconnected}
	e.siblings, e.rpcbind = c.Siblings, c.Rpcbind
	if e.stateDir = c.StateDir; e.stateDir != "" {
		e.journal = newJournal(e.stateDir, e.header(), e.log)
	}
	return e
}

// maxMachine is the longest caller_name that we send, in bytes: the longest
// machine name of AUTH_SYS.
const maxMachine = 255

// begin announces a goroutine, unless the engine is closed.
func (e *Engine) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.jobs.Add(1)
	return true
}

// there reports whether locks of a kind are the server's.
func (e *Engine) there(k Kind) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.thereLocked(k)
}

func (e *Engine) thereLocked(k Kind) bool { return e.local&localOf(k) == 0 }

// localOf is the set that a kind belongs to.
func localOf(k Kind) mountopt.LocalLock {
	if k == Flock {
		return mountopt.LocalFlock
	}
	return mountopt.LocalPosix
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
	if e.there(l.Owner.Kind) {
		return e.lockThere(ctx, r)
	}
	return e.lockHere(ctx, r)
}

// Unlock gives the bytes r of owner back. Bytes that he had not locked are no
// error.
func (e *Engine) Unlock(ctx context.Context, fh nfs3.FH, cred *rpc.Cred, owner Owner, r Range) error {
	r, err := r.normal()
	if err != nil {
		return fail("unlock", r, err)
	}
	if e.there(owner.Kind) {
		return e.unlockThere(ctx, fh, cred, owner, r)
	}
	e.unlockHere(fh, owner, r)
	return nil
}

// Test returns a lock that is in the way of l, or nil if Lock would be granted.
// Of a lock of another host, Owner and PID are zero.
func (e *Engine) Test(ctx context.Context, fh nfs3.FH, cred *rpc.Cred, l Lock) (*Lock, error) {
	r, err := l.Range.normal()
	if err != nil {
		return nil, fail("test", l.Range, err)
	}
	l.Range = r
	if h := e.testHere(fh, l); h != nil || !e.there(l.Owner.Kind) {
		return h, nil
	}
	return e.testThere(ctx, fh, cred, l)
}

// testHere looks into the table.
func (e *Engine) testHere(fh nfs3.FH, l Lock) *Lock {
	e.mu.Lock()
	defer e.mu.Unlock()
	if f := e.files[fh]; f != nil {
		if h, ok := f.spaces[e.space(l.Owner.Kind)].held.conflict(l); ok {
			return &h
		}
	}
	return nil
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
