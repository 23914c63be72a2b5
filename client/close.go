package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Unsaved tells of a file whose data could not be saved.
type Unsaved struct {
	FileID uint64
	Name   string // the last path under which the file was seen; may be empty
	Bytes  uint64 // how many bytes are lost, or 0 if that is unknown
	Err    error  // why

	ino *Inode
}

// UnsavedError is the error of Close when data was lost.
type UnsavedError struct{ Files []Unsaved }

// maxNamed is how many files the text of an UnsavedError names.
const maxNamed = 8

// Error implements error. It names the files and bytes that were lost.
func (e *UnsavedError) Error() string {
	var b strings.Builder
	b.WriteString("client: data was not saved: ")
	for i, u := range e.Files {
		if i == maxNamed {
			fmt.Fprintf(&b, "; and %d more files", len(e.Files)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		name := u.Name
		if name == "" {
			name = fmt.Sprintf("file %d", u.FileID)
		}
		fmt.Fprintf(&b, "%s: ", name)
		if u.Bytes > 0 {
			fmt.Fprintf(&b, "%d bytes: ", u.Bytes)
		}
		fmt.Fprintf(&b, "%v", u.Err)
	}
	return b.String()
}

// Unwrap returns the causes.
func (e *UnsavedError) Unwrap() []error {
	out := make([]error, len(e.Files))
	for i, u := range e.Files {
		out[i] = u.Err
	}
	return out
}

// Close ends the file system in order: no new operation begins, dirty data is
// sent and committed, files that were removed while open are removed, locks are
// given back, and all goroutines end. If ctx ends first, the rest is given up.
// The error is an *UnsavedError if data was lost, now or earlier, and no File has
// reported it. Files that are still open fail from now on.
// The session that the FS was made from is its owner's to close thereafter.
// A second Close, or one after Abort, does nothing.
func (fs *FS) Close(ctx context.Context) error {
	if fs.closed.Swap(true) {
		return nil
	}
	lost := fs.saveAll(ctx)
	var left error
	for _, ino := range fs.sillies.all() {
		if s := fs.takeSilly(ino); s != nil {
			left = errors.Join(left, fs.removeSilly(ctx, ino, s))
		}
	}
	left = errors.Join(left, fs.sillies.removing.wait(ctx))
	if err := fs.locks.Close(ctx); err != nil {
		left = errors.Join(left, fmt.Errorf("client: locks were not given back: %w", err))
	}
	fs.end(ErrClosed)
	fs.crew.join(joinLimit)
	if lost = fs.alsoLost(lost); len(lost) > 0 {
		return &UnsavedError{lost}
	}
	return left
}

// alsoLost adds to lost what was lost earlier, after its files were closed, and
// what was written while Close began.
func (fs *FS) alsoLost(lost []Unsaved) []Unsaved {
	known := map[*Inode]bool{}
	add := func(u Unsaved) {
		if !known[u.ino] {
			known[u.ino] = true
			lost = append(lost, u)
		}
	}
	for _, u := range lost {
		known[u.ino] = true
	}
	for _, u := range fs.wb.untold() {
		add(u)
	}
	for _, u := range fs.wb.unsaved() {
		add(Unsaved{u.ino.number, fs.pathOf(u.ino), u.bytes, ErrClosed, u.ino})
	}
	return lost
}

// Abort ends the file system at once: calls that are under way fail with
// rpc.ErrClosed, and dirty data is lost, of which the log tells.
func (fs *FS) Abort() {
	if !fs.closed.Swap(true) {
		for _, u := range fs.wb.unsaved() {
			fs.log.Error("aborted: data was not saved", "file", fs.pathOf(u.ino), "bytes", u.bytes)
		}
	}
	fs.end(ErrClosed)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = fs.locks.Close(over) // the server is not waited for
	fs.nfs.RPC().Close()
	fs.crew.join(joinLimit)
}

// joinLimit bounds the wait for goroutines at the end. All but one end at once
// with the file system's life; that one may be in a callback (Changes) that
// waits for something else.
const joinLimit = 5 * time.Second

// savers is how many files Close saves at a time.
const savers = 16

// saveAll flushes all files and returns what could not be saved.
func (fs *FS) saveAll(ctx context.Context) (lost []Unsaved) {
	files := fs.wb.unsaved()
	errs := make([]error, len(files))
	var g errgroup.Group
	g.SetLimit(savers)
	for i, u := range files {
		g.Go(func() error { // ends with its flush
			d := u.ino.data()
			d.mu.Lock()
			before := d.errSeq
			d.mu.Unlock()
			errs[i] = fs.flush(ctx, u.ino)
			d.mu.Lock()
			defer d.mu.Unlock()
			if errs[i] == nil && d.errSeq != before {
				errs[i] = d.lastErr
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	left := map[*Inode]uint64{}
	for _, u := range fs.wb.unsaved() {
		left[u.ino] = u.bytes
	}
	for i, u := range files {
		if errs[i] != nil {
			lost = append(lost, Unsaved{u.ino.number, fs.pathOf(u.ino), left[u.ino], errs[i], u.ino})
		}
	}
	return lost
}

// maxClimb bounds the climb to the root: a server may move directories into
// each other.
const maxClimb = 256

// pathOf returns the last path under which ino was seen, or "" if it was not.
func (fs *FS) pathOf(ino *Inode) (path string) {
	for range maxClimb {
		if ino == fs.root {
			return path
		}
		ino.mu.Lock()
		dir, name := ino.parent, ino.name
		ino.mu.Unlock()
		if dir == nil {
			return path
		}
		path = "/" + name + path
		ino = dir
	}
	return path
}
