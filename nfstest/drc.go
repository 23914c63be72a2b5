package nfstest

import (
	"hash/maphash"
	"sync"

	"github.com/gonfs/gonfs/nfs3"
)

// drcEntries is how many replies the cache keeps: as many as nfs-ganesha does
// for a connection.
const drcEntries = 1024

// drcSum is how many bytes of a call are in its checksum: as many as Linux's
// nfsd takes, so that long WRITEs cost no more than short ones.
const drcSum = 256

// drc is the duplicate-request cache: the replies of calls that must not be
// executed twice, by source address, port, XID, length and checksum, as Linux's
// nfsd and nfs-ganesha key them. A client that comes back from another port
// misses it.
type drc struct {
	mu      sync.Mutex // guards the rest, entries included
	seed    maphash.Seed
	entries map[drcKey]*drcEntry
	order   []drcKey // the oldest first
}

type drcKey struct {
	from string
	xid  uint32
	size int
	sum  uint64
}

type drcEntry struct {
	cache *drc
	ready bool
	reply reply
}

// cached reports whether the reply of a call is kept: of what is not idempotent
// and of WRITE, as in Linux's nfsd (pc_cachetype in nfs3proc.c). A WRITE that is
// executed twice does no harm, unless the second time comes late, over newer
// bytes.
func cached(c *Call) bool {
	return c.Program == nfs3.Program && c.Proc < uint32(len(nfs3.Procs)) &&
		(c.Proc == nfs3.ProcWrite || !nfs3.Procs[c.Proc].Idempotent)
}

// enter returns the entry of a call, and whether the call is to be executed:
// it is new, or not worth caching.
func (d *drc) enter(s *Server, c *Call) (e *drcEntry, first bool) {
	if s.o.NoDRC || !cached(c) {
		return &drcEntry{cache: d}, true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.entries == nil {
		d.entries, d.seed = make(map[drcKey]*drcEntry), maphash.MakeSeed()
	}
	head := c.msg[:min(len(c.msg), c.argsAt+drcSum)]
	k := drcKey{c.Network + c.Remote.String(), c.XID, len(c.msg), maphash.Bytes(d.seed, head)}
	if e := d.entries[k]; e != nil {
		return e, false
	}
	d.makeRoomLocked()
	e = &drcEntry{cache: d}
	d.entries[k] = e
	d.order = append(d.order, k)
	return e, true
}

// makeRoomLocked forgets the oldest reply. Calls that are being executed stay:
// there are at most as many as workers.
func (d *drc) makeRoomLocked() {
	if len(d.order) < drcEntries {
		return
	}
	for range len(d.order) {
		k := d.order[0]
		d.order = d.order[1:]
		if d.entries[k].ready {
			delete(d.entries, k)
			return
		}
		d.order = append(d.order, k)
	}
}

// done stores the reply.
func (e *drcEntry) done(r reply) {
	e.cache.mu.Lock()
	e.ready, e.reply = true, r
	e.cache.mu.Unlock()
}

// again returns the stored reply. While the call is still being executed there
// is none, and its copy is dropped, as by Linux's nfsd (RC_DROPIT in
// nfscache.c): the first copy will be answered. If that goes to a connection
// that is dead, the client gets the reply at its next retransmission.
func (e *drcEntry) again(s *Server, c *Call) (reply, bool) {
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
