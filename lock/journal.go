package lock

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/gonfs/gonfs/nfs3"
)

// A journal says which owners of this daemon may hold locks at the server, so
// that somebody can give them back if the daemon dies. An owner at a file is
// noted before the server is asked for its first lock there, and struck out
// after the last was given back; what is noted too much does no harm, since
// UNLOCK of what is not locked is no error.
//
// It is a file of the daemon's own, locked (flock(2)) as long as the daemon
// lives: whoever can lock it knows that he is dead. It holds a header and then
// entries, each as msgpack with its length in front. A daemon may die in the
// middle of writing one; what is not whole at the end was never sent.

// journalSuffix ends the name of a journal.
const journalSuffix = ".locks"

// unnamed begins the name of a journal that is being written.
const unnamed = ".locks-"

// Bounds of what is read from a journal.
const (
	maxEntry   = 4096
	maxJournal = 64 << 20
	compactAt  = 64 << 10 // bytes from which on a journal is rewritten when half of it is struck out
)

// header is the first entry of a journal: whose locks they are, and where.
type header struct {
	Version int    `msgpack:"version"`
	Boot    string `msgpack:"boot"`    // boot id of the host
	Network string `msgpack:"network"` // see network
	PID     int    `msgpack:"pid"`
	Machine string `msgpack:"machine"` // caller_name
	OH      []byte `msgpack:"oh"`

	Server   string `msgpack:"server"` // as the user wrote it
	Host     string `msgpack:"host"`   // its address
	Netid    string `msgpack:"netid"`
	Reserved bool   `msgpack:"reserved"`
	UID      uint32 `msgpack:"uid"` // of calls
	GID      uint32 `msgpack:"gid"`
}

// journalVersion is the only one that there is.
const journalVersion = 1

// entry notes an owner at a file, or strikes him out.
type entry struct {
	FH   []byte `msgpack:"fh"`
	Svid int32  `msgpack:"svid"`
	Gone bool   `msgpack:"gone,omitempty"`
}

// noted is an owner at a file.
type noted struct {
	fh   nfs3.FH
	svid int32
}

// journal is the daemon's own. A nil journal keeps nothing.
type journal struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex // guards all below
	file    *os.File
	head    header
	live    map[noted]bool
	size    int
	entries int
	failed  bool // that it cannot be written was logged
	closed  bool
}

// newJournal returns a journal in dir, which is made with the first note.
func newJournal(dir string, h header, log *slog.Logger) *journal {
	return &journal{path: filepath.Join(dir, string(h.OH)+journalSuffix), log: log, head: h, live: map[noted]bool{}}
}

// note says that the server is about to be asked for a lock.
func (j *journal) note(fh nfs3.FH, svid int32) { j.add(noted{fh, svid}, false) }

// drop says that nothing of an owner at a file is left.
func (j *journal) drop(fh nfs3.FH, svid int32) { j.add(noted{fh, svid}, true) }

func (j *journal) add(n noted, gone bool) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed || j.live[n] != gone {
		return
	}
	if gone {
		delete(j.live, n)
	} else {
		j.live[n] = true
	}
	err := j.writeLocked(entry{FH: n.fh.Bytes(), Svid: n.svid, Gone: gone})
	if err != nil && !j.failed {
		j.failed = true
		j.log.Error("lock: the journal cannot be written: if this process crashes its locks may stay at the server", "journal", j.path, "error", err)
	}
}

// writeLocked appends an entry, which is in live already.
func (j *journal) writeLocked(e entry) error {
	if j.file == nil {
		if err := os.MkdirAll(filepath.Dir(j.path), 0o700); err != nil {
			return err
		}
		return j.rewriteLocked()
	}
	b, err := frame(e)
	if err == nil {
		_, err = j.file.Write(b)
	}
	j.size += len(b)
	j.entries++
	if err == nil && j.size > compactAt && len(j.live) < j.entries/2 {
		err = j.rewriteLocked()
	}
	return err
}

// rewriteLocked replaces the file by one with what is live. The new one is
// locked before it has the name.
func (j *journal) rewriteLocked() error {
	f, err := os.CreateTemp(filepath.Dir(j.path), unnamed+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // not there any more when all went well
	if ok, err := tryLock(f); !ok || err != nil {
		f.Close()
		return errors.Join(err, errors.ErrUnsupported)
	}
	var b bytes.Buffer
	head, err := frame(j.head)
	b.Write(head)
	for n := range j.live {
		e, ferr := frame(entry{FH: n.fh.Bytes(), Svid: n.svid})
		if ferr != nil {
			err = ferr
		}
		b.Write(e)
	}
	size := b.Len()
	if err == nil {
		_, err = b.WriteTo(f)
	}
	if err == nil {
		err = os.Rename(f.Name(), j.path)
	}
	if err != nil {
		f.Close()
		return err
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.size, j.entries = f, size, len(j.live)
	return nil
}

// close ends the journal. With clean set nothing is left that somebody would
// have to give back, and the file goes; otherwise it stays, for whoever finds
// that nobody holds it.
func (j *journal) close(clean bool) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	if j.file == nil {
		return
	}
	if clean || len(j.live) == 0 {
		_ = os.Remove(j.path) // an empty journal that stays is removed by the next daemon
	}
	j.file.Close()
	j.file = nil
}

// frame is v as msgpack with its length in front.
func frame(v any) ([]byte, error) {
	b, err := msgpack.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...), nil
}

// readFrame reads one into v. It reports false at the end, and at what is no
// entry, after which nothing can be read.
func readFrame(r *bytes.Reader, v any) bool {
	var n [4]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return false
	}
	size := binary.BigEndian.Uint32(n[:])
	if size > maxEntry || int(size) > r.Len() {
		return false
	}
	b := make([]byte, size)
	_, _ = io.ReadFull(r, b) // there are so many
	return msgpack.Unmarshal(b, v) == nil
}

// readJournal returns what a journal says. ok is false for what is none.
func readJournal(b []byte) (h header, live map[noted]bool, ok bool) {
	r := bytes.NewReader(b)
	if !readFrame(r, &h) || h.Version != journalVersion || len(h.OH) == 0 || len(h.OH) > maxOH {
		return header{}, nil, false
	}
	live = map[noted]bool{}
	for {
		var e entry
		if !readFrame(r, &e) {
			return h, live, true
		}
		fh, err := nfs3.MakeFH(e.FH)
		switch n := (noted{fh, e.Svid}); {
		case err != nil:
		case e.Gone:
			delete(live, n)
		default:
			live[n] = true
		}
	}
}

// maxOH is the longest oh that is believed to be one of ours.
const maxOH = 128
