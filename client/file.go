package client

import (
	"context"
	"os"
	"sync"
	"sync/atomic"

	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// fileData is the part of an Inode that write-behind needs. Its zero value is
// a clean file.
//
// A byte is looked for in dirty first, then in kept: what is in dirty is newer.
// Bytes of kept that are unstable are cut when they are overwritten, since the
// newer ones will be sent anyway; bytes that are being sent stay until the
// reply, those that a flush waits for until their COMMIT, and what overlaps them
// waits that long, so that no two WRITEs of one byte are ever under way.
type fileData struct {
	mu    sync.Mutex // guards all below; taken before the attribute mutex, never held across a call
	dirty extents    // dirty
	kept  extents    // sending or unstable
	seq   uint64     // number of the last write
	gen   uint64     // changes with each write, truncation and change by others: read-ahead of another gen is stale

	writing atomic.Int32 // writes of whole extents that are under way; not guarded
	written atomic.Bool  // seq is not 0; not guarded, for those who only read the file

	draining   int    // callers that wait for all WRITEs
	flushing   int    // those of them that want a COMMIT too
	flushSeq   uint64 // the last write that a waiting caller needs on the server
	commits    uint64 // COMMITs sent
	committing bool
	rounds     int           // COMMITs in a row that found another verifier
	changed    chan struct{} // closed at the next change of state; nil when nobody waits

	errSeq  uint64 // number of write-back errors
	lastErr error
	errSeen bool   // some File reported lastErr
	lost    uint64 // bytes that errors took which no File reported

	open      int   // open Files
	appending bool  // an Append is under way
	covered   bool  // something dirty lies over what is unstable, and waits for a COMMIT of that
	cutting   int32 // changes of the size that are under way, or wait for an Append; see cutLocked
}

// noteLocked wakes who waits for a change of state.
func (d *fileData) noteLocked() {
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

// changeLocked returns a channel that is closed at the next change of state.
func (d *fileData) changeLocked() <-chan struct{} {
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return d.changed
}

// countLocked counts a write.
func (d *fileData) countLocked() {
	d.seq++
	d.written.Store(true)
}

func (d *fileData) cleanLocked() bool { return len(d.dirty) == 0 && len(d.kept) == 0 }

// data returns the state of n's data. It is made when it is needed first, by an
// open mostly: files that are only looked up do without its 192 bytes.
func (n *Inode) data() *fileData {
	if d := n.file.Load(); d != nil {
		return d
	}
	n.file.CompareAndSwap(nil, new(fileData))
	return n.file.Load()
}

// hasDirty reports whether any byte is not safe on the server yet.
func (n *Inode) hasDirty() bool {
	d := n.file.Load()
	if d == nil || !d.written.Load() {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.cleanLocked()
}

// dirtyEnd returns the end of the last byte that is not safe on the server
// yet; 0 when there is none.
func (n *Inode) dirtyEnd() uint64 {
	d := n.file.Load()
	if d == nil || !d.written.Load() {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(d.dirty.end(), d.kept.end())
}

// opens returns how many Files are open.
func (n *Inode) opens() int {
	d := n.file.Load()
	if d == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// File is an open file: an Inode with the flags and the credential that it was
// opened with. It is safe for concurrent use. Release ends it.
//
// Errors of write-behind are latched at the Inode and reported once by each
// File that was open, at the next WriteAt, Flush or Fsync; the bytes that they
// concern were not saved.
type File struct {
	fs    *FS
	ino   *Inode
	cred  *rpc.Cred
	flags int

	seen     atomic.Uint64 // errors up to this number were reported here
	ra       readAhead
	released atomic.Bool
	lost     atomic.Bool // a lock was lost: reads and writes fail

	ownOnce sync.Once
	owner   lock.Owner // of Lock; see own
}

// newFile opens ino: flags are those of os.OpenFile, of which only the access
// mode, O_APPEND, O_SYNC and O_DIRECT matter from here on. The caller keeps a
// reference to ino until Release.
func newFile(fs *FS, ino *Inode, cred *rpc.Cred, flags int) *File {
	f := &File{fs: fs, ino: ino, cred: cred, flags: flags}
	d := ino.data()
	d.mu.Lock()
	d.open++
	seen := d.errSeq
	if seen > 0 && !d.errSeen {
		seen-- // nobody was told yet
	}
	d.mu.Unlock()
	f.seen.Store(seen)
	return f
}

// Inode returns the file that is open.
func (f *File) Inode() *Inode { return f.ino }

// Cred returns the credential of the opener, which reads and writes are made
// with.
func (f *File) Cred() *rpc.Cred { return f.cred }

// Flags returns the flags of the open.
func (f *File) Flags() int { return f.flags }

func (f *File) writable() bool { return f.flags&(os.O_WRONLY|os.O_RDWR) != 0 }

// report returns the latched error if this File did not report it yet.
func (f *File) report() error {
	d := f.ino.data()
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.seen.Swap(d.errSeq) == d.errSeq {
		return nil
	}
	f.fs.wb.told(f.ino)
	d.errSeen, d.lost = true, 0
	return d.lastErr
}

// Flush is what close(2) does: everything written to the file is sent and
// committed, and an error of write-behind that this File did not report yet is
// returned. A File that was not opened for writing has nothing to do. When ctx
// ends first, its error is returned and write-behind goes on.
func (f *File) Flush(ctx context.Context) error {
	if !f.writable() {
		return nil
	}
	return f.Fsync(ctx)
}

// Fsync sends and commits everything written to the file, through whichever
// File, as fsync(2) does: when it returns nil no restart of the server loses a
// byte of it.
func (f *File) Fsync(ctx context.Context) error {
	err := f.fs.flush(ctx, f.ino)
	if err == nil && f.lost.Load() {
		err = ErrLockLost
	}
	if e := f.report(); e != nil {
		return e
	}
	return err
}

// Release ends the File. It does not wait for what is still dirty (after Flush
// only pages written through a memory map can be); write-behind sends that.
// Locks that are held through it are given back, behind that.
// A second Release does nothing.
func (f *File) Release() {
	if f.released.Swap(true) {
		return
	}
	f.ra.close()
	for _, k := range f.fs.lockers.through(f) {
		if last, done := f.fs.lockers.leave(k, f); last {
			f.fs.goroutine(func() { // ends when they are given back, or with the file system's life
				defer done()
				_ = f.fs.returnLocks(f.fs.life, f.ino, k)
			})
		}
	}
	d := f.ino.data()
	d.mu.Lock()
	d.open--
	d.mu.Unlock()
	f.fs.fileReleased(f.ino)
}

// dropReadahead makes all read-ahead of ino stale: others changed the file, or it
// was cut.
func (fs *FS) dropReadahead(ino *Inode) {
	if d := ino.file.Load(); d != nil {
		d.mu.Lock()
		d.gen++
		d.mu.Unlock()
	}
}

// checkRange refuses offsets that NFS or Linux cannot express.
func checkRange(off int64, n int) error {
	if off < 0 || off > int64(^uint64(0)>>1)-int64(n) {
		return nfs3.ErrInval
	}
	return nil
}
