package client

import (
	"sync/atomic"
	"time"

	"github.com/gonfs/gonfs/nfs3"
)

// serverClock is what is known of the server's clock: that it is not before
// any ctime that the server has told, for the server itself sets these. Nothing
// is assumed of our own clock but that it goes on.
type serverClock struct {
	start  time.Time    // what our clock counts from
	newest atomic.Int64 // ctime, ns since 1970
	ahead  atomic.Int64 // by how much it was ahead of our clock when it was told, ns
}

func (c *serverClock) ours() int64 { return int64(time.Since(c.start)) }

// now is time.Now for what is compared with other times of this file system
// only. It costs half, as it does not read the wall clock.
func (c *serverClock) now() time.Time { return c.start.Add(time.Since(c.start)) }

func nanoseconds(t nfs3.Time) int64 { return int64(t.Sec)*1e9 + int64(t.Nsec) }

// saw notes a ctime in a reply that has just come.
func (c *serverClock) saw(ctime nfs3.Time) {
	ns := nanoseconds(ctime)
	if ns <= c.newest.Load() {
		return
	}
	c.newest.Store(ns) // two at a time: either is true
	for ahead := ns - c.ours(); ; {
		old := c.ahead.Load()
		if ahead <= old && old != 0 || c.ahead.CompareAndSwap(old, ahead) {
			return
		}
	}
}

// age returns for how long at least an object has had its ctime.
func (c *serverClock) age(ctime nfs3.Time) time.Duration {
	if c.newest.Load() == 0 {
		return 0
	}
	return max(0, time.Duration(c.ahead.Load()+c.ours()-nanoseconds(ctime)))
}
