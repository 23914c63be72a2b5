package client

import (
	"context"
	"errors"
	"io"
	iofs "io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Handle is an open file or directory, as os.File is, with a context in front
// of each call. It is safe for concurrent use; Read, Write, Seek and ReadDir
// share one place, and take turns, for which they wait as long as ctx allows.
// IO gives it the method set of package io.
//
// What was written is safe on the server when Sync or Close has returned nil.
type Handle struct {
	t     *Tree
	name  string // as it was opened
	ino   *Inode
	file  *File // nil for a directory
	flags int

	turn chan struct{} // whoever holds its one token owns off
	off  int64

	mu     sync.Mutex  // guards all below
	dir    *Dir        // of a directory, from its first ReadDir on
	closed atomic.Bool // is set under mu
}

func (t *Tree) handle(ino *Inode, f *File, flags int) *Handle {
	h := &Handle{t: t, ino: ino, file: f, flags: flags, turn: make(chan struct{}, 1)}
	h.turn <- struct{}{}
	return h
}

// take waits for the caller's turn; it is given back to h.turn.
func (h *Handle) take(ctx context.Context) error { return rpc.Wait(ctx, h.turn) }

// give ends the caller's turn.
func (h *Handle) give() { h.turn <- struct{}{} }

// Open opens a file or directory for reading.
func (t *Tree) Open(ctx context.Context, name string) (*Handle, error) {
	return t.OpenFile(ctx, name, os.O_RDONLY, 0)
}

// Create makes a file, or empties it if it exists, and opens it for reading
// and writing.
func (t *Tree) Create(ctx context.Context, name string) (*Handle, error) {
	return t.OpenFile(ctx, name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens a file with the flags of package os, and of package syscall
// where the system has them: O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_CREATE,
// O_EXCL, O_SYNC, O_TRUNC, O_DSYNC, O_DIRECT, O_NOFOLLOW, O_DIRECTORY. perm is
// what a new file gets; the library knows no umask. A directory can be opened
// for reading only.
func (t *Tree) OpenFile(ctx context.Context, name string, flags int, perm iofs.FileMode) (h *Handle, err error) {
	if flags&os.O_CREATE != 0 {
		h, err = t.openCreate(ctx, name, flags, perm)
	} else {
		follow := flags&oNoFollow == 0
		err = t.twice(func() error {
			ino, _, err := t.walk(ctx, name, follow, false)
			if err == nil {
				h, err = t.open(ctx, ino, flags)
			}
			return err
		})
	}
	if err != nil {
		return nil, t.pathError("open", name, err)
	}
	h.name = name
	return h, nil
}

func (t *Tree) openCreate(ctx context.Context, name string, flags int, perm iofs.FileMode) (h *Handle, err error) {
	for links := 0; ; links++ {
		if saysDir(name) { // what is created is no directory
			return nil, nfs3.ErrIsdir
		}
		err = t.inRaw(ctx, name, func(dir *Inode, last string) error {
			if flags&os.O_EXCL == 0 { // CREATE would not ask whether we may read and write what is there
				ino, _, err := t.fs.Lookup(ctx, t.cred, dir, last)
				if err == nil {
					h, err = t.open(ctx, ino, flags)
				}
				if !errors.Is(err, nfs3.ErrNoent) {
					return err
				}
			}
			ino, _, f, err := t.fs.Create(ctx, t.cred, dir, last, flags, nfsMode(perm), 0)
			if err == nil {
				h = t.handle(ino, f, flags)
			}
			return err
		})
		// What is there already may be a symbolic link, which open(2) follows
		// unless O_EXCL or O_NOFOLLOW is given.
		if !errors.Is(err, syscall.ELOOP) || flags&(os.O_EXCL|oNoFollow) != 0 {
			return h, err
		}
		if links == maxLinks {
			return nil, err
		}
		if name, err = t.linkEnd(ctx, name); err != nil {
			return nil, err
		}
	}
}

// linkEnd returns the path that the symbolic link at the end of name leads to.
func (t *Tree) linkEnd(ctx context.Context, name string) (string, error) {
	target, err := t.Readlink(ctx, name)
	if err != nil {
		return "", err
	}
	return joinLink(name, target), nil
}

func (t *Tree) open(ctx context.Context, ino *Inode, flags int) (*Handle, error) {
	h := t.handle(ino, nil, flags)
	switch ino.Type() {
	case nfs3.TypeDir:
		if flags&(os.O_WRONLY|os.O_RDWR|os.O_TRUNC|os.O_CREATE) != 0 {
			return nil, nfs3.ErrIsdir
		}
		return h, nil
	case nfs3.TypeReg:
		if flags&oDirectory != 0 {
			return nil, nfs3.ErrNotdir
		}
		var err error
		h.file, err = t.fs.Open(ctx, t.cred, ino, flags)
		return h, err
	case nfs3.TypeLnk:
		return nil, syscall.ELOOP // O_NOFOLLOW
	}
	return nil, syscall.ENXIO // fifos, sockets and devices live in a kernel, not on a server
}

// Name returns the name that h was opened with.
func (h *Handle) Name() string { return h.name }

// fail names what was done to h; io.EOF stays what it is.
func (h *Handle) fail(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &iofs.PathError{Op: op, Path: h.name, Err: err}
}

// live returns the error of calls on a handle that is closed.
func (h *Handle) live() error {
	if h.closed.Load() {
		return iofs.ErrClosed
	}
	return nil
}

// data returns the File of h, for calls that a directory does not have.
func (h *Handle) data() (*File, error) {
	if err := h.live(); err != nil {
		return nil, err
	}
	if h.file == nil {
		return nil, nfs3.ErrIsdir
	}
	return h.file, nil
}

// Stat describes the open file.
func (h *Handle) Stat(ctx context.Context) (iofs.FileInfo, error) {
	if err := h.live(); err != nil {
		return nil, h.fail("stat", err)
	}
	a, err := h.t.fs.Getattr(ctx, h.t.cred, h.ino)
	if err != nil {
		return nil, h.fail("stat", err)
	}
	return &info{name: baseName(h.name), typ: a.Type, attr: &a}, nil
}

// Chmod changes the mode.
func (h *Handle) Chmod(ctx context.Context, mode iofs.FileMode) error {
	err := h.live()
	if err == nil {
		_, err = h.t.fs.Setattr(ctx, h.t.cred, h.ino, h.file, sattrMode(mode))
	}
	return h.fail("chmod", err)
}

// Truncate makes the file size bytes long.
func (h *Handle) Truncate(ctx context.Context, size int64) error {
	f, err := h.data()
	if err == nil && (size < 0 || !f.writable()) {
		err = nfs3.ErrInval
	}
	if err == nil {
		_, err = h.t.fs.Setattr(ctx, h.t.cred, h.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: uint64(size)}})
	}
	return h.fail("truncate", err)
}

// Sync sends and commits what was written to the file: when it returns nil, no
// restart of the server loses a byte of it. Of a directory nothing is to be sent:
// servers do not answer a change of it before it is on disk (RFC 1813 section
// 4.8).
func (h *Handle) Sync(ctx context.Context) error {
	err := h.live()
	if err == nil && h.file != nil {
		err = h.file.Fsync(ctx)
	}
	return h.fail("sync", err)
}

// Close ends h. What was written is sent and committed first, and an error of
// that is returned: then data was lost, or ctx ended and write-behind goes on
// without anybody to tell. h is closed in any case.
func (h *Handle) Close(ctx context.Context) error {
	h.mu.Lock()
	if h.closed.Load() {
		h.mu.Unlock()
		return h.fail("close", iofs.ErrClosed)
	}
	h.closed.Store(true)
	dir := h.dir
	h.mu.Unlock()
	if dir != nil {
		dir.Close()
	}
	if h.file == nil {
		return nil
	}
	err := h.file.Flush(ctx)
	if uerr := h.file.unlockThrough(ctx); err == nil {
		err = uerr
	}
	h.file.Release()
	return h.fail("close", err)
}
