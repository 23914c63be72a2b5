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

// lender is a writer whose memory an extent refers to. Being the context of the
// writer's calls, it grants the server a moment when the writer has given up: a
// WRITE that is abandoned and made again could be executed a second time, later.
type lender struct {
	context.Context
	late bool // it was asked once

	wake chan struct{} // holds a token when the extent has changed
	err  error         // why bytes of it were lost; guarded by fileData.mu
	ext  extent        // of ext, lists may hold slices only once it was cut
}

// GiveUp implements rpc.GiveUpper: it is asked when the context is done, and
// every 200 ms from then on.
func (l *lender) GiveUp() bool {
	if !l.late {
		l.late = true
		return false
	}
	g, ok := l.Context.(rpc.GiveUpper)
	return !ok || g.GiveUp()
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

// gaveUp reports whether a call with ctx failed because its lender gave up.
func (l *lender) gaveUp(ctx context.Context, err error) bool {
	return l != nil && ctx == context.Context(l) && l.Err() != nil && !answered(err)
}

// lend writes p, a whole extent at off for which the budget was acquired, from
// where it is, and returns when it is safe. It does nothing and returns false if
// it would not pay, or if other bytes are in its way. ctx ends the waiting: then
// p is copied, and write-behind goes on with it.
func (f *File) lend(ctx context.Context, p []byte, off uint64) (done bool, err error) {
	fs, w, d := f.fs, &f.fs.wb, &f.ino.data
	if len(p) < int(fs.wsize) || d.writing.Load() < lentWriters || !w.costs.cheap() || fs.fits(len(p)) < len(p) {
		return false, nil
	}
	end := off + uint64(len(p))
	d.mu.Lock()
	if len(d.dirty.overlap(off, end)) > 0 || len(d.kept.overlap(off, end)) > 0 || d.rounds >= maxRounds {
		d.mu.Unlock()
		return false, nil
	}
	l := w.lender(ctx)
	wasClean := d.cleanLocked()
	d.seq++
	d.gen++
	l.ext = extent{off: off, data: p, cred: f.cred, first: d.seq, since: time.Now(), state: sending, lender: l, shared: true}
	d.kept.insert(&l.ext)
	d.mu.Unlock()
	if wasClean {
		w.watch(f.ino)
	}
	fs.localChange(f.ino, end, true)
	w.send(l, f.ino, &l.ext, nfs3.Unstable)
	w.settle(l, f.ino)
	if err = l.err; err != nil {
		_ = f.report() // it is the same
	}
	w.rest(l)
	return true, err
}

// settle waits until no extent refers to l's memory any more, and makes the
// COMMITs for that. If l gives up, what is not safe yet is copied.
func (w *writeback) settle(l *lender, ino *Inode) {
	d := &ino.data
	d.mu.Lock()
	for d.lentLocked(l) {
		if l.Err() != nil {
			d.keepLocked(l)
			break
		}
		if !w.commitDueLocked(d, false) {
			d.mu.Unlock()
			_ = waitFor(l.Context, l.wake) // of its end, Err tells
			d.mu.Lock()
			continue
		}
		cred, number := d.beginCommitLocked()
		d.mu.Unlock()
		w.commit(l, ino, cred, number)
		d.mu.Lock()
	}
	blocked, half := w.pressure()
	due := w.sendableLocked(d, blocked) != nil || l.Err() != nil && w.commitDueLocked(d, half)
	d.mu.Unlock()
	if due { // the server was restarted, or another lender waits for the COMMIT that l gave up
		w.enqueue(ino)
	}
}

// lentLocked reports whether any extent refers to l's memory.
func (d *fileData) lentLocked(l *lender) bool {
	return slices.ContainsFunc(d.kept, func(e *extent) bool { return e.lender == l })
}

// keepLocked makes what l lends write-behind's own.
func (d *fileData) keepLocked(l *lender) {
	for i, e := range d.kept {
		if e.lender == l {
			d.kept[i] = e.own()
		}
	}
}

// own returns a copy of e with memory of its own, to take e's place.
func (e *extent) own() *extent {
	o := *e
	o.data, o.lender, o.shared = slices.Clone(e.data), nil, false
	return &o
}

// unsentLocked makes e, whose lender gave up, dirty, less the bytes that were
// overwritten meanwhile. It returns how many those are.
func (d *fileData) unsentLocked(e *extent) (superseded uint64) {
	e = e.own()
	e.state, e.since = dirty, time.Now()
	rest := extents{e}
	superseded = rest.cutAll(d.dirty.overlap(e.off, e.end()))
	for _, p := range rest {
		d.dirty.insert(p)
	}
	return superseded
}

// lender returns one for a write with ctx.
func (w *writeback) lender(ctx context.Context) (l *lender) {
	select {
	case l = <-w.lenders:
	default:
		l = &lender{wake: make(chan struct{}, 1)}
	}
	l.Context = ctx
	return l
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
