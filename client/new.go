package client

import (
	"context"
	"log/slog"

	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Options configure an FS beyond the mount options, which the session has. The
// zero value is good.
type Options struct {
	// Cred is the credential of calls that bring none; nil is user and group
	// 0. It must not change afterwards.
	Cred *rpc.Cred
	// Logger gets what an administrator should know: lost data, a server that
	// changed its mind about a handle. nil is silent.
	Logger *slog.Logger
	// Locks keeps the locks; nil is an engine that New makes from the session.
	// Close closes it.
	Locks *lock.Engine
	// ReadOnly refuses all that would change something with NFS3ERR_ROFS (option
	// ro), where no kernel does that.
	ReadOnly bool
}

// unknownMemory is what a machine has whose memory cannot be told, in bytes.
const unknownMemory = 2 << 30

// defaultDirty is how many bytes of a mount are not safe on the server at most,
// unless that is more than a twentieth of the memory, or dirty= says otherwise.
const defaultDirty = 64 << 20

// New returns the file system of a session. It needs no call to the server but
// where MNT and FSINFO left the root's attributes out; ctx is for that. The
// session stays its owner's, and must be open until the FS is closed.
func New(ctx context.Context, s *mount.Session, o Options) (*FS, error) {
	opts, ac := s.Options(), s.Options().AttrCache()
	c := config{
		nfs: s.NFS(), acl: s.ACL(), cred: o.Cred, log: o.Logger,
		mountAgain: s.MountAgain,
		rootFH:     s.Root(), rootAttr: s.RootAttr(),
		rsize: s.Rsize(), wsize: s.Wsize(), dtsize: s.Dtsize(),
		maxFileSize: s.FSInfo().MaxFileSize, nameMax: s.PathConf().NameMax,
		reg: limits{ac.RegMin, ac.RegMax}, dir: limits{ac.DirMin, ac.DirMax},
		noCTO:      opts.NoCTO.Value,
		lookups:    opts.LookupCache.Value,
		plainDirs:  opts.NoRdirplus.Value,
		writes:     opts.Write.Value,
		syncWrites: opts.VFS.Sync || opts.NoAC.Value,
		readOnly:   o.ReadOnly,
		strict:     opts.StrictReplay.Value,
		dirtyLimit: int64(opts.Dirty.Value),
		rahead:     uint64(opts.ReadAhead.Or(defaultAhead)),
	}
	if c.cred == nil {
		c.cred = new(rpc.Cred)
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.nameMax == 0 || c.nameMax > nfs3.MaxName {
		c.nameMax = hardNameMax
	}
	if !opts.Dirty.Set {
		c.dirtyLimit = min(defaultDirty, memory()/20)
	}
	if c.rootAttr.Type == 0 {
		var reply nfs3.GetattrReply
		if err := c.nfs.Getattr(ctx, c.cred, &nfs3.GetattrArgs{Object: c.rootFH}, &reply); err != nil {
			return nil, err
		}
		c.rootAttr = reply.Attr
	}
	if c.rootAttr.Type != nfs3.TypeDir {
		return nil, nfs3.ErrNotdir
	}
	if c.engine = o.Locks; c.engine == nil {
		c.engine = lock.New(lock.Config{Local: opts.Locks(), Server: s.LockServer(), Auto: opts.LocksAuto.Value, Logger: c.log})
	}
	return newFS(c), nil
}
