package fuse

import (
	"context"
	"os"
	"sync"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
)

// Read implements gofuse.RawFileSystem. buf is as long as the kernel wants;
// what has to be read first is put there. It goes to the kernel from where it
// lies, there or in a block of read-ahead.
func (r *raw) Read(cancel <-chan struct{}, in *gofuse.ReadIn, buf []byte) (gofuse.ReadResult, gofuse.Status) {
	h := r.handles.file(in.Fh)
	if h == nil {
		return nil, badFD
	}
	res := results.Get().(*result)
	err := h.file.Lend(r.wait(cancel, &in.InHeader), buf[:min(len(buf), int(in.Size))], int64(in.Offset), &res.loan)
	if err != nil {
		results.Put(res)
		return nil, status(err)
	}
	return res, gofuse.OK
}

// result is the data of a READ. It has the method Slices, by which go-fuse
// sends header and data in one writev. (What go-fuse offers itself goes by way
// of a pipe first, or is released before it is sent.)
type result struct{ loan client.Loan }

var results = sync.Pool{New: func() any { return new(result) }}

// Size implements gofuse.ReadResult.
func (r *result) Size() int { return r.loan.Size() }

// Bytes implements gofuse.ReadResult. It is not called where there is Slices,
// but is what a protocol test sees.
func (r *result) Bytes(buf []byte) ([]byte, gofuse.Status) {
	parts := r.loan.Parts()
	if len(parts) == 1 {
		return parts[0], gofuse.OK
	}
	buf = buf[:0]
	for _, p := range parts {
		buf = append(buf, p...)
	}
	return buf, gofuse.OK
}

// Slices returns what is sent. It must not fail: go-fuse would not answer at
// all then.
func (r *result) Slices() ([][]byte, gofuse.Status) { return r.loan.Parts(), gofuse.OK }

// Done implements gofuse.ReadResult: the data was sent.
func (r *result) Done() {
	r.loan.Release()
	results.Put(r)
}

// Write implements gofuse.RawFileSystem. Package client copies data and sends
// it later. What could not be taken is told as a short write if something was,
// and with the next write otherwise.
func (r *raw) Write(cancel <-chan struct{}, in *gofuse.WriteIn, data []byte) (uint32, gofuse.Status) {
	h := r.handles.file(in.Fh)
	if h == nil {
		return 0, badFD
	}
	var (
		w    = r.wait(cancel, &in.InHeader)
		mmap = in.WriteFlags&gofuse.WRITE_CACHE != 0 // pages on their way out; flags mean nothing
		n    int
		err  error
	)
	if in.Flags&syscall.O_APPEND != 0 && !mmap {
		n, err = r.appendTo(w, h, in, data)
	} else {
		n, err = h.file.WriteAt(w, data, int64(in.Offset))
	}
	if n > 0 && n < len(data) {
		err = nil
	}
	if err == nil && !mmap && in.Flags&syscall.O_DSYNC != 0 && h.file.Flags()&os.O_SYNC == 0 {
		err = h.file.Fsync(w) // pwritev2(2) with RWF_DSYNC, or fcntl(2) after the open
	}
	if err != nil {
		return 0, status(err)
	}
	return uint32(n), gofuse.OK
}

// Writev implements gofuse.RawFileSystem, for transports that deliver the data
// in pieces.
func (r *raw) Writev(cancel <-chan struct{}, in *gofuse.WriteIn, data [][]byte) (uint32, gofuse.Status) {
	if len(data) == 1 {
		return r.Write(cancel, in, data[0])
	}
	var total uint32
	for _, piece := range data {
		part := *in
		part.Offset += uint64(total)
		n, st := r.Write(cancel, &part, piece)
		total += n
		if st != gofuse.OK && total == 0 {
			return 0, st
		}
		if int(n) < len(piece) {
			break
		}
	}
	return total, gofuse.OK
}

// appendTo writes at the end of the file, wherever the kernel believes it to
// be. Pages that it has of the place where the data went are stale then.
func (r *raw) appendTo(w *waiter, h *handle, in *gofuse.WriteIn, data []byte) (int, error) {
	n, off, err := h.file.Append(w, data)
	if n > 0 && (uint64(off) != in.Offset || h.node.keep.mayHavePages()) {
		r.inval.drop(h.node.ino.ID(), off, int64(n))
		if uint64(off) != in.Offset {
			r.inval.drop(h.node.ino.ID(), int64(in.Offset), int64(n))
		}
	}
	return n, err
}

// sync is Flush or Fsync, after which the file's new mtime is our own doing.
func (r *raw) sync(w *waiter, h *handle, f func(context.Context) error) gofuse.Status {
	if h.file.Flags()&(os.O_WRONLY|os.O_RDWR) == 0 {
		return status(f(w))
	}
	epoch := h.node.keep.state()
	if err := f(w); err != nil {
		return status(err)
	}
	if a, ok := r.current(w, h.node.ino); ok {
		h.node.keep.ours(epoch, &a)
	}
	return gofuse.OK
}
