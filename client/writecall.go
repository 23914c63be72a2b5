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
	w    *writeback
	ctx  context.Context // the file system's life, or whose memory it writes
	ino  *Inode
	cred *rpc.Cred

	ext       *extent // that is written
	write     nfs3.WriteArgs
	written   nfs3.WriteReply
	commit    nfs3.CommitArgs
	committed nfs3.CommitReply

	begun    stamp      // of the WRITE that is under way
	left     bool       // it goes on without us: write-behind waits for it now
	underWay chan error // brings the outcome of a WRITE that another began; nil: there is none

	doWrite, doCommit func() error         // tryWrite and tryCommit
	doDetach          func() *rpc.Detached // detach
}

func (w *writeback) call(ctx context.Context, ino *Inode, cred *rpc.Cred) *dataCall {
	c, ok := w.calls.Get().(*dataCall)
	if !ok {
		c = &dataCall{w: w}
		c.doWrite, c.doCommit, c.doDetach = c.tryWrite, c.tryCommit, c.detach
	}
	c.ctx, c.ino, c.cred = ctx, ino, cred
	return c
}

// end gives c back. It must not keep memory that it was lent.
func (w *writeback) end(c *dataCall) {
	c.ctx, c.ino, c.cred, c.ext, c.write.Data, c.left, c.underWay = nil, nil, nil, nil, nil, false, nil
	w.calls.Put(c)
}

func (c *dataCall) tryWrite() (err error) {
	fs := c.w.fs
	if c.underWay != nil {
		err = <-c.underWay
		c.underWay = nil
	} else {
		detach := c.doDetach
		if c.ext.lender == nil {
			detach = nil
		}
		c.write.File = c.ino.FH()
		c.begun = fs.begin()
		if c.ino.gone.Load() {
			return nfs3.ErrStale // it would be written to another object
		}
		err = fs.nfs.WriteOn(c.ctx, c.cred, &c.write, &c.written, detach)
	}
	if c.left || !answered(err) {
		return err
	}
	if err == nil && c.write.Stable == nfs3.Unstable {
		c.w.costs.wrote(time.Since(c.begun.at), c.written.Committed)
	}
	fs.booked(c.ino, c.begun, err, &c.written.Wcc)
	return err
}

func (c *dataCall) tryCommit() error {
	if c.ino.gone.Load() {
		return nfs3.ErrStale
	}
	c.commit.File = c.ino.FH()
	st := c.w.fs.begin()
	err := c.w.fs.nfs.Commit(c.ctx, c.cred, &c.commit, &c.committed)
	if err == nil {
		c.w.costs.committed(time.Since(st.at))
	}
	if answered(err) && c.committed.Wcc.After.Present { // or else it tells nothing: a COMMIT changes no ctime
		c.w.fs.applyWcc(c.ino, st, &c.committed.Wcc)
	}
	return err
}

// send makes the WRITEs of one extent: one, or more if the server writes less
// than it was given, or the route does not carry as much as it once did. ctx is
// the file system's life, or that of who lends the extent its memory.
func (w *writeback) send(ctx context.Context, ino *Inode, e *extent, stable nfs3.StableHow) {
	c := w.call(ctx, ino, e.cred)
	c.prepare(e, stable)
	c.run()
	w.end(c)
}

// prepare makes e's next WRITE the call.
func (c *dataCall) prepare(e *extent, stable nfs3.StableHow) {
	data := e.data[:c.w.fs.fits(len(e.data))]
	c.ext = e
	c.write = nfs3.WriteArgs{Offset: e.off, Count: uint32(len(data)), Stable: stable, Data: data}
}

// run makes the WRITEs of the extent, from the one that is prepared on.
func (c *dataCall) run() {
	w, args, reply := c.w, &c.write, &c.written
	for {
		err := w.fs.about(c.ctx, c.cred, c.ino, c.doWrite)
		if c.left {
			return
		}
		if w.fs.narrow(err, len(args.Data)) {
			c.prepare(c.ext, args.Stable)
			continue
		}
		if err == nil && reply.Count == 0 {
			err = nfs3.ErrIO // a server that writes nothing would keep us here for ever
		}
		rest, stable := w.book(c.ctx, c.ino, c.ext, reply, err), args.Stable
		if rest == nil {
			return
		}
		if reply.Count < args.Count && reply.Committed != nfs3.FileSync {
			stable = nfs3.FileSync // what is left of a short WRITE goes as Linux sends it
		}
		c.prepare(rest, stable)
	}
}

// book books the reply to a WRITE of e and returns the rest that the server
// did not write, still marked as being sent.
func (w *writeback) book(ctx context.Context, ino *Inode, e *extent, r *nfs3.WriteReply, err error) (rest *extent) {
	d := ino.data()
	var safe uint64
	lost := false
	d.mu.Lock()
	d.kept.remove(e)
	written := e
	if err == nil && int(r.Count) < len(e.data) {
		written, rest = e.slice(e.off, e.off+uint64(r.Count)), e.slice(e.off+uint64(r.Count), e.end())
		d.kept.insert(rest)
	}
	switch {
	case err != nil && e.lender != nil && isDone(ctx) && !answered(err):
		safe = d.redoLocked(e.own()) // its writer gave up when it was not under way
	case err != nil:
		lost = true
		safe = uint64(len(e.data)) // not safe at all, but lost: the error says so
		if e.lender != nil {
			e.lender.fail(err)
			w.forgetLocked(ino)
		} else {
			w.loseLocked(ino, safe, err)
		}
	case r.Committed == nfs3.FileSync:
		safe = uint64(len(written.data))
		if !written.shared {
			w.slabs.free(written.data)
		}
		if d.cleanLocked() {
			d.rounds = 0 // the next flush may do better
		}
	default:
		written.state, written.since = unstable, time.Now()
		written.verf, written.commit = r.Verf, d.commits
		safe = w.retainLocked(d, written)
	}
	orphan := lost && d.open == 0
	d.noteLocked()
	d.mu.Unlock()
	w.budget.release(int64(safe))
	if orphan {
		w.fs.log.Error("write-behind: data of a closed file was lost", "file", ino.FH(), "offset", e.off, "bytes", len(e.data), "err", err)
	}
	return rest
}

// retainLocked keeps an unstable extent, less the bytes that were overwritten
// while it was being sent, and returns how many those are. If a flush waits for
// it, it keeps all.
func (w *writeback) retainLocked(d *fileData, e *extent) (superseded uint64) {
	newer := d.dirty.overlap(e.off, e.end())
	if len(newer) == 0 || d.awaitedLocked(e) {
		d.covered = d.covered || len(newer) > 0
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
