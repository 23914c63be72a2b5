package fuse

import (
	"sync"
	"time"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/nfs3"
)

// keeper decides at each open whether the pages that the kernel has of a file
// or directory are still good (FOPEN_KEEP_CACHE). It remembers the size and
// mtime that the file had when its pages were last known to be good; our own
// changes move them along, and a change by others makes it forget them. (ctime
// does not count: chmod, link and rename leave the data alone.)
type keeper struct {
	mu      sync.Mutex // guards all below
	known   bool
	sig     signature
	version uint64    // client.Inode.Version then: the callback that calls changed comes a moment later
	epoch   uint64    // changes by others that were heard of
	since   time.Time // when the pages were last dropped, so that they were read later
	dropped uint64    // client.Inode.Version up to which the kernel was told to drop everything
}

// signature is what is compared of the attributes of a file.
type signature struct {
	size  uint64
	mtime nfs3.Time
}

func signatureOf(a *nfs3.Fattr) signature { return signature{a.Size, a.Mtime} }

// opened reports whether the pages may be kept, given the attributes and the
// version of the inode at this open. The kernel drops them otherwise, so that
// they are good from now on.
func (k *keeper) opened(a *nfs3.Fattr, version uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	sig := signatureOf(a)
	same := k.known && k.sig == sig && k.version == version
	k.known, k.sig, k.version = true, sig, version
	if !same {
		k.since = time.Now()
	}
	return same
}

// listed is opened for a directory, whose pages are entries. They may be kept
// for as long as the attributes count that came with them: then the listing is
// asked for again, which is one call for many entries, rather than each of them
// by one of its own.
func (k *keeper) listed(a *nfs3.Fattr, version uint64, age time.Duration) bool {
	if !k.opened(a, version) {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.since) < age {
		return true
	}
	k.since = time.Now()
	return false
}

// changed notes that others changed the file.
func (k *keeper) changed() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known = false
	k.epoch++
}

// tell has the kernel told, by drop, that others changed the file up to
// version, unless it was told before.
func (k *keeper) tell(version uint64, drop func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if version > k.dropped {
		k.dropped = version
		drop()
	}
}

// state is taken before a change of our own.
func (k *keeper) state() (epoch uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.epoch
}

// ours notes the attributes after a change of our own that began at epoch.
func (k *keeper) ours(epoch uint64, a *nfs3.Fattr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known && k.epoch == epoch {
		k.sig = signatureOf(a)
	}
}

// mayHavePages reports whether the kernel may have pages of the file.
func (k *keeper) mayHavePages() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known
}

// current returns the attributes of ino if they are fresh without asking the
// server: under noac, and while data is dirty here, they are not.
func (r *raw) current(w *waiter, ino *client.Inode) (nfs3.Fattr, bool) {
	if r.fs.AttrTimeout(ino) == 0 {
		return nfs3.Fattr{}, false
	}
	a, err := r.fs.Getattr(w, r.own, ino)
	return a, err == nil
}
