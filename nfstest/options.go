package nfstest

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// Options configure a Server. The zero value serves an empty memory file
// system as /export, in strict mode, with a duplicate-request cache.
type Options struct {
	// Path is the path of the export; "" means /export. Every directory in it
	// can be mounted too.
	Path string
	// Unlisted keeps the export out of what EXPORT and DUMP of the MOUNT program
	// tell: with a Path that nobody can guess, other users of the host cannot
	// mount it, since file handles cannot be guessed either.
	Unlisted bool
	// Dir, if set, is a local directory that is served in place of memory. It
	// is never left, by ".." or by links. Everything happens as the user of
	// this process, and UNSTABLE data is written through: Restart changes the
	// write verifier only.
	Dir string

	// FSID is the fsid attribute; 0 means 0x6e667374.
	FSID uint64
	// RootMode is the mode of the root directory; 0 means 0777.
	RootMode uint32
	// MaxBytes bounds the memory that files take; 0 means 1 GiB. What is over
	// it is NFS3ERR_NOSPC.
	MaxBytes int64

	// RootSquash makes uid and gid 0 anonymous, AllSquash everybody. AUTH_NONE
	// is always anonymous.
	RootSquash, AllSquash bool
	// AnonUID and AnonGID are what anonymous callers act as; 0 means 65534.
	AnonUID, AnonGID uint32
	// ReadOnly refuses changes with NFS3ERR_ROFS.
	ReadOnly bool
	// PrivilegedPort denies NFS calls from ports of 1024 and above with
	// AUTH_TOOWEAK; MNT succeeds all the same, as with nfs-ganesha.
	PrivilegedPort bool
	// Flavors are the RPC flavours that MNT offers; nil means AUTH_SYS and
	// AUTH_NONE. Calls in others are denied.
	Flavors []rpc.Flavor

	// NoACL leaves NFSACL out: the server knows no access control lists.
	NoACL bool

	// Rtmax, Wtmax and Dtpref are what FSINFO says, in bytes; 0 means 1 MiB,
	// 1 MiB and 64 KiB. Over UDP they are cut to 32 KiB.
	Rtmax, Wtmax, Dtpref uint32
	// SyncWrites answers UNSTABLE writes with FILE_SYNC, as some servers do.
	SyncWrites bool
	// NoAttr leaves post-operation attributes and wcc data out of all replies,
	// as RFC 1813 section 1.5 allows: clients must do without.
	NoAttr bool

	// NoNLM leaves out NLM and NSM: the server has no locks.
	NoNLM bool
	// NoMonitor refuses LOCK with DENIED_NOLOCKS, as nfs-ganesha does without a
	// rpc.statd beside it; NM_LOCK is given.
	NoMonitor bool
	// Callback is how a client is told that a lock which it waited for is
	// granted.
	Callback Callback
	// Grace is how long after a Restart only locks from before can be had; 0 is
	// no time.
	Grace time.Duration
	// NoNotify keeps Restart from sending SM_NOTIFY: clients must notice by
	// themselves.
	NoNotify bool
	// DialClient connects to a program of a client's host, for callbacks. nil
	// asks the rpcbind that ListenLocal plays, and then the one at port 111 of
	// the client's address.
	DialClient func(ctx context.Context, client net.Addr, netid string, program uint32) (transport.Conn, error)

	// Now is the server's clock; nil means time.Now.
	Now func() time.Time
	// Granularity is the granularity of times. 0 makes the time of every
	// change a new one; real file systems have up to 10 ms.
	Granularity time.Duration

	// NoDRC turns the duplicate-request cache off: a retransmitted call is
	// executed again.
	NoDRC bool
	// UsualPorts makes Start listen where clients look when they are told
	// nothing: rpcbind at port 111, MOUNT at 20048, NFS at 2049. It is for
	// network namespaces, where nobody else does.
	UsualPorts bool
	// Workers is how many calls of one connection are executed at once; 0
	// means 64, and 1 keeps their order.
	Workers int
	// Seed starts the random numbers that Fault.Chance asks; 0 takes a random
	// one. Server.Seed tells it.
	Seed uint64

	// Lax turns strict mode off: nothing is a violation.
	Lax bool
	// Allow are the kinds of violations that are no violations in this test.
	Allow []Kind

	// Logger gets a line for every call, at debug level, and for every fault;
	// nil is silent.
	Logger *slog.Logger
}

// Defaults of Options.
const (
	defaultPath   = "/export"
	defaultFSID   = 0x6e667374
	defaultBytes  = 1 << 30
	defaultIO     = 1 << 20
	defaultDtpref = 64 << 10
	udpIO         = 32 << 10 // what Linux servers give over UDP
	defaultWork   = 64
)

// filled returns o with its defaults.
func (o Options) filled() Options {
	if o.Path == "" {
		o.Path = defaultPath
	}
	orElse(&o.FSID, defaultFSID)
	orElse(&o.RootMode, 0777)
	orElse(&o.MaxBytes, defaultBytes)
	orElse(&o.AnonUID, nobody)
	orElse(&o.AnonGID, nobody)
	orElse(&o.Rtmax, defaultIO)
	orElse(&o.Wtmax, defaultIO)
	orElse(&o.Dtpref, defaultDtpref)
	orElse(&o.Workers, defaultWork)
	if o.Flavors == nil {
		o.Flavors = []rpc.Flavor{rpc.FlavorSys, rpc.FlavorNone}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// orElse sets *v to its default if it is zero.
func orElse[T comparable](v *T, d T) {
	if *v == *new(T) {
		*v = d
	}
}
