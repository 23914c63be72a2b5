package client

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// Reads that several callers make of one file, each where the last one ends, are
// merged into one READ, whose data goes straight to the memory of all. The block
// layer of a kernel does that with the requests of a plug. 64 KiB reads, 16 at
// once, are 15 to 25 % faster so on loopback, and the server has an eighth of the
// READs.
//
// A read waits for others only while callers that were answered together are
// being told of it (a relay), and come back one after another with their next
// reads: some microseconds each, as long as there is a processor for them. So
// nobody waits for a reader that may not come, and a reader by itself waits for
// nobody; what is ahead of him is read anyway. Half of a file's readers make a
// READ, so that the server is never without one.
//
// Only a read that goes on where the file's last one ended begins such a READ, and
// only one that goes on where that ends joins it: random reads, and those of
// O_DIRECT, are READs of their own. Over UDP replies come one by one, and nothing
// is merged.

const (
	// maxMerged is how many reads make one READ, which one system call receives.
	maxMerged = transport.MaxScatter
	// maxEnds is how many relays may end until a READ leaves, if there is always
	// another one.
	maxEnds = 4
	// maxShort is how many merged READs in a row may be answered with less than was
	// asked for, or refused: by then it is what the server does.
	maxShort = 16
)

// merger merges the reads of a file system.
type merger struct {
	relays atomic.Int32 // under way
	ended  atomic.Uint32
	shorts atomic.Int32           // in a row
	open   atomic.Pointer[merged] // what a read may join; changed under mu
	mu     sync.Mutex
	pool   sync.Pool // of *merged
	isOver func()    // over
}

// init has m told of the relays of c, until remove is called.
func (m *merger) init(c *rpc.Client) (remove func()) {
	m.isOver = m.over
	return c.OnRelay(m.begins)
}

// begins notes a relay, and returns what notes its end.
func (m *merger) begins() (over func()) {
	m.relays.Add(1)
	return m.isOver
}

// over notes the end of a relay. The last one to come back shall have a part in
// the READ: a goroutine that is made now mostly runs when its maker waits. If it
// comes so late that what it is to send is over, and is in use again, that leaves
// early.
func (m *merger) over() {
	ended, left := m.ended.Add(1), m.relays.Add(-1)
	if g := m.open.Load(); g != nil && (left == 0 || int32(ended-g.opened.Load()) >= maxEnds) {
		go m.send(g) // ends with the READ, which ends when nobody waits for it
	}
}

// mergeable tells how a read may be merged with others.
type mergeable uint8

const (
	mergeAlone  mergeable = iota // not at all: it is by itself, or random
	mergeMember                  // it may join others
	mergeFirst                   // it may be the first, too: it goes on where the last one ended
)

// wants reports whether a read of n bytes shall be merged with others now.
func (m *merger) wants(n, rsize int, how mergeable) bool {
	switch {
	case how == mergeAlone, n > rsize/2, m.shorts.Load() >= maxShort:
		return false
	case m.open.Load() != nil:
		return true
	}
	return how == mergeFirst && m.relays.Load() > 0
}

// read reads len(p) bytes at off, as FS.readDirect does, with others if there are
// any.
func (m *merger) read(ctx context.Context, f *File, p []byte, off uint64, how mergeable) (n int, err error) {
	g, i, at := m.join(f, p, off, how)
	if g == nil {
		return f.fs.readDirect(ctx, f, p, off)
	}
	if err := rpc.Wait(ctx, g.turn); err != nil {
		if !m.leave(g, i) {
			<-g.turn // soon
			m.pass(g)
		}
		return 0, fmt.Errorf("nfs3: READ: %w", rpc.Why(ctx)) // as that of a READ of its own
	}
	n, whole, err := g.share(at, len(p))
	m.pass(g)
	if whole || err != nil {
		return n, err
	}
	rest, err := f.fs.readDirect(ctx, f, p[n:], off+uint64(n))
	return n + rest, err
}

// join makes a read part of a READ that has not left yet, the ith, at the byte at;
// g is nil if it is to be made by itself.
func (m *merger) join(f *File, p []byte, off uint64, how mergeable) (g *merged, i, at int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch g = m.open.Load(); {
	case g == nil:
		if how != mergeFirst {
			return nil, 0, 0
		}
		g = m.openLocked(f, off)
		if m.relays.Load() == 0 { // nobody would send it
			m.open.Store(nil)
			g.f = nil
			m.pool.Put(g)
			return nil, 0, 0
		}
		g.sink.Reset(p)
	case g.f != f || g.off+uint64(g.size) != off || g.size+len(p) > int(f.fs.rsize):
		return nil, 0, 0
	default:
		g.sink.Add(p)
	}
	i, at = g.parts, g.size
	g.parts, g.size, g.left = g.parts+1, g.size+len(p), g.left+1
	if g.parts == maxMerged || g.parts >= (int(f.ra.readers.Load())+1)/2 {
		m.open.Store(nil)
		go g.run(m) // ends with the READ, which ends when nobody waits for it
	}
	return g, i, at
}

// openLocked begins a READ that others may join.
func (m *merger) openLocked(f *File, off uint64) *merged {
	g, ok := m.pool.Get().(*merged)
	if !ok {
		g = &merged{turn: make(chan struct{}, 1), stop: make(chan struct{})}
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

// leave ends the wait of g's ith member, whose memory is its own again, and reports
// true; unless there is a reply, and the members have their turns. The READ goes on
// for the others, if there are any.
func (m *merger) leave(g *merged, i int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g.told {
		return false
	}
	g.sink.Drop(i)
	if g.left--; g.left == 0 {
		close(g.stop)
		m.open.CompareAndSwap(g, nil)
	}
	return true
}

// tell says that there is a reply, and reports whether anybody waits for it.
func (m *merger) tell(g *merged) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	g.told = true
	return g.left > 0
}

// pass ends a member's turn.
func (m *merger) pass(g *merged) {
	m.mu.Lock()
	g.left--
	left := g.left
	m.mu.Unlock()
	if left > 0 {
		g.turn <- struct{}{}
		return
	}
	if g.err == nil { // a reader may have been about to fill the sink otherwise
		g.f, g.size, g.parts, g.told = nil, 0, 0, false
		m.pool.Put(g)
	}
	m.over()
}
