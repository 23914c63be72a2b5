package nfstest

import (
	"errors"
	"io"
	"os"

	"github.com/gonfs/gonfs/nfs3"
)

// open returns n's file, the one that is open or one opened for this call;
// done ends its use.
func (d *dirStore) open(n *dirNode, p string, flag int) (f *os.File, done func(), err error) {
	if n.file != nil {
		return n.file, func() {}, nil
	}
	if f, err = d.root.OpenFile(p, flag, 0); err != nil {
		return nil, nil, err
	}
	return f, func() { f.Close() }, nil
}

// read is READ (RFC 1813 section 3.3.6). The size is that of the moment
// before: EOF is right if nobody else writes.
func (d *dirStore) read(_ *ident, fh nfs3.FH, off uint64, count uint32, r *nfs3.ReadReply) {
	n, p, fi, st := d.findFile(fh)
	if st == nfs3.OK {
		st = statusOf(d.readAt(n, p, off, int64(count), fi.Size(), r))
	}
	r.Status, r.Attr = st, d.post(n, p)
}

func (d *dirStore) readAt(n *dirNode, p string, off uint64, count, size int64, r *nfs3.ReadReply) error {
	f, done, err := d.open(n, p, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer done()
	if off >= uint64(size) {
		r.EOF = true
		return nil
	}
	r.Data = make([]byte, min(count, size-int64(off)))
	k, err := f.ReadAt(r.Data, int64(off))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	r.Data, r.Count = r.Data[:k], uint32(k)
	r.EOF = err != nil || int64(off)+int64(k) >= size
	return nil
}

// write is WRITE (RFC 1813 section 3.3.7). UNSTABLE data is with the host's
// kernel when write returns; the other two kinds wait for the disk.
func (d *dirStore) write(_ *ident, fh nfs3.FH, off uint64, b []byte, how nfs3.StableHow, r *nfs3.WriteReply) {
	n, p, fi, st := d.findFile(fh)
	if st == nfs3.OK {
		r.Wcc.Before = d.pre(n, fi)
		st = statusOf(d.writeAt(n, p, off, b, how))
	}
	if r.Status = st; st == nfs3.OK {
		r.Count, r.Committed = uint32(len(b)), how
	}
	r.Wcc.After = d.post(n, p)
}

func (d *dirStore) writeAt(n *dirNode, p string, off uint64, b []byte, how nfs3.StableHow) error {
	if off > maxSize || uint64(len(b)) > maxSize-off {
		return nfs3.ErrFbig
	}
	f, done, err := d.open(n, p, os.O_WRONLY)
	if err != nil {
		return err
	}
	defer done()
	if _, err := f.WriteAt(b, int64(off)); err != nil {
		return err
	}
	if how != nfs3.Unstable {
		return f.Sync()
	}
	return nil
}

// commit is fsync: the host cannot do a part of it.
func (d *dirStore) commit(_ *ident, fh nfs3.FH, _ uint64, _ uint32, r *nfs3.CommitReply) {
	n, p, fi, st := d.findFile(fh)
	if st == nfs3.OK {
		r.Wcc.Before = d.pre(n, fi)
		f, done, err := d.open(n, p, os.O_WRONLY)
		if err != nil { // its mode has changed; any descriptor will do on Unix
			f, done, err = d.open(n, p, os.O_RDONLY)
		}
		if err == nil {
			err = f.Sync()
			done()
		}
		st = statusOf(err)
	}
	r.Status, r.Wcc.After = st, d.post(n, p)
}
