package client

import (
	"strings"
	"time"
	"weak"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// maxNames bounds the cached names of one file system, about 100 bytes each.
// Beyond it, a directory that learns a name forgets another.
const maxNames = 128 << 10

// nameCache is what is known of a directory's names: which object a name
// means, or that there is none. It counts while the directory's attributes do,
// and is dropped when others change the directory; changes of our own are
// entered. It is guarded by its Inode's mutex.
type nameCache struct {
	m     map[string]weak.Pointer[Inode] // the zero pointer: there is no such name
	local uint64                         // generation of the last local change: older answers are not entered
	quiet time.Time                      // since when others are not known to have changed the directory
	count *share

	shared bool // others were seen to change it: quiet is what was seen, not what its ctime says
}

// drop forgets all names.
func (c *nameCache) drop() {
	if c.count != nil {
		c.count.add(-len(c.m))
	}
	c.m = nil
}

// forget forgets one name.
func (c *nameCache) forget(name string) {
	if _, ok := c.m[name]; ok {
		delete(c.m, name)
		c.count.add(-1)
	}
}

// enterNameLocked notes that name means ino in dir, or nothing if ino is nil.
// dir.mu is held.
func (fs *FS) enterNameLocked(dir *Inode, name string, ino *Inode) {
	if fs.lookups == mountopt.LookupNone || ino == nil && fs.lookups == mountopt.LookupPositive {
		dir.names.forget(name)
		return
	}
	c := dir.names
	if c.m == nil {
		c.m = map[string]weak.Pointer[Inode]{}
	}
	if c.quiet.IsZero() {
		c.quiet = time.Now().Add(-fs.clock.age(dir.cache.attr.Ctime)) // what others did before is known by that alone
	}
	if c.count == nil {
		c.count = shareOf(dir, fs.namesHeld)
	}
	if _, ok := c.m[name]; !ok {
		if len(c.m) > 0 && fs.namesHeld.Load() >= maxNames {
			for other := range c.m {
				c.forget(other)
				break
			}
		}
		c.count.add(1)
	}
	if ino == nil {
		c.m[name] = weak.Pointer[Inode]{}
		return
	}
	c.m[name] = weak.Make(ino)
}

// learnName enters what a reply said of name: it means ino, or nothing if ino
// is nil. st is the stamp of the call and a what its reply said of the
// directory: an answer from before a change of the directory is not entered.
func (fs *FS) learnName(dir *Inode, st stamp, a *nfs3.PostOpAttr, name string, ino *Inode) {
	dir.mu.Lock()
	defer dir.mu.Unlock()
	if a.Present && st.gen > dir.names.local && dir.cache.attr.Ctime == a.Attr.Ctime {
		fs.enterNameLocked(dir, name, ino)
	}
}

// changeName is called before and after a call of ours that changes what name
// means in dir: meanwhile nothing is known of it.
func (fs *FS) changeName(dir *Inode, name string) {
	dir.mu.Lock()
	defer dir.mu.Unlock()
	dir.names.forget(name)
	dir.names.local = fs.gen.Add(1)
}

// nameChanged is changeName after the call, when the outcome is known: name
// means ino now, or nothing if ino is nil.
func (fs *FS) nameChanged(dir *Inode, name string, ino *Inode) {
	dir.mu.Lock()
	dir.names.local = fs.gen.Add(1)
	fs.enterNameLocked(dir, name, ino)
	dir.mu.Unlock()
	if ino != nil {
		ino.foundAt(dir, name)
	}
}

// foundAt notes where the object was seen, and returns where it was seen before.
func (n *Inode) foundAt(dir *Inode, name string) (wasIn *Inode, was string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	wasIn, was = n.parent, n.name
	n.parent, n.name = dir, name
	return wasIn, was
}

// toldAt is foundAt for what the server said. If it is another place than
// before, others may have taken the old name away: that is asked again.
func (n *Inode) toldAt(dir *Inode, name string) {
	wasIn, was := n.foundAt(dir, name)
	if wasIn == nil || wasIn == dir && was == name {
		return
	}
	wasIn.mu.Lock()
	defer wasIn.mu.Unlock()
	wasIn.names.forget(was)
}

// cachedName returns what name means in dir without asking the server; nil
// with ok means that there is no such name. cred must have been seen to be
// allowed to search the directory.
//
// That a name is missing is believed only of a directory that others have left
// alone for as long as anything is believed (acdirmax): programs on other
// machines announce new files by other channels, and whoever comes then must
// find them.
func (fs *FS) cachedName(cred *rpc.Cred, dir *Inode, name string) (ino *Inode, ok bool) {
	dir.mu.Lock()
	defer dir.mu.Unlock()
	p, ok := dir.names.m[name]
	if !ok {
		return nil, false
	}
	now := time.Now()
	if !dir.cache.fresh(now) {
		return nil, false
	}
	if granted, known := dir.access.rights(cred, nfs3.AccessLookup); !known || granted == 0 {
		return nil, false
	}
	if p == (weak.Pointer[Inode]{}) {
		if age := fs.clock.age(dir.cache.attr.Ctime); !dir.names.shared && age > now.Sub(dir.names.quiet) {
			dir.names.quiet = now.Add(-age) // the server's time may have become known since
		}
		return nil, now.Sub(dir.names.quiet) >= fs.dir.max
	}
	ino = p.Value()
	return ino, ino != nil
}

// Known returns the object that name meant in dir when it was last heard of,
// without asking the server; nil if there was none, or nothing was heard.
func (fs *FS) Known(dir *Inode, name string) *Inode {
	ino, _ := fs.lastKnown(dir, name)
	return ino
}

// lastKnown returns the object that name meant in dir when it was last heard
// of, however long ago; nil with ok means that there was none.
func (fs *FS) lastKnown(dir *Inode, name string) (ino *Inode, ok bool) {
	if dir.names == nil {
		return nil, false
	}
	dir.mu.Lock()
	defer dir.mu.Unlock()
	p, ok := dir.names.m[name]
	if !ok || p == (weak.Pointer[Inode]{}) {
		return nil, ok
	}
	ino = p.Value()
	return ino, ino != nil
}

// searched notes that the server let cred look for names in dir, in a call
// sent at generation gen.
func (fs *FS) searched(dir *Inode, cred *rpc.Cred, gen uint64) {
	dir.mu.Lock()
	defer dir.mu.Unlock()
	dir.access.learn(gen, cred, nfs3.AccessLookup, nfs3.AccessLookup)
}

// checkName refuses what cannot be the name of an entry. Names are bytes.
func (fs *FS) checkName(name string) error {
	switch {
	case name == "", name == ".", name == "..", strings.ContainsAny(name, "/\x00"):
		return nfs3.ErrInval
	case uint64(len(name)) > uint64(fs.nameMax):
		return nfs3.ErrNametoolong
	}
	return nil
}

// checkChange is checkEntry for an operation that changes what name means in
// dir.
func (fs *FS) checkChange(dir *Inode, name string) error {
	if err := fs.checkEntry(dir, name); err != nil {
		return err
	}
	return fs.changeable()
}

// changeable refuses changes of a file system that is read-only.
func (fs *FS) changeable() error {
	if fs.readOnly {
		return nfs3.ErrRofs
	}
	return nil
}

// checkEntry is checkName for an operation on name in dir.
func (fs *FS) checkEntry(dir *Inode, name string) error {
	if err := fs.alive(dir); err != nil {
		return err
	}
	if dir.typ != nfs3.TypeDir {
		return nfs3.ErrNotdir
	}
	return fs.checkName(name)
}
