package client

import (
	"context"
	"errors"
	"io"
	iofs "io/fs"
	"os"
)

// copyBuffer is how much ReadFrom and WriteTo move at a time. Read-ahead and
// write-behind keep several such pieces under way.
const copyBuffer = 1 << 20

// ReadAt reads len(p) bytes at off; n < len(p) only with an error, io.EOF at
// the end of the file.
func (h *Handle) ReadAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	f, err := h.data()
	if err == nil {
		n, err = f.ReadAt(ctx, p, off)
	}
	return n, h.fail("read", err)
}

// WriteAt writes p at off. A handle opened with O_APPEND has no offsets: it is
// an error there, as with os.File.
func (h *Handle) WriteAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	f, err := h.data()
	if err == nil && h.flags&os.O_APPEND != 0 {
		err = errors.New("WriteAt on a file opened with O_APPEND")
	}
	if err == nil {
		n, err = f.WriteAt(ctx, p, off)
	}
	return n, h.fail("write", err)
}

// Read reads up to len(p) bytes from the handle's offset on; 0 and io.EOF at
// the end of the file.
func (h *Handle) Read(ctx context.Context, p []byte) (n int, err error) {
	f, err := h.data()
	if err != nil || len(p) == 0 {
		return 0, h.fail("read", err)
	}
	if err := h.take(ctx); err != nil {
		return 0, h.fail("read", err)
	}
	defer h.give()
	n, err = f.ReadAt(ctx, p, h.off)
	h.off += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil // the next call says so
	}
	return n, h.fail("read", err)
}

// Write writes p at the handle's offset, or at the end of the file if it was
// opened with O_APPEND (see File.Append for what that can promise).
func (h *Handle) Write(ctx context.Context, p []byte) (n int, err error) {
	f, err := h.data()
	if err != nil {
		return 0, h.fail("write", err)
	}
	if err := h.take(ctx); err != nil {
		return 0, h.fail("write", err)
	}
	defer h.give()
	if h.flags&os.O_APPEND != 0 {
		n, off, err := f.Append(ctx, p)
		h.off = off + int64(n)
		return n, h.fail("write", err)
	}
	n, err = f.WriteAt(ctx, p, h.off)
	h.off += int64(n)
	return n, h.fail("write", err)
}

// Seek sets the offset of the next Read or Write, by the rules of io.Seeker. A
// directory has one place to go to, its start, from which ReadDir lists it anew.
func (h *Handle) Seek(ctx context.Context, offset int64, whence int) (int64, error) {
	if err := h.take(ctx); err != nil {
		return 0, h.fail("seek", err)
	}
	defer h.give()
	if err := h.live(); err != nil {
		return 0, h.fail("seek", err)
	}
	if h.file == nil {
		return 0, h.fail("seek", h.rewind(offset, whence))
	}
	base := int64(0)
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		base = h.off
	case io.SeekEnd:
		a, err := h.t.fs.Getattr(ctx, h.t.cred, h.ino)
		if err != nil {
			return 0, h.fail("seek", err)
		}
		base = int64(min(a.Size, 1<<63-1))
	default:
		return 0, h.fail("seek", os.ErrInvalid)
	}
	off := base + offset
	if off < 0 || offset > 0 && off < base {
		return 0, h.fail("seek", os.ErrInvalid)
	}
	h.off = off
	return off, nil
}

// ReadFrom writes what r has, from the handle's offset on, until r ends.
func (h *Handle) ReadFrom(ctx context.Context, r io.Reader) (n int64, err error) {
	return copyLoop(r.Read, func(p []byte) (int, error) { return h.Write(ctx, p) })
}

// WriteTo writes the file to w, from the handle's offset to the end.
func (h *Handle) WriteTo(ctx context.Context, w io.Writer) (n int64, err error) {
	return copyLoop(func(p []byte) (int, error) { return h.Read(ctx, p) }, w.Write)
}

func copyLoop(read, write func([]byte) (int, error)) (total int64, err error) {
	buf := make([]byte, copyBuffer)
	for {
		n, rerr := read(buf)
		if n > 0 {
			m, werr := write(buf[:n])
			total += int64(m)
			if werr == nil && m < n {
				werr = io.ErrShortWrite
			}
			if werr != nil {
				return total, werr
			}
		}
		if errors.Is(rerr, io.EOF) {
			return total, nil
		}
		if rerr != nil {
			return total, rerr
		}
	}
}

// IO returns h with the method set of package io, each call made with ctx.
func (h *Handle) IO(ctx context.Context) *IO { return &IO{h, ctx} }

// IO is a Handle whose calls share a context, for code that wants an
// io.ReadWriteSeeker, io.ReaderAt, io.WriterAt, io.ReaderFrom, io.WriterTo,
// fs.File or fs.ReadDirFile. It is made by Handle.IO and meant to live as long
// as one operation.
type IO struct {
	h   *Handle
	ctx context.Context
}

var (
	_ io.ReadWriteSeeker = (*IO)(nil)
	_ io.ReaderAt        = (*IO)(nil)
	_ io.WriterAt        = (*IO)(nil)
	_ io.ReaderFrom      = (*IO)(nil)
	_ io.WriterTo        = (*IO)(nil)
	_ iofs.ReadDirFile   = (*IO)(nil)
)

// Read is Handle.Read.
func (f *IO) Read(p []byte) (int, error) { return f.h.Read(f.ctx, p) }

// Write is Handle.Write.
func (f *IO) Write(p []byte) (int, error) { return f.h.Write(f.ctx, p) }

// ReadAt is Handle.ReadAt.
func (f *IO) ReadAt(p []byte, off int64) (int, error) { return f.h.ReadAt(f.ctx, p, off) }

// WriteAt is Handle.WriteAt.
func (f *IO) WriteAt(p []byte, off int64) (int, error) { return f.h.WriteAt(f.ctx, p, off) }

// Seek is Handle.Seek.
func (f *IO) Seek(off int64, whence int) (int64, error) { return f.h.Seek(f.ctx, off, whence) }

// ReadFrom is Handle.ReadFrom.
func (f *IO) ReadFrom(r io.Reader) (int64, error) { return f.h.ReadFrom(f.ctx, r) }

// WriteTo is Handle.WriteTo.
func (f *IO) WriteTo(w io.Writer) (int64, error) { return f.h.WriteTo(f.ctx, w) }

// Stat is Handle.Stat.
func (f *IO) Stat() (iofs.FileInfo, error) { return f.h.Stat(f.ctx) }

// ReadDir is Handle.ReadDir.
func (f *IO) ReadDir(n int) ([]iofs.DirEntry, error) { return f.h.ReadDir(f.ctx, n) }

// Close is Handle.Close.
func (f *IO) Close() error { return f.h.Close(f.ctx) }
