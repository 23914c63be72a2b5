package client

import (
	"context"
	"fmt"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// A write and a change of the file's size exclude each other, as on a local file
// system. If they did not, who had his data saved by an fsync could see the next
// bytes that he writes go with a truncation from before it, whose reply is late.

// beginCut has writes wait until endCut. It waits for an Append, which has looked
// where the file ends, and has the next ones wait; but not for other writes: what
// they have made dirty is there before the change.
func (d *fileData) beginCut(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cutting++
	err := d.waitLocked(ctx, func() bool { return !d.appending })
	if err != nil {
		d.endCutLocked()
	}
	return err
}

// cutLocked reports whether writes wait for a change of the size. While there is an
// Append under way, that waits for them.
func (d *fileData) cutLocked() bool { return d.cutting > 0 && !d.appending }

// setSize is setattr of a size, too. The server may execute a SETATTR that was sent
// whenever it likes, though its caller has given up: what would have become safe by
// then would be cut. So writes wait until it is answered.
func (fs *FS) setSize(ctx context.Context, cred *rpc.Cred, ino *Inode, s nfs3.Sattr) (nfs3.Fattr, error) {
	d := ino.data()
	if err := d.beginCut(ctx); err != nil {
		return nfs3.Fattr{}, err
	}
	if err := fs.flush(ctx, ino); err != nil { // as in Setattr
		d.endCut()
		return nfs3.Fattr{}, err
	}
	var (
		a             nfs3.Fattr
		err           error
		waited, leave = context.WithCancel(fs.life)
		done          = make(chan struct{})
	)
	defer leave() // what the server has refused for now (JUKEBOX) is not asked again

	fs.goroutine(func() { // ends with the SETATTR, or with the file system's life
		a, err = fs.setattr(waited, fs.life, cred, ino, &s)
		d.endCut()
		close(done)
	})
	if rpc.Wait(ctx, done) != nil {
		return nfs3.Fattr{}, fmt.Errorf("nfs3: SETATTR: %w", rpc.Why(ctx))
	}
	return a, err
}

func (d *fileData) endCut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.endCutLocked()
}

func (d *fileData) endCutLocked() {
	d.cutting--
	d.noteLocked()
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
