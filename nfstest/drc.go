package nfstest

import (
	"hash/maphash"
	"sync"

	"github.com/gonfs/gonfs/nfs3"
)

// drcEntries is how many replies the cache keeps: as many as nfs-ganesha does
// for a connection.
const drcEntries = 1024

// drc is the duplicate-request cache: the replies of calls that must not be
// executed twice, by source address, port, XID and checksum, as nfs-ganesha
// keys them. A client that comes back from another port misses it.
type drc struct {
	mu      sync.Mutex // guards the rest, entries included
	seed    maphash.Seed
	entries map[drcKey]*drcEntry
	order   []drcKey // the oldest first
}

type drcKey struct {
	from string
	xid  uint32
	sum  uint64
}

type drcEntry struct {
	cache *drc
	ready bool
	reply reply
}

// enter returns the entry of a call, and whether the call is to be executed:
// it is new, or not worth caching.
func (d *drc) enter(s *Server, c *Call) (e *drcEntry, first bool) {
	if s.o.NoDRC || c.Program != nfs3.Program || c.Proc >= uint32(len(nfs3.Procs)) || nfs3.Procs[c.Proc].Idempotent {
		return &drcEntry{cache: d}, true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.entries == nil {
		d.entries, d.seed = make(map[drcKey]*drcEntry), maphash.MakeSeed()
	}
	k := drcKey{c.Network + c.Remote.String(), c.XID, maphash.Bytes(d.seed, c.msg)}
	if e := d.entries[k]; e != nil {
		return e, false
	}
	if len(d.order) >= drcEntries {
		delete(d.entries, d.order[0])
		d.order = d.order[1:]
	}
	e = &drcEntry{cache: d}
	d.entries[k] = e
	d.order = append(d.order, k)
	return e, true
}

// done stores the reply.
func (e *drcEntry) done(r reply) {
	e.cache.mu.Lock()
	e.ready, e.reply = true, r
	e.cache.mu.Unlock()
}

// wait returns the stored reply. While the call is still being executed there
// is none: the first copy will be answered.
func (e *drcEntry) wait(s *Server, c *Call) (reply, bool) {
	e.cache.mu.Lock()
	defer e.cache.mu.Unlock()
	if e.ready {
		s.note("reply from the duplicate-request cache: " + c.String())
	}
	return e.reply, e.ready
}

// clear forgets everything.
func (d *drc) clear() {
	d.mu.Lock()
	d.entries, d.order = nil, nil
	d.mu.Unlock()
}
