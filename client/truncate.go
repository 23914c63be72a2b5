package client

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
)

// A write and a change of the file's size exclude each other, as on a local file
// system. If they did not, who had his data saved by an fsync could see the next
// bytes that he writes go with a truncation from before it, whose reply is late.

// beginCut has writes wait until endCut. It waits for an Append, which has looked
// where the file ends, but not for other writes: what they have made dirty is
// there before the change.
func (d *fileData) beginCut(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.waitLocked(ctx, func() bool { return !d.appending }); err != nil {
		return err
	}
	d.cutting++
	return nil
}

func (d *fileData) endCut() {
	d.mu.Lock()
	d.cutting--
	d.noteLocked()
	d.mu.Unlock()
}

// waitLocked waits until ready, letting go of the mutex meanwhile. ready may
// change with each change of state.
func (d *fileData) waitLocked(ctx context.Context, ready func() bool) error {
	for !ready() {
		ch := d.changeLocked()
		d.mu.Unlock()
		err := rpc.Wait(ctx, ch)
		d.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}

// resized notes that a call of ours made ino size bytes long. What is dirty was
// written after that.
func (fs *FS) resized(ino *Inode, size uint64) {
	fs.dropReadahead(ino)
	ino.mu.Lock()
	ino.cache.floor = min(ino.cache.floor, size)
	ino.cache.attr.Size = size
	ino.mu.Unlock()
}
