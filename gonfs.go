package gonfs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/rpc"
)

// Cred is the identity that calls are made with: what AUTH_SYS sends.
type Cred = rpc.Cred

// File is an open file. See client.Handle.
type File = client.Handle

// Options are the ways of a mount. The zero value is the default of nfs(5).
type Options struct {
	// Mount is a list of mount options as nfs(5) and fstab write them:
	// "proto=udp,rsize=8192,soft". At most one of Mount and Parsed is given.
	// Under "ro" all that would change something fails with NFS3ERR_ROFS. What is
	// about a mount point (nosuid, allow_other …) says nothing here, nor does what
	// is about trying again (bg, retry=): Dial tries once.
	Mount string
	// Parsed is the same as a struct; it is not changed.
	Parsed *mountopt.Options
	// DialContext opens connections in place of the net package: for SSH
	// tunnels, SOCKS, vsock. network is "tcp" or "udp", address host:port with
	// the host as the spec names it.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Cred is on whose behalf calls are made; nil is the process's own user
	// and groups.
	Cred *Cred
	// Logger gets what happens behind the calls: a server that does not
	// answer, data that was sent again. nil is silent.
	Logger *slog.Logger
}

// FS is a mounted export as one credential sees it. It is safe for concurrent
// use. Its file calls are those of client.Tree.
type FS struct {
	*client.Tree
	session *mount.Session
	locks   *lock.Engine
}

// Dial mounts spec, "host:/path" or a form that nfs(5) and RFC 2224 know
// besides, without making it visible anywhere but in the FS that it returns.
// ctx bounds the mounting only. Errors are *mountopt.Error for what is wrong
// with spec or options, and *mount.Error for what the network and the server
// had against it.
func Dial(ctx context.Context, spec string, o Options) (*FS, error) {
	parsed := o.Parsed
	switch {
	case parsed != nil && o.Mount != "":
		return nil, errors.New("gonfs: Options.Mount and Options.Parsed are both given: give one")
	case parsed == nil:
		var err error
		if parsed, err = mountopt.Parse(o.Mount); err != nil {
			return nil, err
		}
	}
	s, err := mountopt.ParseSpec(spec)
	if err != nil {
		return nil, err
	}
	if o.Cred == nil {
		o.Cred = rpc.ProcessCred()
	}
	session, err := mount.Dial(ctx, mount.Config{
		Spec: s, Options: parsed, Cred: o.Cred, DialContext: o.DialContext, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	locks := newLocks(session, o.Logger)
	c, err := client.New(ctx, session, client.Options{Cred: o.Cred, Logger: o.Logger, Locks: locks, ReadOnly: parsed.VFS.ReadOnly})
	if err != nil {
		return nil, errors.Join(err, locks.Close(ctx), session.Umount(ctx))
	}
	return &FS{Tree: c.As(o.Cred), session: session, locks: locks}, nil
}

// newLocks returns the lock engine of a session. What it needs of the host it
// looks for when the first lock is asked for.
func newLocks(s *mount.Session, log *slog.Logger) *lock.Engine {
	o := s.Options()
	c := lock.Config{Local: o.Locks(), Auto: o.LocksAuto.Value, Logger: log}
	if c.Local != mountopt.LocalAll {
		c.Server, c.StateDir = s.LockServer(), lock.DefaultStateDir()
	}
	return lock.New(c)
}

// As returns the same export as cred sees it. Both stay usable; closing either
// closes both.
func (f *FS) As(cred *Cred) *FS {
	return &FS{Tree: f.Tree.As(cred), session: f.session, locks: f.locks}
}

// Session tells what was negotiated at the mount.
func (f *FS) Session() *mount.Session { return f.session }

// Close sends and commits what was written, gives all locks back, tells the
// server that the export is no longer mounted, and ends the connections. If ctx
// ends first, or the server refuses data, the error says which files were not
// saved; the connections are ended all the same.
func (f *FS) Close(ctx context.Context) error {
	err := f.FS().Close(ctx)
	if lerr := f.locks.Close(ctx); lerr != nil && err == nil {
		err = fmt.Errorf("gonfs: the data is safe, but not all locks were given back: %w", lerr)
	}
	if uerr := f.session.Umount(ctx); uerr != nil && err == nil {
		err = fmt.Errorf("gonfs: the data is safe, but the server was not told of the unmount: %w", uerr)
	}
	return err
}
