package client

import "context"

// Sync sends and commits all dirty data of the file system, and returns the
// first error: data that was lost, or the cause of ctx if that ended first.
// Errors are told to the open files all the same.
func (fs *FS) Sync(ctx context.Context) error {
	if lost := fs.saveAll(ctx); len(lost) > 0 {
		return &UnsavedError{lost}
	}
	return nil
}

// DirtyBytes returns how many bytes are not safe on the server yet.
func (fs *FS) DirtyBytes() uint64 {
	used, _ := fs.wb.budget.figures()
	return used
}
