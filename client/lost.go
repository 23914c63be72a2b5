package client

import (
	"maps"
	"slices"
)

// maxFailed bounds the files that Close can tell of; the log tells of all.
const maxFailed = 4096

// loseLocked gives n bytes of ino up: each File reports err once. d.mu is held.
func (w *writeback) loseLocked(ino *Inode, n uint64, err error) {
	d := ino.data()
	d.errSeq++
	d.lastErr, d.errSeen = err, false
	d.lost += n
	w.forgetLocked(ino)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.failed) < maxFailed {
		w.failed[ino] = true
	}
}

// forgetLocked drops what is cached of ino, which tells of lost bytes as if they
// were there, the size and the kernel's pages among it. d.mu is held.
func (w *writeback) forgetLocked(ino *Inode) {
	ino.data().gen++
	ino.mu.Lock()
	ino.cache.expire()
	ino.mu.Unlock()
	ino.version.Add(1)
	w.fs.changes.post(w.fs, ino)
}

// told notes that a File reported what ino lost.
func (w *writeback) told(ino *Inode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.failed, ino)
}

// untold returns the files that lost data of which no File reported.
func (w *writeback) untold() (out []Unsaved) {
	w.mu.Lock()
	inos := slices.AppendSeq(make([]*Inode, 0, len(w.failed)), maps.Keys(w.failed))
	w.mu.Unlock()
	for _, ino := range inos {
		d := ino.data()
		d.mu.Lock()
		u := Unsaved{ino: ino, FileID: ino.number, Bytes: d.lost, Err: d.lastErr}
		d.mu.Unlock()
		u.Name = w.fs.pathOf(ino)
		out = append(out, u)
	}
	return out
}

// unsavedFile tells what of a file is not safe on the server.
type unsavedFile struct {
	ino   *Inode
	bytes uint64
}

// unsaved lists the files that are not clean.
func (w *writeback) unsaved() []unsavedFile {
	var out []unsavedFile
	for _, ino := range w.unclean() {
		d := ino.data()
		d.mu.Lock()
		var n uint64
		for _, x := range []extents{d.dirty, d.kept} {
			for _, e := range x {
				n += uint64(len(e.data))
			}
		}
		d.mu.Unlock()
		if n > 0 {
			out = append(out, unsavedFile{ino, n})
		}
	}
	return out
}
