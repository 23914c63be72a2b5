package fuse

import (
	"log/slog"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/rpc"
)

// raw answers the kernel's requests. What it does not have is answered by the
// default file system of go-fuse: ENOSYS, which is right for what NFS version
// 3 does not have (see unsupported.go).
//
// Its methods are called concurrently. Their input and buffers belong to
// go-fuse and are not touched after they returned.
type raw struct {
	gofuse.RawFileSystem
	fs      *client.FS
	nodes   nodes
	handles handles
	creds   *creds    // of callers; nil: all calls are made as own
	own     *rpc.Cred // nil where creds is not
	inval   *invalidator
	forget  *forgetter
	log     *slog.Logger
	blksize uint32        // st_blksize
	block   uint32        // in which statfs(2) counts, bytes
	listed  time.Duration // how long the kernel may keep a listing
	gone    func() bool   // whether the kernel has given the mount up
	// notify tells the kernel to drop pages; nil without one.
	notify func(node uint64, off, length int64) gofuse.Status
}

// newRaw returns a raw that makes all calls as own or, if that is nil, as the
// process that asks.
func newRaw(fs *client.FS, log *slog.Logger, own *rpc.Cred, o *mountopt.Options) *raw {
	r := &raw{
		RawFileSystem: gofuse.NewDefaultRawFileSystem(),
		fs:            fs,
		own:           own,
		inval:         newInvalidator(),
		forget:        newForgetter(),
		log:           log,
		blksize:       blockSize(o),
		block:         o.BlockSize(),
		gone:          func() bool { return false },
	}
	if own == nil {
		r.creds = newCreds()
	}
	r.nodes.init(fs)
	return r
}

// String implements gofuse.RawFileSystem.
func (r *raw) String() string { return "gonfs" }

// wait returns the context of a request.
func (r *raw) wait(cancel <-chan struct{}, h *gofuse.InHeader) *waiter {
	return &waiter{cancel: cancel, pid: h.Pid, gone: r.gone}
}

// cred returns on whose behalf a request is made.
func (r *raw) cred(h *gofuse.InHeader) *rpc.Cred {
	if r.own != nil {
		return r.own
	}
	return r.creds.of(h.Caller)
}

// credOf is cred for a request that may have an open file: what the kernel
// asks by itself is asked as whoever opened that.
func (r *raw) credOf(h *gofuse.InHeader, open *handle) *rpc.Cred {
	if h.Pid == 0 && open != nil && open.file != nil {
		return open.file.Cred()
	}
	return r.cred(h)
}

// OnUnmount implements gofuse.RawFileSystem: the mount is gone, all requests
// were answered, and no more come.
func (r *raw) OnUnmount() {
	for _, h := range r.handles.clear() {
		h.close()
	}
	r.nodes.clear()
}

// close releases what a handle stands for.
func (h *handle) close() {
	if h.file != nil {
		h.file.Release()
	}
	if h.dir != nil {
		h.dir.close()
	}
}
