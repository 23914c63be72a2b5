package fuse

import (
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/lock"
)

// Open implements gofuse.RawFileSystem. Package client looks the name up again,
// so that whoever opens a file sees what was closed before elsewhere; a name
// that means another file now is ESTALE, at which the kernel walks the path
// again.
func (r *raw) Open(cancel <-chan struct{}, in *gofuse.OpenIn, out *gofuse.OpenOut) gofuse.Status {
	n := r.nodes.get(in.NodeId)
	if n == nil {
		return stale
	}
	if !n.seen.open(in.Pid) {
		return stale
	}
	w := r.wait(cancel, &in.InHeader)
	epoch := n.keep.state()
	file, err := r.fs.Open(w, r.cred(&in.InHeader), n.ino, int(in.Flags))
	if err != nil {
		return status(err)
	}
	// If others changed the file, the size that the kernel remembers is not
	// good any more. It would show zeros behind the end of a file that has
	// become shorter, if it were told while a READ is under way: so it has been
	// told when the open ends. (No lock is held here, nor by an OPEN.)
	n.keep.tell(n.ino.Version(), func() { r.inval.dropAll(n.ino.ID()) })
	r.inval.settle(n.ino.ID())
	out.Fh = r.handles.put(&handle{node: n, file: file})
	out.OpenFlags = r.openFlags(w, n, in.Flags, epoch)
	return gofuse.OK
}

// Create implements gofuse.RawFileSystem. The umask is as for Mkdir.
func (r *raw) Create(cancel <-chan struct{}, in *gofuse.CreateIn, name string, out *gofuse.CreateOut) gofuse.Status {
	dir := r.nodes.get(in.NodeId)
	if dir == nil {
		return stale
	}
	w := r.wait(cancel, &in.InHeader)
	ino, a, file, err := r.fs.Create(w, r.cred(&in.InHeader), dir.ino, name, int(in.Flags), in.Mode&0o7777, in.Umask)
	if err != nil {
		return status(err)
	}
	n := r.entry(&out.EntryOut, dir, ino, &a)
	r.found(n, dir, name, 0, &a) // it is open already
	out.Fh = r.handles.put(&handle{node: n, file: file})
	out.OpenFlags = r.openFlags(w, n, in.Flags, n.keep.state())
	return gofuse.OK
}

// openFlags decides how the kernel caches an open file. A file that is only
// appended to goes around its page cache: the kernel would put the data where
// it believes the end to be. Otherwise its pages are kept if the file is what
// it was when they were read. epoch is the keeper's from before the open.
func (r *raw) openFlags(w *waiter, n *node, flags uint32, epoch uint64) uint32 {
	if flags&syscall.O_APPEND != 0 && flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		return gofuse.FOPEN_DIRECT_IO
	}
	version := n.ino.Version() // before the attributes: a change between the two is one too many
	a, fresh := r.current(w, n.ino)
	if !fresh {
		n.keep.changed()
		return 0
	}
	if flags&syscall.O_TRUNC != 0 { // our own change; the kernel drops all pages by itself
		n.keep.ours(epoch, &a)
	}
	if n.keep.opened(&a, version) {
		return gofuse.FOPEN_KEEP_CACHE
	}
	return 0
}

// Flush implements gofuse.RawFileSystem: a close(2), of which there may be
// many for one open.
func (r *raw) Flush(cancel <-chan struct{}, in *gofuse.FlushIn) gofuse.Status {
	h := r.handles.file(in.Fh)
	if h == nil {
		return badFD
	}
	w := r.wait(cancel, &in.InHeader)
	st := r.sync(w, h, h.file.Flush)
	// Whoever closes a descriptor of a file gives back what his process has
	// locked of it, by whichever descriptor.
	err := h.file.UnlockAll(w, lock.Owner{Kind: lock.Posix, ID: in.LockOwner})
	if st == gofuse.OK {
		st = status(err)
	}
	return st
}

// Fsync implements gofuse.RawFileSystem.
func (r *raw) Fsync(cancel <-chan struct{}, in *gofuse.FsyncIn) gofuse.Status {
	h := r.handles.file(in.Fh)
	if h == nil {
		return badFD
	}
	return r.sync(r.wait(cancel, &in.InHeader), h, h.file.Fsync)
}

// Release implements gofuse.RawFileSystem: the last close(2). Nobody waits for
// it. Locks of the open file description are given back behind it.
func (r *raw) Release(_ <-chan struct{}, in *gofuse.ReleaseIn) {
	if h := r.handles.take(in.Fh); h != nil {
		h.close()
	}
}
