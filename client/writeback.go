package client

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
)

// When write-behind acts.
const (
	writeDelay  = time.Second            // a dirty extent is sent at the latest then
	commitDelay = 5 * time.Second        // an unstable extent is committed at the latest then
	agerTick    = 250 * time.Millisecond // how often ages are looked at
	firstCommit = 16 << 20               // so many unsafe bytes make the first COMMIT of a mount, which tells what one costs
	maxWriters  = 16                     // WRITEs and COMMITs of a mount that are under way at once
	maxRounds   = 3                      // COMMITs in a row with a new verifier before WRITEs are FILE_SYNC
)

// writeback sends what is dirty. Inodes with work queue up; up to maxWriters
// workers, started on demand, each take one inode, do one step for it (a WRITE
// or a COMMIT) and put it back. A worker ends when the queue is empty. One ager,
// started with the first dirty inode and ended with the last, queues what has
// become old. Both run on the file system's own life, not on a caller's.
type writeback struct {
	fs     *FS
	budget budget
	slabs  slabs
	calls  sync.Pool // of *dataCall

	costs   costs
	lenders chan *lender // those that rest

	mu      sync.Mutex // guards all below; taken after a fileData's mutex
	queue   []*Inode
	queued  map[*Inode]bool
	workers int
	watched map[*Inode]bool // inodes that are not clean
	failed  map[*Inode]bool // inodes that lost data, which perhaps nobody was told
	aging   bool
}

func (w *writeback) init(fs *FS, limit int64) {
	w.fs = fs
	w.budget.limit = max(limit, int64(fs.wsize))
	w.slabs.size = int(fs.wsize)
	w.costs.most, w.costs.slack = mostWrite, commitSlack
	w.lenders = make(chan *lender, maxWriters)
	w.queued, w.watched, w.failed = map[*Inode]bool{}, map[*Inode]bool{}, map[*Inode]bool{}
}

// pressure tells how short memory is: blocked when writers wait, so that even
// what could still grow is sent; half when half of the limit is in use, so that
// what is unstable is committed without delay.
func (w *writeback) pressure() (blocked, half bool) {
	waiting, used := w.budget.state()
	return waiting, waiting || used > w.budget.limit/2 || used > firstCommit && w.costs.unknown()
}

// watch makes the ager look at ino until it is clean. The inode is kept alive
// meanwhile by being in the map.
func (w *writeback) watch(ino *Inode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched[ino] = true
	if !w.aging {
		w.aging = true
		w.fs.goroutine(w.age) // ends when nothing is watched, or with the file system's life
	}
}

// unclean returns the inodes that are watched.
func (w *writeback) unclean() []*Inode {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.AppendSeq(make([]*Inode, 0, len(w.watched)), maps.Keys(w.watched))
}

// enqueue asks for a step for ino.
func (w *writeback) enqueue(ino *Inode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queued[ino] {
		return
	}
	w.queued[ino] = true
	w.queue = append(w.queue, ino)
	if w.workers < maxWriters {
		w.workers++
		w.fs.goroutine(w.work) // ends when the queue is empty
	}
}

// work does steps until the queue is empty.
func (w *writeback) work() {
	for {
		w.mu.Lock()
		if len(w.queue) == 0 {
			w.workers--
			w.mu.Unlock()
			return
		}
		ino := w.queue[0]
		w.queue = w.queue[1:]
		delete(w.queued, ino)
		w.mu.Unlock()
		w.step(ino)
	}
}

// age queues the inodes that have something old until none is watched.
func (w *writeback) age() {
	t := time.NewTicker(agerTick)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-w.fs.life.Done():
		}
		for _, ino := range w.unclean() {
			w.look(ino)
		}
		w.mu.Lock()
		if len(w.watched) == 0 || w.fs.life.Err() != nil {
			w.aging = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
	}
}

// look stops watching ino if it is clean and queues it if a step is due.
func (w *writeback) look(ino *Inode) {
	blocked, half := w.pressure()
	d := ino.data()
	d.mu.Lock()
	due := w.sendableLocked(d, blocked) != nil || w.commitDueLocked(d, half)
	if d.cleanLocked() {
		w.mu.Lock()
		delete(w.watched, ino) // under d.mu: a write that comes now watches it again
		w.mu.Unlock()
	}
	d.mu.Unlock()
	if due {
		w.enqueue(ino)
	}
}

// pressed queues everything: a writer waits for room.
func (w *writeback) pressed() {
	for _, ino := range w.unclean() {
		w.enqueue(ino)
	}
}

// sendableLocked returns a dirty extent that should be sent now and may be:
// nothing that overlaps it is under way.
func (w *writeback) sendableLocked(d *fileData, blocked bool) *extent {
	wsize, eager := uint64(w.fs.wsize), w.fs.writes != mountopt.WriteLazy
	for _, e := range d.dirty {
		now := blocked || eager || d.draining > 0 || e.end()%wsize == 0 || time.Since(e.since) >= writeDelay
		if !now {
			continue
		}
		if len(d.kept.overlap(e.off, e.end())) == 0 { // WRITEs under way, and what a flush waits for
			return e
		}
	}
	return nil
}

// step does one WRITE or one COMMIT for ino, if one is due.
func (w *writeback) step(ino *Inode) {
	blocked, half := w.pressure()
	d := ino.data()
	d.mu.Lock()
	if e := w.sendableLocked(d, blocked); e != nil {
		stable := nfs3.Unstable
		if alone := len(d.dirty) == 1 && len(d.kept) == 0 && d.flushing > 0; alone || d.rounds >= maxRounds {
			stable = nfs3.FileSync // one WRITE is the whole flush, or the server restarts all the time
		}
		d.dirty.remove(e)
		e.state, e.since = sending, time.Now()
		d.kept.insert(e)
		more := w.sendableLocked(d, blocked) != nil
		d.mu.Unlock()
		if more {
			w.enqueue(ino)
		}
		w.send(w.fs.life, ino, e, stable)
		w.enqueueIfDue(ino)
		return
	}
	if w.commitDueLocked(d, half) {
		cred, number := d.beginCommitLocked()
		d.mu.Unlock()
		w.commit(w.fs.life, ino, cred, number)
		w.enqueueIfDue(ino)
		return
	}
	d.mu.Unlock()
}

func (w *writeback) enqueueIfDue(ino *Inode) {
	blocked, half := w.pressure()
	d := ino.data()
	d.mu.Lock()
	due := w.sendableLocked(d, blocked) != nil || w.commitDueLocked(d, half)
	d.mu.Unlock()
	if due {
		w.enqueue(ino)
	}
}
