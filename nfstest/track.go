package nfstest

import (
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/gonfs/gonfs/nfs3"
)

// trackedXIDs is how many of a link's last calls are remembered.
const trackedXIDs = 4096

// tracker knows what a client has outstanding on a link, from its point of
// view: a call whose reply was lost is outstanding still.
type tracker struct {
	mu    sync.Mutex // guards the rest
	seed  maphash.Seed
	calls map[uint32]uint64 // XID → checksum of the call
	order []uint32          // the oldest first
	// writes are the outstanding WRITEs by XID.
	writes map[uint32]writing
}

// writing is an outstanding WRITE.
type writing struct {
	fh nfs3.FH
	span
}

// arrived checks a call and remembers it.
func (t *tracker) arrived(l *link, c *Call) {
	if l.s.o.Lax {
		return
	}
	l.check(c)
	l.s.lockArrived(c)
	reused, other := t.remember(c)
	if reused {
		l.s.violate(XIDReused, c, fmt.Sprintf("XID %08x was another call's", c.XID))
	}
	if other != nil {
		l.s.violate(Overlap, c, fmt.Sprintf("bytes %d to %d are being written", other.lo, other.hi))
	}
}

// remember returns whether the call's XID was that of another call, and an
// outstanding WRITE that overlaps this one.
func (t *tracker) remember(c *Call) (reused bool, other *writing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calls == nil {
		t.calls, t.writes, t.seed = make(map[uint32]uint64), make(map[uint32]writing), maphash.MakeSeed()
	}
	sum := maphash.Bytes(t.seed, c.msg)
	was, known := t.calls[c.XID]
	t.calls[c.XID] = sum
	if !known {
		if len(t.order) >= trackedXIDs {
			delete(t.calls, t.order[0])
			t.order = t.order[1:]
		}
		t.order = append(t.order, c.XID)
	}
	a, ok := c.Args.(*nfs3.WriteArgs)
	if known && was == sum || !ok {
		return known && was != sum, nil
	}
	w := writing{a.File, span{a.Offset, a.Offset + uint64(a.Count)}}
	for _, x := range t.writes {
		if x.fh == w.fh && x.lo < w.hi && w.lo < x.hi {
			other = &x
		}
	}
	t.writes[c.XID] = w
	return known, other
}

// answered says that the reply of c is being sent.
func (t *tracker) answered(c *Call) {
	t.mu.Lock()
	delete(t.writes, c.XID)
	t.mu.Unlock()
}
