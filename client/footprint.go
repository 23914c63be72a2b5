package client

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
		AheadFiles: int(fs.raFiles.Load()),
	}
	f.Inodes, f.Kept = fs.table.count()
	f.Ahead, f.AheadLimit = fs.raBudget.figures()
	f.Dirty, f.DirtyLimit = fs.wb.budget.figures()
	return f
}
