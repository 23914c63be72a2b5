package client

import (
	"context"
	"slices"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// A write of a whole extent is not copied where the server makes data safe about
// as soon as it takes it: the WRITE is made from the writer's own memory, and
// the writer waits until a COMMIT has covered it, which all share whose WRITEs
// were answered while the last one was under way. Nothing has to be kept for a
// server that restarts, because the writer still has it.
//
// 1 MiB × 8 on loopback: 1.6 times the rate at half of the CPU (write-1m of make
// bench; BenchmarkWriters), since the copies of 64 MiB that are not safe yet run
// out of all caches. One writer by itself would leave the server idle while it
// waits; it has write-behind.

// lentWriters is how many large writes of a file there must be at once: so many
// WRITEs share a COMMIT, about.
const lentWriters = 4

// lender is a writer whose memory an extent refers to.
type lender struct {
	wake chan struct{} // holds a token when the extent has changed
	err  error         // why bytes of it were lost; guarded by fileData.mu
	ext  extent        // no list holds it when the writer is gone
}

// signal wakes the lender, if there is one.
func (l *lender) signal() {
	if l == nil {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// fail tells the lender, if there is one, that bytes of it are lost. The
// fileData's mutex is held.
func (l *lender) fail(err error) {
	if l != nil {
		l.err = err
		l.signal()
	}
}

// isDone reports whether ctx has ended. Some have no Err then.
func isDone(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// lend writes p, a whole extent at off for which the budget was acquired, from
// where it is, and returns when it is safe; the error is that of these bytes,
// which nobody else is told of. It does nothing and returns false if it would
// not pay, or if other bytes are in its way. ctx ends the waiting: then p is
// copied, and write-behind goes on with it.
func (f *File) lend(ctx context.Context, p []byte, off uint64) (done bool, err error) {
	fs, w, d := f.fs, &f.fs.wb, f.ino.data()
	if d.writing.Load() < lentWriters || !w.costs.cheap() || fs.fits(len(p)) < len(p) || isDone(ctx) {
		return false, nil
	}
	end := off + uint64(len(p))
	d.mu.Lock()
	if len(d.dirty.overlap(off, end)) > 0 || len(d.kept.overlap(off, end)) > 0 || d.rounds >= maxRounds || d.cutLocked() {
		d.mu.Unlock()
		return false, nil
	}
	l := w.lender()
	wasClean := d.cleanLocked()
	d.countLocked()
	d.gen++
	l.ext = extent{off: off, data: p, cred: f.cred, first: d.seq, since: time.Now(), state: sending, lender: l, shared: true}
	d.kept.insert(&l.ext)
	if wasClean {
		w.watch(f.ino)
	}
	d.mu.Unlock()
	fs.localChange(f.ino, end, true)
	w.send(ctx, f.ino, &l.ext, nfs3.Unstable)
	w.settle(ctx, l, f.ino)
	err = l.err
	w.rest(l)
	return true, err
}

// settle waits until no extent refers to l's memory any more, and makes the
// COMMITs for that. If l's writer gives up, what is not safe yet is copied.
func (w *writeback) settle(ctx context.Context, l *lender, ino *Inode) {
	d := ino.data()
	d.mu.Lock()
	if len(d.dirty) > 0 { // something may have waited for l's WRITE
		w.enqueue(ino)
	}
	for d.lentLocked(l) {
		var stays bool
		if w.commitDueLocked(d, false) {
			cred, number := d.beginCommitLocked()
			d.mu.Unlock()
			stays = w.commit(ctx, ino, cred, number)
		} else {
			d.mu.Unlock()
			stays = rpc.Wait(ctx, l.wake) == nil
		}
		d.mu.Lock()
		if !stays {
			d.keepLocked(l)
		}
	}
	// Another lender goes on where l ends; if there is none, the workers do.
	next := d.lenderLocked()
	if !d.committing {
		next.signal()
	}
	_, half := w.pressure()
	due := next == nil && w.commitDueLocked(d, half)
	d.mu.Unlock()
	if due {
		w.enqueue(ino)
	}
}

// lentLocked reports whether any extent refers to l's memory.
func (d *fileData) lentLocked(l *lender) bool {
	return slices.ContainsFunc(d.kept, func(e *extent) bool { return e.lender == l })
}

// lenderLocked returns a lender who waits for a COMMIT, or nil.
func (d *fileData) lenderLocked() *lender {
	for _, e := range d.kept {
		if e.state == unstable && e.lender != nil {
			return e.lender
		}
	}
	return nil
}

// keepLocked makes what l lends write-behind's own. None of it is being sent.
func (d *fileData) keepLocked(l *lender) {
	for i, e := range d.kept {
		if e.lender == l {
			d.kept[i] = e.own()
		}
	}
}

// detach has the WRITE that is under way go on when its writer has given up:
// the same call, so that nothing that is written later is overtaken by it. It
// writes a copy from now on.
func (c *dataCall) detach() *rpc.Detached {
	w, d := c.w, c.ino.data()
	d.mu.Lock()
	own := c.ext.own()
	d.kept.remove(c.ext)
	d.kept.insert(own)
	d.mu.Unlock()
	c.left = true

	n := w.call(w.fs.life, c.ino, c.cred)
	n.ext, n.begun, n.write = own, c.begun, c.write
	n.write.Data = own.data[:len(c.write.Data)]
	outcome := make(chan error, 1)
	n.underWay = outcome
	w.fs.goroutine(func() { // ends with the call, or with the file system's life
		n.run()
		w.enqueueIfDue(n.ino)
		w.end(n)
	})
	return nfs3.DetachWrite(w.fs.life, &n.write, &n.written, func(err error) { outcome <- err })
}

// own returns a copy of e with memory of its own, to take e's place.
func (e *extent) own() *extent {
	o := *e
	o.data, o.lender, o.shared = slices.Clone(e.data), nil, false
	return &o
}

// lender returns one for a write.
func (w *writeback) lender() *lender {
	select {
	case l := <-w.lenders:
		return l
	default:
		return &lender{wake: make(chan struct{}, 1)}
	}
}

// rest takes back a lender that no extent refers to.
func (w *writeback) rest(l *lender) {
	select {
	case <-l.wake: // a signal that came too late
	default:
	}
	*l = lender{wake: l.wake}
	select {
	case w.lenders <- l:
	default:
	}
}
