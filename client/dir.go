package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"syscall"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// DirEntry is one entry of a directory. "." and ".." never come.
type DirEntry struct {
	Name   string        // bytes; without "/" and NUL, never empty
	FileID uint64        // the number for d_ino, as Inode.FileID
	Type   nfs3.FileType // 0 if the server did not say
	Attr   *nfs3.Fattr   // nil if the server did not say
	Inode  *Inode        // nil if the server did not say, or, from Read, if it is one of many
	// Cookie is the place behind this entry, for Dir.Seek: 1 for the first
	// entry, 2 for the second and so on. (The server's own cookies may be any
	// 64 bits, which not all programs can bear.)
	Cookie uint64
}

// Dir is an open directory. It holds one page of entries, and of those that
// were read 8 to 16 bytes each, for Seek and for starting over. It is safe for
// concurrent use; callers take turns.
type Dir struct {
	fs   *FS
	ino  *Inode
	cred *rpc.Cred
	turn chan struct{} // whoever holds its one token owns all below but want

	page   []DirEntry // entries that were fetched
	at     int        // of page, the next to be returned
	place  uint64     // ordinal of the entry before page[at]
	cookie uint64     // the server's, where the next page begins
	verf   [nfs3.CookieVerfSize]byte
	eof    bool
	plain  bool   // READDIRPLUS does not work here
	count  uint32 // bytes of the last page that was asked for
	empty  int    // pages in a row without entries and without the end
	skip   uint64 // entries still to be left out on the way to where Seek wants to be
	log    dirLog
	starts map[uint64]bool // cookies that pages began at: a second time is a loop
	owed   int             // entries still to be left out after starting over, at most
	anew   int             // times in a row of starting over without a new entry
	reply  nfs3.ReaddirplusReply
	inodes []*Inode // of reply's entries
	all    bool     // each entry gets its Inode
	made   int      // entries that got one for which there was none before

	mu     sync.Mutex // guards both below
	want   *uint64    // Seek
	closed bool
}

// Bounds on what a server can make a listing cost.
const (
	maxStarts   = 64 << 10 // pages among which a loop is noticed
	maxEmpty    = 2        // pages in a row that bring nothing
	maxAnew     = 3        // restarts in a row that bring nothing new
	hardNameMax = 255      // names of this length are taken whatever PATHCONF says
)

// maxMade is how many Inodes a listing makes for the caches, a quarter of what
// the inode table keeps: to make them for a directory of 100,000 took five
// times as long as to list it, and pushed everything else out.
const maxMade = 4 << 10

// DirError tells that a server does not let a directory be listed to its end.
// Its errno is EIO.
type DirError struct {
	FileID uint64 // of the directory
	Cookie uint64 // the server's, where it went wrong
	Reason string
}

// Error implements error.
func (e *DirError) Error() string {
	return fmt.Sprintf("client: directory %d at cookie %#x: %s", e.FileID, e.Cookie, e.Reason)
}

// Is reports whether target is EIO.
func (e *DirError) Is(target error) bool { return target == syscall.EIO }

// OpenDir opens a directory for reading its entries. cred must have the right
// to list it. ctx cancels the wait.
func (fs *FS) OpenDir(ctx context.Context, cred *rpc.Cred, ino *Inode) (*Dir, error) {
	if err := fs.alive(ino); err != nil {
		return nil, err
	}
	if ino.typ != nfs3.TypeDir {
		return nil, nfs3.ErrNotdir
	}
	cred = fs.credOr(cred)
	if err := fs.permit(ctx, cred, ino, nfs3.AccessRead); err != nil {
		return nil, err
	}
	d := &Dir{fs: fs, ino: ino, cred: cred, turn: make(chan struct{}, 1), starts: map[uint64]bool{}}
	d.log.share = shareOf(d, fs.listed)
	d.turn <- struct{}{}
	return d, nil
}

// Read returns the next entries: at least one, and max at most if max is
// positive. At the end it returns io.EOF. The slice is the caller's. Entries
// whose names cannot be are left out. When the server has forgotten where we
// were (NFS3ERR_BAD_COOKIE), the directory is read again from its start, and
// the entries that were returned before are left out. A server that goes round
// in circles is a *DirError. ctx cancels the wait; a later Read goes on where
// this one was.
func (d *Dir) Read(ctx context.Context, max int) ([]DirEntry, error) { return d.read(ctx, max, false) }

