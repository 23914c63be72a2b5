package client

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/rpc"
)

// ErrClosed is the error of operations on an FS after Close or Abort.
var ErrClosed = errors.New("client: file system is closed")

// FS is a file system of a server: what the kernel's fs/nfs is to Linux. Its
// methods take an *Inode and the credential to ask with (nil is the default of
// Options), and are what FUSE is served from; a Tree (As) has paths instead.
// All are safe for concurrent use.
//
// Errors are an nfs3.Status, which the server answered (as *nfs3.Error) or
// would have answered, those of rpc.Client.Call, or the cause of ctx. Errno
// turns any of them into the system's number.
type FS struct {
	config
	life   context.Context // ends with Close or Abort; what outlives its caller runs on it
	end    context.CancelCauseFunc
	closed atomic.Bool
	crew   crew
	merge  merger

	gen    atomic.Uint64 // calls and local changes, in order
	lastID atomic.Uint64
	table  table
	root   *Inode

	clock     serverClock
	namesHeld *atomic.Int64 // entries of all name caches
	listed    *atomic.Int64 // entries that open directories remember
	noPlus    atomic.Bool   // no READDIRPLUS: the server lacks it, or the mount is nordirplus
	noACLs    atomic.Bool   // the server has NFSACL no more
	badNames  atomic.Uint64 // entries of listings that were dropped for their names
	sillies   sillies
	changes   changes

	mountLater atomic.Int64 // until when MNT is not asked again for the root's handle, as of clock.ours

	locks   *lock.Engine
	lockers lockers

	wb       writeback
	frame    atomic.Int32 // most bytes of a WRITE that the route carries whole; 0: wsize fits
	raBudget budget
	raFiles  atomic.Int32 // that are read ahead of
	blocks   blockPool
}

// config is what an FS needs to know of its mount.
type config struct {
	nfs  *nfs3.Client
	acl  *nfsacl.Client // nil: no access control lists
	cred *rpc.Cred      // for calls that bring none; never nil
	log  *slog.Logger   // never nil

	engine *lock.Engine // nil: locks are kept here

	mountAgain func(context.Context) (nfs3.FH, error) // asks MNT for the root's handle

	rootFH   nfs3.FH
	rootAttr nfs3.Fattr

	rsize, wsize, dtsize uint32 // most bytes of a READ, WRITE, READDIRPLUS
	maxFileSize          uint64 // 0: unknown
	nameMax              uint32 // most bytes of a name

	reg, dir   limits // how long attributes count
	noCTO      bool   // open does not ask the server whether the file changed
	lookups    mountopt.LookupCache
	plainDirs  bool // directories are read with READDIR alone
	syncWrites bool
	writes     mountopt.Write // when write-behind begins
	readOnly   bool           // see Options
	strict     bool           // EEXIST and ENOENT after retransmissions are taken as they are
	dirtyLimit int64          // most bytes of dirty data
	rahead     uint64         // most bytes that are read ahead of one reader
}

// newFS returns the file system that c describes. It lives until Close or
// Abort.
func newFS(c config) *FS {
	fs := &FS{config: c, namesHeld: new(atomic.Int64), listed: new(atomic.Int64), clock: serverClock{start: time.Now()}}
	fs.life, fs.end = context.WithCancelCause(context.Background())
	if fs.locks = c.engine; fs.locks == nil {
		fs.locks = lock.New(lock.Config{Local: mountopt.LocalAll, Logger: c.log})
	}
	fs.locks.OnLost(fs.lockLost)
	fs.table.init()
	fs.sillies.init()
	fs.raBudget.limit = maxAhead
	fs.noPlus.Store(c.plainDirs)
	fs.wb.init(fs, c.dirtyLimit)
	end, remove := fs.end, fs.merge.init(fs.nfs.RPC())
	fs.end = func(err error) {
		remove()
		end(err)
	}
	st := fs.begin()
	fs.root = fs.inode(&c.rootFH, &c.rootAttr)
	fs.applyAttr(fs.root, st, &nfs3.PostOpAttr{Present: true, Attr: c.rootAttr})
	return fs
}

// Root returns the root of the export.
func (fs *FS) Root() *Inode { return fs.root }

// inode returns the Inode of fh, making one if there is none. a is what the
// server says of the object; the caller books it.
func (fs *FS) inode(fh *nfs3.FH, a *nfs3.Fattr) *Inode {
	return fs.table.find(fh, a.Type, a.FileID, func() *Inode {
		ino := &Inode{
			id: fs.lastID.Add(1), typ: a.Type, fileid: a.FileID,
			number: mixFileID(a.FileID, a.FSID, fs.rootAttr.FSID),
		}
		if a.Type == nfs3.TypeDir {
			ino.names = new(nameCache)
		}
		return ino
	})
}

// limits returns how long attributes of ino count.
func (fs *FS) limits(ino *Inode) limits {
	if ino.typ == nfs3.TypeDir {
		return fs.dir
	}
	return fs.reg
}

// credOr returns cred, or the default if it is nil.
func (fs *FS) credOr(cred *rpc.Cred) *rpc.Cred {
	if cred == nil {
		return fs.cred
	}
	return cred
}
