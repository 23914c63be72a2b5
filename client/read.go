package client

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/gonfs/gonfs/nfs3"
)

// ReadAt reads len(p) bytes at offset off into p, as io.ReaderAt does: n <
// len(p) only with an error, which is io.EOF at the end of the file. It sees
// what was written to the file before, through whichever File, whether the
// server has it or not. Server and ctx errors end it early.
func (f *File) ReadAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	return f.read(ctx, p, off, nil)
}

// read is ReadAt. What read-ahead has is lent by l, if it is not nil, in place
// of being copied into p; n counts it.
func (f *File) read(ctx context.Context, p []byte, off int64, l *Loan) (n int, err error) {
	if f.flags&(os.O_WRONLY|os.O_RDWR) == os.O_WRONLY {
		return 0, os.ErrPermission
	}
	if err := checkRange(off, len(p)); err != nil {
		return 0, err
	}
	if err := f.usable(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	at := uint64(off)
	local, end := f.ino.data().snapshot(p, at)
	if local.whole {
		return len(p), nil
	}
	if end > 0 {
		l = nil // dirty data may have to be laid over what the server says
	}
	n, err = f.readServer(ctx, p, at, l)
	if err == nil && f.ino.gone.Load() {
		err = nfs3.ErrStale // the handle has turned out to be another object's
	}
	if err != nil {
		return 0, err
	}
	if end > at+uint64(n) { // the file goes on where the server has not got it yet
		to := min(len(p), int(min(end-at, uint64(len(p)))))
		clear(p[n:to])
		n = to
	}
	for _, piece := range local.pieces {
		copy(p[piece.at:], piece.data)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// snapshot is what the client itself holds of a range that is about to be
// read: copies, because the bytes may be overwritten while the READ is under
// way, and taken before it, because afterwards they may be gone from here
// although the READ was executed before they arrived at the server.
type snapshot struct {
	whole  bool // everything was there, and was copied to where it is wanted
	pieces []piece
}

type piece struct {
	at   int // offset in the range
	data []byte
}

// snapshot returns what d holds of the len(p) bytes at off, and where d's last
// byte ends. If it holds them all, they are put into p.
func (d *fileData) snapshot(p []byte, off uint64) (s snapshot, end uint64) {
	if !d.written.Load() {
		return s, 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cleanLocked() {
		return s, 0
	}
	hi := off + uint64(len(p))
	end = max(d.dirty.end(), d.kept.end())
	older, newer := d.kept.overlap(off, hi), d.dirty.overlap(off, hi)
	if covers(off, hi, older, newer) {
		older.overlay(p, off)
		newer.overlay(p, off)
		s.whole = true
		return s, end
	}
	for _, e := range append(append(extents{}, older...), newer...) { // newer last: it lies on top
		from, to := max(off, e.off), min(hi, e.end())
		s.pieces = append(s.pieces, piece{int(from - off), append([]byte(nil), e.data[from-e.off:to-e.off]...)})
	}
	return s, end
}

// covers reports whether a and b together hold all of [lo, hi).
func covers(lo, hi uint64, a, b extents) bool {
	for lo < hi {
		next := lo
		for _, x := range []extents{a, b} {
			if o := x.overlap(lo, lo+1); len(o) > 0 {
				next = max(next, o[0].end())
			}
		}
		if next == lo {
			return false
		}
		lo = next
	}
	return true
}

// readServer reads from the read-ahead, together with others, or with READs of
// its own, in order of preference, and returns how many bytes there are: fewer
// than asked for only at the end of the file.
func (f *File) readServer(ctx context.Context, p []byte, off uint64, l *Loan) (n int, err error) {
	if f.flags&oDirect == 0 {
		ahead, how := f.ra.begin(f, off, uint64(len(p)))
		defer f.ra.end()
		if ahead {
			n = f.readAhead(ctx, p, off, l)
		}
		if n == 0 && f.fs.merge.wants(len(p), int(f.fs.rsize), how) {
			return f.fs.merge.read(ctx, f, p, off, how)
		}
	}
	if n < len(p) {
		m, err := f.fs.readDirect(ctx, f, p[n:], off+uint64(n))
		if err != nil {
			return 0, err
		}
		n += m
	}
	return n, nil
}

// readAhead puts what read-ahead has from off on into p, or into l as far as
// that has room, and returns how many bytes that were.
func (f *File) readAhead(ctx context.Context, p []byte, off uint64, l *Loan) (n int) {
	for n < len(p) {
		b, data := f.ra.next(ctx, f, off+uint64(n), len(p)-n)
		if b == nil {
			break
		}
		if n += len(data); l.take(b, data) {
			continue
		}
		copy(p[n-len(data):], data)
		l = nil // what follows lies behind it in p
		b.release()
	}
	return n
}

// readDirect makes the READs of p, of at most rsize bytes each, all at once.
func (fs *FS) readDirect(ctx context.Context, f *File, p []byte, off uint64) (n int, err error) {
	rsize := int(fs.rsize)
	if len(p) <= rsize {
		return fs.readChunk(ctx, f, p, off)
	}
	type result struct {
		n   int
		err error
	}
	results := make([]result, (len(p)+rsize-1)/rsize)
	var wg sync.WaitGroup
	var ended atomic.Bool // the end of the file was met: later chunks need not start
	limit := make(chan struct{}, maxReaders)
	for i := range results {
		limit <- struct{}{}
		if ended.Load() {
			<-limit
			break
		}
		lo := i * rsize
		hi := min(lo+rsize, len(p))
		wg.Go(func() { // ends with its READs
			r := &results[i]
			if r.n, r.err = fs.readChunk(ctx, f, p[lo:hi], off+uint64(lo)); r.err != nil || r.n < hi-lo {
				ended.Store(true)
			}
			<-limit
		})
	}
	wg.Wait()
	for i, r := range results { // the earliest error wins, and so does the earliest end
		if r.err != nil {
			return n, r.err
		}
		n += r.n
		if r.n < min(rsize, len(p)-i*rsize) {
			break
		}
	}
	return n, nil
}

// maxReaders is how many READs of one ReadAt are under way at once.
const maxReaders = 16

// readChunk makes READs until p is full or the file ends. p is at most rsize
// bytes long.
func (fs *FS) readChunk(ctx context.Context, f *File, p []byte, off uint64) (n int, err error) {
	c := readCalls.Get().(*readCall)
	defer readCalls.Put(c)
	for empty := 0; n < len(p); {
		c.args = nfs3.ReadArgs{Offset: off + uint64(n), Count: uint32(len(p) - n)}
		err := fs.about(ctx, f.cred, f.ino, func() error {
			c.args.File = f.ino.FH()
			st := fs.begin()
			err := fs.nfs.Read(ctx, f.cred, &c.args, &c.reply, p[n:])
			if answered(err) {
				fs.applyAttr(f.ino, st, &c.reply.Attr)
			}
			return err
		})
		if err != nil {
			return n, err
		}
		n += int(c.reply.Count)
		if c.reply.EOF {
			return n, nil
		}
		if c.reply.Count > 0 {
			empty = 0
		} else if empty++; empty == maxEmptyReads {
			return n, nfs3.ErrIO // neither data nor the end: it would go on for ever
		}
	}
	return n, nil
}

// maxEmptyReads is how many READs in a row may bring neither data nor the end.
const maxEmptyReads = 3

type readCall struct {
	args  nfs3.ReadArgs
	reply nfs3.ReadReply
}

var readCalls = sync.Pool{New: func() any { return new(readCall) }}
