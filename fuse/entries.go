package fuse

import (
	"sync"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/nfs3"
)

// An OPEN names a node, and not the name that it came by. When others have
// renamed a file that the kernel has under its old name, and it turns up here
// under the new one, an open by the old name would find it all the same. So the
// kernel is told to forget the old name as soon as the new one is seen. Until
// it has, an OPEN is answered with ESTALE, at which the kernel walks the path
// again, unless it is the one that the new name was looked up for. A file of
// several names may have both: there nothing is refused, for two processes that
// open it by one name each would have each other refused without end.

// entryName is a name in a directory.
type entryName struct {
	dir  uint64
	name string
}

// sighting is where a file was seen last.
type sighting struct {
	mu     sync.Mutex // guards all below
	at     entryName
	moving int           // old names that the kernel has still to forget
	gone   chan struct{} // closed when moving falls to 0
	finder uint32        // the process that found the new name, and has not opened it yet; 0 is none
	linked bool          // it had several names then
}

// seen notes the name of an entry that the kernel is told of, on behalf of
// process pid, and returns the name before, if that was another. links is how
// many names the file has.
func (s *sighting) seen(at entryName, pid, links uint32) (old entryName, moved bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.linked = links > 1
	old, moved = s.at, s.at.name != "" && s.at != at
	s.at = at
	if moved {
		if s.moving++; s.moving == 1 {
			s.gone = make(chan struct{})
		}
		s.finder = pid
	}
	return old, moved
}

// forgotten notes that the kernel has forgotten one old name.
func (s *sighting) forgotten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moving--; s.moving == 0 {
		close(s.gone)
		s.finder = 0
	}
}

// settleTime bounds how long an OPEN waits for the kernel to drop what it has
// cached: that may be waiting itself, for a server that is away.
const settleTime = 100 * time.Millisecond

// open reports whether an OPEN by process pid has come by a name that the file
// has now. It waits until the kernel has forgotten the others.
func (s *sighting) open(pid uint32) bool {
	s.mu.Lock()
	if s.moving == 0 || s.linked || s.finder == pid {
		s.finder = 0
		s.mu.Unlock()
		return true
	}
	gone := s.gone
	s.mu.Unlock()
	late := time.NewTimer(settleTime)
	defer late.Stop()
	select {
	case <-gone:
	case <-late.C:
	}
	return false
}

// found notes that the kernel is told of n under a name, on behalf of a
// process, and has it forget the name before. a is what it is told of n.
func (r *raw) found(n, dir *node, name string, pid uint32, a *nfs3.Fattr) {
	if n.ino.Type() != nfs3.TypeReg {
		return // nothing else is opened by its node
	}
	if old, moved := n.seen.seen(entryName{dir.ino.ID(), name}, pid, a.Nlink); moved {
		r.forget.drop(old, n)
	}
}

// renamed notes that the kernel has renamed a file by itself; ino may be nil.
func (r *raw) renamed(ino *client.Inode, dir *node, name string) {
	if ino == nil {
		return
	}
	if n := r.nodes.get(ino.ID()); n != nil {
		n.seen.mu.Lock()
		defer n.seen.mu.Unlock()
		n.seen.at = entryName{dir.ino.ID(), name}
	}
}

// forgetter tells the kernel to forget names. Telling takes the lock of the
// directory, which the kernel holds while it waits for the reply to a LOOKUP or
// CREATE there. So it has a goroutine of its own, and no LOOKUP waits for it.
type forgetter struct {
	mu   sync.Mutex // guards todo; never held while telling
	todo []forget
	wake chan struct{} // holds at most one token
}

// forget is an old name of a node.
type forget struct {
	entryName
	node *node
}

func newForgetter() *forgetter { return &forgetter{wake: make(chan struct{}, 1)} }

// drop makes the kernel ask again what a name means that n had.
func (f *forgetter) drop(old entryName, n *node) {
	f.mu.Lock()
	f.todo = append(f.todo, forget{old, n})
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// run tells the kernel by notify until stop is closed. An entry that the kernel
// does not know (ENOENT) is fine.
func (f *forgetter) run(stop <-chan struct{}, notify func(dir uint64, name string) gofuse.Status) {
	for {
		select {
		case <-stop:
			return
		case <-f.wake:
		}
		f.mu.Lock()
		todo := f.todo
		f.todo = nil
		f.mu.Unlock()
		for _, e := range todo {
			notify(e.dir, e.name)
			e.node.seen.forgotten()
		}
	}
}
