package client

import (
	"errors"

	"github.com/gonfs/gonfs/nfs3"
)

// A handle that the server does not know any more is answered with
// NFS3ERR_STALE: the object was removed, or replaced by a rename, on another
// machine. The cure is to look the name up again, which only the owner of a
// path can do: the kernel walks it again when FUSE answers ESTALE, and the
// methods of FS that take paths do so once. Here everything is forgotten that
// would lead them to the same handle again.

// isStale reports whether err says that a handle is good for nothing.
func isStale(err error) bool {
	return errors.Is(err, nfs3.ErrStale) || errors.Is(err, nfs3.ErrBadhandle)
}

// failed returns err, the error of a call about ino, after forgetting what
// turned out to be wrong.
func (fs *FS) failed(ino *Inode, err error) error {
	if !isStale(err) {
		return err
	}
	ino.mu.Lock()
	ino.cache.expire()
	dir, name := ino.parent, ino.name
	ino.mu.Unlock()
	if dir != nil {
		dir.mu.Lock()
		if p, ok := dir.names.m[name]; ok && p.Value() == ino {
			dir.names.forget(name)
		}
		dir.mu.Unlock()
	}
	return err
}
