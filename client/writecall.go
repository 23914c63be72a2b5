package client

import (
	"context"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// dataCall is a WRITE or a COMMIT, kept for the next one: it costs no
// allocation.
type dataCall struct {
	fs   *FS
	ctx  context.Context
	ino  *Inode
	cred *rpc.Cred

	write     nfs3.WriteArgs
	written   nfs3.WriteReply
	commit    nfs3.CommitArgs
	committed nfs3.CommitReply

	doWrite, doCommit func() error // tryWrite and tryCommit
}

func (w *writeback) call(ctx context.Context, ino *Inode, cred *rpc.Cred) *dataCall {
	c, ok := w.calls.Get().(*dataCall)
	if !ok {
		c = &dataCall{fs: w.fs}
		c.doWrite, c.doCommit = c.tryWrite, c.tryCommit
	}
	c.ctx, c.ino, c.cred = ctx, ino, cred
	return c
}

// end gives c back. It must not keep memory that it was lent.
func (w *writeback) end(c *dataCall) {
	c.ctx, c.ino, c.cred, c.write.Data = nil, nil, nil, nil
	w.calls.Put(c)
}

func (c *dataCall) tryWrite() error {
	c.write.File = c.ino.FH()
	st := c.fs.begin(c.ino)
	err := c.fs.nfs.Write(c.ctx, c.cred, &c.write, &c.written)
	if answered(err) {
		c.fs.applyWcc(c.ino, st, &c.written.Wcc)
	}
	return err
}

func (c *dataCall) tryCommit() error {
	c.commit.File = c.ino.FH()
	st := c.fs.begin(c.ino)
	err := c.fs.nfs.Commit(c.ctx, c.cred, &c.commit, &c.committed)
	c.fs.booked(c.ino, st, err, &c.committed.Wcc)
	return err
}

// send makes the WRITEs of one extent: one, or more if the server writes less
// than it was given, or the route does not carry as much as it once did. ctx is
// the file system's life, or that of who lends the extent its memory.
func (w *writeback) send(ctx context.Context, ino *Inode, e *extent, stable nfs3.StableHow) {
	c := w.call(ctx, ino, e.cred)
	defer w.end(c)
	args, reply := &c.write, &c.written
	for {
		begin := time.Now()
		data := e.data[:w.fs.fits(len(e.data))]
		*args = nfs3.WriteArgs{Offset: e.off, Count: uint32(len(data)), Stable: stable, Data: data}
		err := w.fs.about(ctx, e.cred, ino, c.doWrite)
		if w.fs.narrow(err, len(data)) {
			continue
		}
		if err == nil && (reply.Count == 0 || reply.Count > args.Count) {
			err = nfs3.ErrIO // a server that writes nothing would keep us here for ever
		}
		if err == nil {
			w.costs.wrote(time.Since(begin), reply.Committed)
		}
		if e = w.book(ctx, ino, e, reply, err); e == nil {
			return
		}
		if reply.Count < args.Count && reply.Committed != nfs3.FileSync {
			stable = nfs3.FileSync // what is left of a short WRITE goes as Linux sends it
		}
	}
}

// book books the reply to a WRITE of e and returns the rest that the server
// did not write, still marked as being sent.
func (w *writeback) book(ctx context.Context, ino *Inode, e *extent, r *nfs3.WriteReply, err error) (rest *extent) {
	d := &ino.data
	var safe uint64
	d.mu.Lock()
	d.kept.remove(e)
	written := e
	if err == nil && int(r.Count) < len(e.data) {
		written, rest = e.slice(e.off, e.off+uint64(r.Count)), e.slice(e.off+uint64(r.Count), e.end())
		d.kept.insert(rest)
	}
	switch {
	case err != nil && e.lender.gaveUp(ctx, err):
		safe = d.unsentLocked(e)
		err = nil
	case err != nil:
		safe = uint64(len(e.data)) // not safe at all, but lost: the error says so
		w.loseLocked(ino, safe, err)
		e.lender.fail(err)
	case r.Committed == nfs3.FileSync:
		safe = uint64(len(written.data))
		if !written.shared {
			w.slabs.free(written.data)
		}
	default:
		written.state, written.since = unstable, time.Now()
		written.verf, written.commit = r.Verf, d.commits
		safe = w.retainLocked(d, written)
	}
	orphan := err != nil && d.open == 0
	d.noteLocked()
	d.mu.Unlock()
	w.budget.release(int64(safe))
	if orphan {
		w.fs.log.Error("write-behind: data of a closed file was lost", "file", ino.FH(), "offset", e.off, "bytes", len(e.data), "err", err)
	}
	return rest
}

// retainLocked keeps an unstable extent, less the bytes that were overwritten
// while it was being sent, and returns how many those are.
func (w *writeback) retainLocked(d *fileData, e *extent) (superseded uint64) {
	newer := d.dirty.overlap(e.off, e.end())
	if len(newer) == 0 {
		d.kept.insert(e)
		return 0
	}
	rest := extents{e}
	superseded = rest.cutAll(newer)
	for _, p := range rest {
		d.kept.insert(p)
	}
	return superseded
}
