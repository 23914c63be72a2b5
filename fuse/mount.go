package fuse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/rpc"
)

// Config says how an FS is mounted. Dir is required.
type Config struct {
	// Dir is the mount point, an existing directory.
	Dir string
	// Options are the options in effect, of which the VFS flags, rsize, wsize,
	// allow_other and kinds of local locks matter here; nil stands for none.
	Options *mountopt.Options
	// FsName is the source that /proc/mounts shows: "host:/path".
	FsName string
	// AllowOther lets all users in, and checks permissions by the mode bits
	// here as well as at the server. It is always so for mounts by root; an
	// ordinary user needs user_allow_other in /etc/fuse.conf for it.
	AllowOther bool
	// Cred is on whose behalf all calls are made. nil is whichever process
	// asks, for mounts by root, who may act as anybody at the server; ordinary
	// users may not, and nil is the user of this process for them.
	Cred *rpc.Cred
	// Logger gets what goes wrong; nil is silent.
	Logger *slog.Logger
}

// Mounted is a mounted file system. Its methods may be called concurrently.
type Mounted struct {
	dir    string
	direct bool // mounted by mount(2), not by fusermount3
	raw    *raw
	conn   *connection
	log    *slog.Logger
	ended  chan struct{} // closed when all requests were answered and no more come

	umounting sync.Mutex // held while one goroutine unmounts: they take turns
}

// Error tells what could not be done with a mount point.
type Error struct {
	Op  string // "mount", "unmount"
	Dir string
	Err error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("fuse: %s %s: %v", e.Op, e.Dir, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Mount mounts fs on c.Dir and serves it until it is unmounted, by Unmount or
// by umount(8). When it returns nil the mount is visible and answers. fs stays
// the caller's: it is closed after Wait returned. ctx bounds the mounting only.
//
// Root mounts by mount(2). Others are helped by fusermount3, which decides
// what they may; its words are in the error.
func Mount(ctx context.Context, fs *client.FS, c Config) (*Mounted, error) {
	m, err := mountAs(ctx, fs, c, os.Geteuid() == 0)
	if err != nil {
		return nil, &Error{"mount", c.Dir, err}
	}
	return m, nil
}

// mountAs is Mount; direct says how.
func mountAs(ctx context.Context, fs *client.FS, c Config, direct bool) (*Mounted, error) {
	if c.Options == nil {
		c.Options = new(mountopt.Options)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.AllowOther = c.AllowOther || c.Options.AllowOther || direct
	dir, err := mountPoint(c.Dir, c.FsName)
	if err != nil {
		return nil, err
	}
	if c.Cred == nil && os.Geteuid() != 0 {
		if c.Cred, err = processCred(); err != nil {
			return nil, err
		}
	}
	m := &Mounted{
		dir: dir, direct: direct, log: c.Logger,
		raw:   newRaw(fs, c.Logger, c.Cred, c.Options),
		ended: make(chan struct{}),
	}
	m.raw.listed = c.Options.AttrCache().RegMin
	var fd int
	if direct {
		fd, err = mountDirect(dir, &c)
	} else {
		fd, err = mountHelped(ctx, dir, &c)
	}
	if err != nil {
		return nil, err
	}
	if m.conn, err = newConnection(fd, dir, c.FsName); err != nil {
		_ = unix.Close(fd)
		return nil, errors.Join(err, m.detach())
	}
	m.raw.gone = m.conn.dead
	server, err := gofuse.NewServer(m.raw, fmt.Sprintf("/dev/fd/%d", fd), m.serverOptions(&c))
	if err != nil {
		m.conn.close()
		return nil, errors.Join(fmt.Errorf("the kernel and FUSE: %w", err), m.detach())
	}
	fs.Changes(m.raw.changed)
	m.serve(server)
	m.settle()
	return m, nil
}

// serve starts the three goroutines of a mount: the one that runs the server,
// whose own goroutines are go-fuse's, ends when the kernel has given the mount
// up, which also ends those that tell the kernel what to drop.
func (m *Mounted) serve(server *gofuse.Server) {
	m.raw.notify = server.InodeNotify
	stop := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() { m.raw.inval.run(stop, server.InodeNotify) })
	telling.Go(func() { m.raw.forget.run(stop, server.EntryNotify) })
	go func() {
		server.Serve()
		m.raw.fs.Changes(nil)
		close(stop)
		telling.Wait()
		m.conn.close()
		close(m.ended)
	}()
}

// changed is called by package client when others changed an object: what the
// kernel has of it is not good any more.
func (r *raw) changed(ino *client.Inode) {
	n := r.nodes.get(ino.ID())
	if n == nil {
		return
	}
	n.keep.changed()
	n.keep.tell(ino.Version(), func() { r.inval.dropAll(ino.ID()) })
}

// Dir returns the mount point, an absolute path without symbolic links.
func (m *Mounted) Dir() string { return m.dir }

// ID returns the number of the mount, the first field of its line in mountinfo
// (proc_pid_mountinfo(5)). It is unique among the mounts of the moment.
func (m *Mounted) ID() uint64 { return m.conn.id }

// Device returns major:minor of the file system, the third field there. It is
// the same in each mount namespace that has a copy of the mount.
func (m *Mounted) Device() string { return m.conn.dev }

// Wait waits until the mount has ended: it was unmounted everywhere or the
// kernel gave it up, and all requests were answered. What is not saved yet is
// client.FS.Close's to save.
func (m *Mounted) Wait() { <-m.ended }

// Done returns a channel that is closed when Wait would return.
func (m *Mounted) Done() <-chan struct{} { return m.ended }

// panicked answers a request in whose handling this program panicked: the
// mount goes on.
func (m *Mounted) panicked(v any) gofuse.Status {
	m.log.Error("panic while a request was handled; it was answered with EIO", "panic", v, "stack", string(debug.Stack()))
	return gofuse.EIO
}
