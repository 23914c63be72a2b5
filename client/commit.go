package client

import (
	"context"
	"time"

	"github.com/gonfs/gonfs/rpc"
)

// commitDueLocked reports whether a COMMIT should be sent now: there is
// something unstable, no COMMIT is under way, and a flush waits for it (all
// that it needs having been written), a writer lends its memory until then, newer
// bytes wait to be sent, the oldest has waited long enough, or half of our own
// memory is in use.
func (w *writeback) commitDueLocked(d *fileData, half bool) bool {
	if d.committing {
		return false
	}
	some, old := false, d.covered
	for _, e := range d.kept {
		if e.state == unstable {
			some = true
			old = old || e.lender != nil || time.Since(e.since) >= commitDelay
		} else if d.flushing > 0 && e.first <= d.flushSeq {
			return false // its WRITE comes first
		}
	}
	if !some {
		return false
	}
	if d.flushing > 0 {
		for _, e := range d.dirty {
			if e.first <= d.flushSeq {
				return old || half
			}
		}
		return true
	}
	return old || half
}

// beginCommitLocked begins a COMMIT, which is due: commit makes it.
func (d *fileData) beginCommitLocked() (cred *rpc.Cred, number uint64) {
	d.committing = true
	d.commits++
	return d.kept[0].cred, d.commits
}

// commit sends a COMMIT of the whole file and books its reply: the extents
// that were unstable before it was sent are safe if it carries the verifier of
// their WRITEs, and dirty again if not, for then the server has restarted and
// may have lost them. ctx is the file system's life, or a lender's: if that ends
// first, nothing has happened, and commit reports false.
func (w *writeback) commit(ctx context.Context, ino *Inode, cred *rpc.Cred, number uint64) (done bool) {
	c := w.call(ctx, ino, cred)
	defer w.end(c)
	err := w.fs.about(ctx, cred, ino, c.doCommit)
	d := ino.data()
	var over, lost uint64 // bytes that are safe or lost; of those, write-behind's own that are lost
	d.mu.Lock()
	d.committing = false
	if err != nil && ctx != w.fs.life && isDone(ctx) && !answered(err) {
		d.mu.Unlock()
		return false // who asked for it has the next one begun
	}
	d.covered = false
	kept := d.kept[:0] // in place: who iterates over it holds the mutex
	again := false
	var next *lender
	for _, e := range d.kept {
		switch {
		case e.state != unstable || e.commit >= number: // written after the COMMIT was sent
			kept = append(kept, e)
			if e.state != unstable {
				continue
			}
			if next == nil {
				next = e.lender
			}
			d.covered = d.covered || len(d.dirty.overlap(e.off, e.end())) > 0
		case err != nil:
			over += uint64(len(e.data))
			if e.lender == nil {
				lost += uint64(len(e.data))
			}
			e.lender.fail(err)
		case sameVerf(e.verf, c.committed.Verf):
			over += uint64(len(e.data))
			if !e.shared {
				w.slabs.free(e.data)
			}
			e.lender.signal()
		default:
			again = true
			if e.lender != nil {
				e.lender.signal()
				e = e.own()
			}
			over += d.redoLocked(e)
		}
	}
	clear(d.kept[len(kept):])
	d.kept = kept
	next.signal() // it makes the next COMMIT
	switch {
	case err != nil && lost > 0:
		w.loseLocked(ino, lost, err)
	case err != nil:
		w.forgetLocked(ino)
	case again:
		d.rounds++
	default:
		d.rounds = 0
	}
	orphan := err != nil && d.open == 0
	d.noteLocked()
	d.mu.Unlock()
	w.budget.release(int64(over))
	if again {
		w.fs.locks.Suspect("its write verifier has changed")
		w.fs.log.Warn("write verifier changed: the server restarted, unstable data is sent again", "file", ino.FH())
	}
	if orphan {
		w.fs.log.Error("COMMIT: data of a closed file may be lost", "file", ino.FH(), "bytes", over, "err", err)
	}
	return true
}

// drain waits until every byte written so far has been sent and answered:
// other clients see it, and the server's attributes tell of it. It may still
// be unstable.
func (fs *FS) drain(ctx context.Context, ino *Inode) error { return fs.settle(ctx, ino, false) }

// flush waits until every byte written so far is safe on the server, or was
// given up with an error that the Files of ino report.
func (fs *FS) flush(ctx context.Context, ino *Inode) error { return fs.settle(ctx, ino, true) }

func (fs *FS) settle(ctx context.Context, ino *Inode, commit bool) error {
	d := ino.file.Load()
	if d == nil {
		return nil
	}
	d.mu.Lock()
	if d.cleanLocked() {
		d.mu.Unlock()
		return nil
	}
	need := d.seq
	d.draining++
	if commit {
		d.flushing++
		d.flushSeq = max(d.flushSeq, need)
	}
	var err error
	for err == nil && d.pendingLocked(need, commit) {
		ch := d.changeLocked()
		d.mu.Unlock()
		fs.wb.enqueue(ino)
		err = rpc.Wait(ctx, ch)
		d.mu.Lock()
	}
	d.draining--
	if commit {
		d.flushing--
	}
	d.mu.Unlock()
	return err
}

// awaitedLocked reports whether a flush waits for e. Then what is unstable of it
// stays though it is overwritten: the flush has promised that it, or what lies over
// it, is safe, and to wait for that could take for ever if the writer goes on.
func (d *fileData) awaitedLocked(e *extent) bool { return d.flushing > 0 && e.first <= d.flushSeq }

// redoLocked makes e dirty, which the server may not have, less the bytes that were
// overwritten meanwhile, and returns how many those are. Who waits for e waits for
// what lies over it in its stead.
func (d *fileData) redoLocked(e *extent) (superseded uint64) {
	e.state, e.since = dirty, time.Now()
	newer := d.dirty.overlap(e.off, e.end())
	for _, n := range newer {
		n.first = min(n.first, e.first)
	}
	rest := extents{e}
	superseded = rest.cutAll(newer)
	for _, p := range rest {
		d.dirty.insert(p)
	}
	return superseded
}

// pendingLocked reports whether a write up to number need is not answered yet
// or, with commit, not safe yet.
func (d *fileData) pendingLocked(need uint64, commit bool) bool {
	for _, e := range d.dirty {
		if e.first <= need {
			return true
		}
	}
	for _, e := range d.kept {
		if e.first <= need && (commit || e.state == sending) {
			return true
		}
	}
	return false
}
