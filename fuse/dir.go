package fuse

import (
	"context"
	"errors"
	"io"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// dirStream is an open directory. The offset that an entry has for the kernel,
// and for telldir(3), is its ordinal: 1 for ".", 2 for "..", and 2 more than
// package client counts for the rest. The server's own cookies may have all 64
// bits, which lseek(2) does not.
type dirStream struct {
	dir  *client.Dir
	turn chan struct{} // holds one token: between Seek and Read nobody may come in
}

const dots = 2 // "." and "..", which package client leaves out

func newDirStream(d *client.Dir) *dirStream {
	s := &dirStream{dir: d, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

func (s *dirStream) close() { _ = s.dir.Close() } // never fails

// batch is how many entries are asked of package client at a time. What does
// not fit into the reply is asked for again from where it began.
const batch = 512

// OpenDir implements gofuse.RawFileSystem.
func (r *raw) OpenDir(cancel <-chan struct{}, in *gofuse.OpenIn, out *gofuse.OpenOut) gofuse.Status {
	n := r.nodes.get(in.NodeId)
	if n == nil {
		return stale
	}
	w := r.wait(cancel, &in.InHeader)
	d, err := r.fs.OpenDir(w, r.cred(&in.InHeader), n.ino)
	if err != nil {
		return status(err)
	}
	out.Fh = r.handles.put(&handle{node: n, dir: newDirStream(d)})
	out.OpenFlags = r.listFlags(w, n)
	return gofuse.OK
}

// listFlags decides whether the kernel answers getdents(2) from what it has. It
// drops that by itself when the directory is changed through this mount; a
// change by others is told to it (changed).
func (r *raw) listFlags(w *waiter, n *node) uint32 {
	version := n.ino.Version() // before the attributes: a change between the two is one too many
	a, fresh := r.current(w, n.ino)
	switch {
	case !fresh:
		n.keep.changed()
		return 0
	case n.keep.listed(&a, version, r.listed):
		return gofuse.FOPEN_CACHE_DIR | gofuse.FOPEN_KEEP_CACHE
	}
	return gofuse.FOPEN_CACHE_DIR
}

// ReleaseDir implements gofuse.RawFileSystem.
func (r *raw) ReleaseDir(in *gofuse.ReleaseIn) {
	if h := r.handles.take(in.Fh); h != nil {
		h.close()
	}
}

// FsyncDir implements gofuse.RawFileSystem. NFS servers do not answer a change
// of a directory before it is on disk (RFC 1813 section 4.8).
func (r *raw) FsyncDir(<-chan struct{}, *gofuse.FsyncIn) gofuse.Status { return gofuse.OK }

// ReadDir implements gofuse.RawFileSystem: names alone.
func (r *raw) ReadDir(cancel <-chan struct{}, in *gofuse.ReadIn, out *gofuse.DirEntryList) gofuse.Status {
	return r.list(cancel, in, (*client.Dir).Read, func(_ *node, e *gofuse.DirEntry, _ *client.DirEntry) bool {
		return out.AddDirEntry(*e)
	})
}

// ReadDirPlus implements gofuse.RawFileSystem: names with attributes. Each
// entry that has them is a reference to its node, but only if it fitted; one
// without is a name alone.
func (r *raw) ReadDirPlus(cancel <-chan struct{}, in *gofuse.ReadIn, out *gofuse.DirEntryList) gofuse.Status {
	return r.list(cancel, in, (*client.Dir).ReadPlus, func(dir *node, e *gofuse.DirEntry, c *client.DirEntry) bool {
		entry := out.AddDirLookupEntry(*e)
		if entry == nil {
			return false
		}
		if c != nil && c.Inode != nil && c.Attr != nil {
			r.found(r.entry(entry, dir, c.Inode, c.Attr), dir, c.Name, 0, c.Attr)
		}
		return true
	})
}

// list hands the entries from in.Offset on, which read fetches, to add until it
// returns false.
func (r *raw) list(cancel <-chan struct{}, in *gofuse.ReadIn, read func(*client.Dir, context.Context, int) ([]client.DirEntry, error), add func(*node, *gofuse.DirEntry, *client.DirEntry) bool) gofuse.Status {
	h := r.handles.get(in.Fh)
	if h == nil || h.dir == nil {
		return badFD
	}
	w := r.wait(cancel, &in.InHeader)
	if rpc.Wait(w, h.dir.turn) != nil {
		return gofuse.EINTR
	}
	defer func() { h.dir.turn <- struct{}{} }()

	off := in.Offset
	for ; off < dots; off++ {
		e := gofuse.DirEntry{Name: ".", Mode: typeBits(nfs3.TypeDir), Ino: visible(h.node.ino.FileID()), Off: off + 1}
		if off == 1 {
			e.Name, e.Ino = "..", h.node.up.Load() // 0 becomes FUSE_UNKNOWN_INO
		}
		if !add(h.node, &e, nil) {
			return gofuse.OK
		}
	}
	h.dir.dir.Seek(off - dots)
	for first := off == in.Offset; ; first = false {
		entries, err := read(h.dir.dir, w, batch)
		if errors.Is(err, io.EOF) {
			return gofuse.OK
		}
		if err != nil {
			if first {
				return status(err)
			}
			return gofuse.OK // what is there is good; the next call will see the error
		}
		for i := range entries {
			c := &entries[i]
			e := gofuse.DirEntry{Name: c.Name, Mode: typeBits(c.Type), Ino: visible(c.FileID), Off: c.Cookie + dots}
			if !add(h.node, &e, c) {
				return gofuse.OK
			}
		}
	}
}
