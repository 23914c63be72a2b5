package client

import (
	"errors"

	"github.com/gonfs/gonfs/nfs3"
)

// A handle that the server does not know any more is answered with
// NFS3ERR_STALE: the object was removed, or replaced by a rename, on another
// machine. The cure is to look the name up again, which only the owner of a
// path can do: the kernel walks it again when FUSE answers ESTALE, and the
// methods of Tree do so once. Here it is made sure that they come to another
// handle then.

// isStale reports whether err says that a handle is good for nothing.
func isStale(err error) bool {
	return errors.Is(err, nfs3.ErrStale) || errors.Is(err, nfs3.ErrBadhandle)
}

// failed returns err, the error of a call about ino. A handle that turned out
// to be stale loses its attributes, so that the next Lookup of its name asks
// the server.
func (fs *FS) failed(ino *Inode, err error) error {
	if isStale(err) {
		ino.mu.Lock()
		ino.cache.expire()
		ino.mu.Unlock()
	}
	return err
}
