package client

import (
	"sync/atomic"
	"time"

	"github.com/gonfs/gonfs/nfs3"
)

// costs is how long WRITEs and COMMITs of a mount take: moving averages in
// nanoseconds, of which 0 is not known yet.
type costs struct {
	write, commit atomic.Int64
	most, slack   time.Duration // mostWrite and commitSlack
}

// costWeight is the weight of what was known, one measurement having 1.
const costWeight = 7

// wrote notes a WRITE that was answered.
func (c *costs) wrote(took time.Duration, how nfs3.StableHow) {
	note(&c.write, took)
	if how == nfs3.FileSync {
		c.commit.CompareAndSwap(0, 1) // it needs none
	}
}

// committed notes a COMMIT that was answered.
func (c *costs) committed(took time.Duration) { note(&c.commit, took) }

func note(avg *atomic.Int64, took time.Duration) {
	if old := avg.Load(); old > 0 {
		took = (costWeight*time.Duration(old) + took) / (costWeight + 1)
	}
	avg.Store(max(int64(took), 1)) // of two at once one may be forgotten
}

// unknown reports whether there was no COMMIT yet.
func (c *costs) unknown() bool { return c.commit.Load() == 0 }

const (
	mostWrite   = 10 * time.Millisecond
	commitSlack = 500 * time.Microsecond
)

// cheap reports whether data is safe about as soon as it is written, so that
// writers may as well wait for both. A COMMIT waits behind the WRITEs that are
// on their way, so it takes about their time even if it costs nothing. A way
// that is long wants more in flight than writers that wait can give it.
func (c *costs) cheap() bool {
	write, commit := time.Duration(c.write.Load()), time.Duration(c.commit.Load())
	return write > 0 && commit > 0 && write <= c.most && commit <= 2*write+c.slack
}
