package client

import (
	"context"
	"syscall"
)

// Append writes p at the end of the file and returns the offset at which it
// went: the end of what this client has written or, if that is larger, the
// size that the server tells. NFS version 3 has no atomic append: writers on
// other clients need a lock to keep their lines apart, and Append asks the
// server for the size each time the cached attributes may be old. Calls on one
// file take turns. Errors are those of WriteAt; waiting for a turn ends with
// ctx.
func (f *File) Append(ctx context.Context, p []byte) (n int, off int64, err error) {
	if !f.writable() {
		return 0, 0, syscall.EBADF
	}
	if err := f.ino.data().appendTurn(ctx); err != nil {
		return 0, 0, err
	}
	defer f.ino.data().appendDone()
	end := f.ino.dirtyEnd()
	if end == 0 { // while data is dirty here, the server's size is not the file's
		a, err := f.fs.Getattr(ctx, f.cred, f.ino)
		if err != nil {
			return 0, 0, err
		}
		end = a.Size
	} else {
		end = max(end, f.fs.size(f.ino))
	}
	n, err = f.WriteAt(ctx, p, int64(end))
	return n, int64(end), err
}

// appendTurn waits until no other Append of the inode is under way, and no
// change of its size.
func (d *fileData) appendTurn(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.waitLocked(ctx, func() bool { return !d.appending && d.cutting == 0 }); err != nil {
		return err
	}
	d.appending = true
	return nil
}

func (d *fileData) appendDone() {
	d.mu.Lock()
	d.appending = false
	d.noteLocked()
	d.mu.Unlock()
}
