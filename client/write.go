package client

import (
	"bytes"
	"context"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
)

// WriteAt writes p at offset off. p is copied, and the data goes to the server
// later, at the latest a second from now; or it is there and safe when WriteAt
// returns: if the file was opened with O_SYNC or O_DIRECT, the mount is sync or
// noac, or there are several large writes at once and it costs no time. p is
// not referred to any more when WriteAt returns.
// WriteAt waits while the mount has too much dirty data. n < len(p) only with
// an error: an earlier error of write-behind, that of this write if it was not
// copied, ctx's, or EFBIG.
func (f *File) WriteAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	if !f.writable() {
		return 0, syscall.EBADF
	}
	if err := checkRange(off, len(p)); err != nil {
		return 0, err
	}
	if err := f.usable(); err != nil {
		return 0, err
	}
	if limit := f.fs.maxFileSize; limit > 0 && uint64(off)+uint64(len(p)) > limit {
		return 0, nfs3.ErrFbig
	}
	if err := f.report(); err != nil {
		return 0, err
	}
	wsize := uint64(f.fs.wsize)
	whole := uint64(len(p)) == wsize && uint64(off)%wsize == 0
	if whole {
		f.ino.data().writing.Add(1)
		defer f.ino.data().writing.Add(-1)
	}
	for n < len(p) {
		at := uint64(off) + uint64(n)
		piece := p[n:min(len(p), n+int(wsize-at%wsize))] // an extent never crosses a multiple of wsize
		if err := f.fs.wb.budget.acquire(ctx, int64(len(piece)), f.fs.wb.pressed); err != nil {
			return f.partly(n), err
		}
		if whole {
			if lent, err := f.lend(ctx, piece, at); err != nil {
				return 0, err
			} else if lent {
				n = len(p)
				continue
			}
		}
		if err := f.put(ctx, piece, at); err != nil {
			return f.partly(n), err
		}
		n += len(piece)
	}
	switch {
	case n == 0:
	case f.sync():
		return n, f.Fsync(ctx)
	case f.fs.writes == mountopt.WriteWait:
		err := f.fs.drain(ctx, f.ino)
		if e := f.report(); e != nil {
			err = e
		}
		return n, err
	}
	return n, nil
}

// sync reports whether each write has to be on the server's disk when it
// returns.
func (f *File) sync() bool {
	return f.flags&(oSync|oDirect) != 0 || f.fs.syncWrites
}

// partly returns what WriteAt says of a write of which n bytes were copied: who
// was promised more than that is told of none.
func (f *File) partly(n int) int {
	if f.sync() {
		return 0
	}
	return n
}

// put makes the bytes p at off dirty, for which the budget was acquired. It waits
// while the size of the file is being changed; if ctx or the file system ends
// meanwhile, it does nothing.
func (f *File) put(ctx context.Context, p []byte, off uint64) error {
	d, wb := f.ino.data(), &f.fs.wb
	end := off + uint64(len(p))
	var freed uint64

	d.mu.Lock()
	err := d.waitLocked(ctx, func() bool { return !d.cutLocked() })
	if err == nil && f.fs.closed.Load() { // while it waited: nobody would save it, or tell of it
		err = ErrClosed
	}
	if err != nil {
		d.mu.Unlock()
		wb.budget.release(int64(len(p)))
		return err
	}
	wasClean := d.cleanLocked()
	d.countLocked()
	d.gen++
	freed = d.kept.cut(off, end, func(e *extent) bool {
		awaited := e.state == unstable && d.awaitedLocked(e)
		d.covered = d.covered || awaited
		return e.state == unstable && !awaited
	})
	if e := f.ownExtentLocked(off, end); e != nil {
		freed += uint64(copy(e.data[off-e.off:], p)) // what lies over bytes that are there already
		if tail := end - min(end, e.end()); tail > 0 {
			e.data = wb.slabs.grow(e.data, int(tail), !e.shared)
			e.shared = false // a shared extent has no room, so its bytes have moved
			e.data = append(e.data, p[uint64(len(p))-tail:]...)
		}
	} else {
		e := &extent{off: off, cred: f.cred, first: d.seq, since: time.Now()}
		for _, old := range d.dirty.overlap(off, end) {
			// An fsync may be waiting for bytes that were never sent: what
			// replaces them is waited for in their stead.
			e.first = min(e.first, old.first)
		}
		freed += d.dirty.cut(off, end, func(*extent) bool { return true })
		e.data = append(wb.slabs.grow(nil, len(p), true), p...)
		d.dirty.insert(e)
	}
	full := f.fs.writes != mountopt.WriteLazy || f.fullLocked(off)
	f.fs.localChange(f.ino, end, true) // before its WRITE can be answered, or the file cut
	if wasClean {
		wb.watch(f.ino) // before anybody else's write to it returns: Sync would not know of that
	}
	d.mu.Unlock()

	wb.budget.release(int64(freed))
	if full {
		wb.enqueue(f.ino)
	}
	return nil
}

// ownExtentLocked returns the dirty extent that a write of [off, end) can
// extend or overwrite in place: of the same credential, within one multiple of
// wsize, beginning no later than off and ending no earlier, and with no other
// extent under the part that is added.
func (f *File) ownExtentLocked(off, end uint64) *extent {
	d := f.ino.data()
	i := d.dirty.search(off)
	if i > 0 && d.dirty[i-1].end() == off {
		i--
	}
	if i >= len(d.dirty) {
		return nil
	}
	e := d.dirty[i]
	wsize := uint64(f.fs.wsize)
	switch {
	case e.off > off || e.end() < off,
		e.off/wsize != off/wsize,
		*e.cred != *f.cred,
		i+1 < len(d.dirty) && d.dirty[i+1].off < end:
		return nil
	}
	return e
}

// fullLocked reports whether the extent at off reaches the next multiple of
// wsize: then nothing can be appended to it, and it is sent.
func (f *File) fullLocked(off uint64) bool {
	d, wsize := f.ino.data(), uint64(f.fs.wsize)
	i := d.dirty.search(off)
	return i < len(d.dirty) && d.dirty[i].end()%wsize == 0
}

// sameVerf reports whether two write verifiers are equal.
func sameVerf(a, b [8]byte) bool { return bytes.Equal(a[:], b[:]) }