// ReadPlus is Read for callers who go on with the objects: each entry has its
// Inode, if the server said which it is, and if it was fetched for ReadPlus.
func (d *Dir) ReadPlus(ctx context.Context, max int) ([]DirEntry, error) {
	return d.read(ctx, max, true)
}

func (d *Dir) read(ctx context.Context, max int, all bool) ([]DirEntry, error) {
	if err := rpc.Wait(ctx, d.turn); err != nil {
		return nil, err
	}
	defer d.pass()
	d.all = all
	d.mu.Lock()
	want, closed := d.want, d.closed
	d.want = nil
	d.mu.Unlock()
	if closed {
		return nil, fs.ErrClosed
	}
	if want != nil {
		d.goTo(*want)
	}
	for d.at == len(d.page) {
		if d.eof {
			return nil, io.EOF
		}
		if err := d.fill(ctx); err != nil {
			return nil, err
		}
	}
	rest := d.page[d.at:]
	if max > 0 && len(rest) > max {
		rest = rest[:max:max]
	}
	d.at += len(rest)
	d.place += uint64(len(rest))
	return rest, nil
}

// Seek makes the next Read begin behind the entry with that Cookie; 0 begins
// anew, and sees what has changed since. A place that was never read is reached
// by counting entries.
func (d *Dir) Seek(cookie uint64) {
	d.mu.Lock()
	d.want = &cookie
	d.mu.Unlock()
}

// Close ends the Dir: later Reads fail with fs.ErrClosed.
func (d *Dir) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.sweep()
	return nil
}

// pass ends a turn.
func (d *Dir) pass() {
	d.turn <- struct{}{}
	d.mu.Lock()
	closed := d.closed
	d.mu.Unlock()
	if closed {
		d.sweep()
	}
}

// sweep forgets what a Dir that is closed knows, unless somebody has the turn:
// he does it at its end.
func (d *Dir) sweep() {
	select {
	case <-d.turn:
		d.log.reset()
		d.page, d.at, d.starts, d.inodes, d.reply = nil, 0, nil, nil, nfs3.ReaddirplusReply{}
		d.turn <- struct{}{}
	default:
	}
}

// goTo does what Seek asked for.
func (d *Dir) goTo(place uint64) {
	first := d.place - uint64(d.at) // ordinal of the entry before page[0]
	switch {
	case place == d.place:
		return
	case place >= first && place <= first+uint64(len(d.page)) && place > 0:
		d.at, d.place = int(place-first), place
		return
	}
	d.page, d.at, d.eof, d.empty, d.anew = nil, 0, false, 0, 0
	clear(d.starts)
	if cookie, ok := d.log.cookie(place); ok && place > 0 {
		d.cookie, d.place, d.skip, d.owed = cookie, place, 0, len(d.log.old)
		return
	}
	d.log.reset()
	d.owed = 0
	d.cookie, d.verf = 0, [nfs3.CookieVerfSize]byte{}
	d.place, d.skip = 0, place
}

// fill fetches the next page. It may come back with an empty one.
func (d *Dir) fill(ctx context.Context) error {
	if d.starts[d.cookie] {
		return d.wrong("the server sends the same entries again and again")
	}
	from := d.cookie
	entries, err := d.fetch(ctx)
	if errors.Is(err, nfs3.ErrBadCookie) || errors.Is(err, nfs3.ErrNotSync) {
		return d.startOver(err)
	}
	if err != nil {
		return d.fs.failed(d.ino, err)
	}
	if len(entries) == 0 && !d.eof {
		if d.empty++; d.empty >= maxEmpty {
			return d.wrong("the server sends neither entries nor the end")
		}
		d.plain = true // an entry with its attributes may be too much for one page
		return nil
	}
	d.empty = 0
	if len(d.starts) >= maxStarts {
		clear(d.starts)
	}
	d.starts[from] = true
	d.accept(entries)
	return nil
}

func (d *Dir) wrong(reason string) error {
	return &DirError{FileID: d.ino.number, Cookie: d.cookie, Reason: reason}
}

// startOver goes back to the start of the directory after the server refused a
// cookie. Entries that were read already will be left out.
func (d *Dir) startOver(err error) error {
	if d.cookie == 0 || d.log.full() {
		return err
	}
	if d.anew++; d.anew > maxAnew {
		return err
	}
	d.log.age(d.place)
	d.owed = len(d.log.old)
	d.cookie, d.verf = 0, [nfs3.CookieVerfSize]byte{}
	clear(d.starts)
	return nil
}
