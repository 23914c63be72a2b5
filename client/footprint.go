package client

import (
	"runtime"
	"sync/atomic"
)

// Footprint is what an FS keeps in memory, with the most that it will be. What
// grows with the use that is made of the FS is bounded: it forgets what was used
// least recently, stops reading ahead, or has writers wait.
type Footprint struct {
	// Inodes are the objects that are known. Those in use (by the kernel, an
	// open file, or a caller) are as many as the users want; the others, Kept of
	// them, may be needed again, and are at most KeptLimit.
	Inodes, Kept, KeptLimit int
	// Names are the cached entries of directories, missing ones included. Beyond
	// NamesLimit a directory that learns one forgets another.
	Names, NamesLimit int64
	// Listed are the entries that open directories remember, for Seek and for
	// starting over, 8 to 16 bytes each. Beyond ListedLimit no more are.
	Listed, ListedLimit int64
	// Ahead is how many bytes were asked for ahead of AheadFiles readers, at
	// most AheadLimit.
	AheadFiles        int
	Ahead, AheadLimit uint64
	// Dirty is how many bytes are not safe on the server yet. A writer who would
	// make it more than DirtyLimit waits.
	Dirty, DirtyLimit uint64
}

// Footprint returns what fs keeps in memory now.
func (fs *FS) Footprint() Footprint {
	f := Footprint{
		KeptLimit: tableShards * shardLimit,
		Names:     fs.namesHeld.Load(), NamesLimit: maxNames,
		Listed: fs.listed.Load(), ListedLimit: maxListed,
		AheadFiles: int(fs.raFiles.Load()),
	}
	f.Inodes, f.Kept = fs.table.count()
	f.Ahead, f.AheadLimit = fs.raBudget.figures()
	f.Dirty, f.DirtyLimit = fs.wb.budget.figures()
	return f
}

// share is what one owner has of a total. It goes when the owner is collected as
// garbage.
type share struct {
	n     atomic.Int64
	total *atomic.Int64
}

func shareOf[T any](owner *T, total *atomic.Int64) *share {
	s := &share{total: total}
	runtime.AddCleanup(owner, func(s *share) { s.total.Add(-s.n.Load()) }, s)
	return s
}

func (s *share) add(n int) {
	s.n.Add(int64(n))
	s.total.Add(int64(n))
}
