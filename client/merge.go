package client

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Reads that several callers make of one file, each where the last one ends, are
// merged into one READ, whose data goes straight to the memory of all. The
// block layer of a kernel does that with the requests of a plug. 64 KiB
// reads, 16 at once, are 5 to 25 % faster so on loopback, and the server has an
// eighth of the READs.
//
// A read waits for others only while callers that were answered together are
// being told of it (a relay), and come back one after another with their next
// reads: some microseconds each. So nobody waits for a reader that may not come,
// and a reader by itself waits for nobody; what is ahead of him is read anyway.
// Half of a file's readers make a READ, so that the server is never without one.
// Random reads and those of O_DIRECT are never merged.

const (
	// maxMerged is how many reads make one READ: as many slices as one system
	// call fills.
	maxMerged = 8
	// maxEnds is how many relays may end until a READ leaves, if there is always
	// another one.
	maxEnds = 4
	// maxShort is how many merged READs may be answered with less than was asked
	// for: by then it is what the server does.
	maxShort = 16
)

// merger merges the reads of a file system.
type merger struct {
	relays atomic.Int32 // under way
	ended  atomic.Uint32
	shorts atomic.Int32
	open   atomic.Pointer[merged] // what a read may join; changed under mu
	mu     sync.Mutex
	pool   sync.Pool // of *merged
	isOver func()    // over
}

func (m *merger) init(c *rpc.Client) {
	m.isOver = m.over
	c.OnRelay(m.begins)
}

// begins notes a relay, and returns what notes its end.
func (m *merger) begins() (over func()) {
	m.relays.Add(1)
	return m.isOver
}

// over notes the end of a relay. The last one to come back shall have a part in
// the READ: a goroutine that is made now mostly runs when its maker waits.
func (m *merger) over() {
	ended, left := m.ended.Add(1), m.relays.Add(-1)
	if g := m.open.Load(); g != nil && (left == 0 || ended-g.opened.Load() >= maxEnds) {
		go m.send(g) // ends with the READ, which its members wait for
	}
}

// wants reports whether a read of n bytes may be merged with others.
func (m *merger) wants(n, rsize int) bool {
	return n <= rsize/2 && (m.open.Load() != nil || m.relays.Load() > 0) && m.shorts.Load() < maxShort
}

// read reads len(p) bytes at off, as FS.readDirect does, with others if there are
// any.
func (m *merger) read(ctx context.Context, f *File, p []byte, off uint64) (n int, err error) {
	g, at := m.join(f, p, off)
	if g == nil {
		return f.fs.readDirect(ctx, f, p, off)
	}
	if err := rpc.Wait(ctx, g.turn); err != nil {
		m.giveUp(g)
		<-g.turn // soon: now p is the caller's again
		g.pass(m)
		return 0, err
	}
	n, whole, err := g.share(at, len(p))
	g.pass(m)
	if whole || err != nil {
		return n, err
	}
	rest, err := f.fs.readDirect(ctx, f, p[n:], off+uint64(n))
	return n + rest, err
}

// join makes a read part of a READ that has not left yet, and returns where it is
// in there; nil if it is to be made by itself.
func (m *merger) join(f *File, p []byte, off uint64) (g *merged, at int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch g = m.open.Load(); {
	case g == nil:
		g = m.openLocked(f, off)
		if m.relays.Load() == 0 { // nobody would send it
			m.open.Store(nil)
			return nil, 0
		}
	case g.f != f || g.off+uint64(g.size) != off || g.size+len(p) > int(f.fs.rsize):
		return nil, 0
	}
	at = g.size
	g.parts = append(g.parts, p)
	g.size += len(p)
	if n := len(g.parts); n == maxMerged || n >= (int(f.ra.readers.Load())+1)/2 {
		m.open.Store(nil)
		go g.run(m) // ends with the READ, which its members wait for
	}
	return g, at
}

func (m *merger) openLocked(f *File, off uint64) *merged {
	g, ok := m.pool.Get().(*merged)
	if !ok {
		g = &merged{turn: make(chan struct{}, 1), stop: make(chan struct{})}
		g.parts = g.space[:0]
	}
	g.f, g.off = f, off
	g.opened.Store(m.ended.Load())
	m.open.Store(g)
	return g
}

// send has g leave, if it has not left.
func (m *merger) send(g *merged) {
	m.mu.Lock()
	mine := m.open.Load() == g
	if mine {
		m.open.Store(nil)
	}
	m.mu.Unlock()
	if mine {
		g.run(m)
	}
}

// giveUp ends g's READ: a member does not wait any more, and wants its memory.
func (m *merger) giveUp(g *merged) {
	m.mu.Lock()
	if !g.stopped {
		g.stopped = true
		close(g.stop)
	}
	m.mu.Unlock()
	m.send(g)
}

// merged is a READ for several reads, its members. It is the context of the READ,
// too: that ends when a member gives up, and then the others read by themselves.
type merged struct {
	f      *File
	off    uint64
	size   int           // of parts, in bytes
	parts  [][]byte      // the members' memory, in order
	opened atomic.Uint32 // merger.ended when it was
	space  [maxMerged][]byte

	turn    chan struct{} // goes from member to member once there is a reply
	left    atomic.Int32  // who have not had their turn
	stop    chan struct{}
	stopped bool // stop is closed; guarded by merger.mu

	args  nfs3.ReadArgs
	reply nfs3.ReadReply
	err   error
}

// run makes the READ, and tells its members: one after another, which is a relay
// of its own.
func (g *merged) run(m *merger) {
	f := g.f
	g.left.Store(int32(len(g.parts)))
	g.args = nfs3.ReadArgs{Offset: g.off, Count: uint32(g.size)}
	g.err = f.fs.about(g, f.cred, f.ino, func() error {
		g.args.File = f.ino.FH()
		st := f.fs.begin(f.ino)
		err := f.fs.nfs.Readv(g, f.cred, &g.args, &g.reply, g.parts)
		if answered(err) {
			f.fs.applyAttr(f.ino, st, &g.reply.Attr)
		}
		return err
	})
	if g.err == nil && !g.reply.EOF && g.reply.Count < g.args.Count {
		m.shorts.Add(1)
	}
	m.begins()
	g.turn <- struct{}{}
}

// share returns how many of the want bytes at at have come, and whether these are
// all that there are.
func (g *merged) share(at, want int) (n int, whole bool, err error) {
	if g.err != nil {
		var status *nfs3.Error
		if errors.As(g.err, &status) || errors.Is(g.err, context.Canceled) {
			return 0, false, nil // it may be about another's part
		}
		return 0, false, g.err
	}
	n = min(max(int(g.reply.Count)-at, 0), want)
	return n, n == want || g.reply.EOF, nil
}

// pass ends a member's turn.
func (g *merged) pass(m *merger) {
	if g.left.Add(-1) > 0 {
		g.turn <- struct{}{}
		return
	}
	m.mu.Lock()
	stopped := g.stopped
	m.mu.Unlock()
	if !stopped {
		clear(g.space[:])
		g.f, g.size, g.parts, g.err = nil, 0, g.space[:0], nil
		m.pool.Put(g)
	}
	m.over()
}
