package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// NFSv3 has no open: a server that is told to remove a file removes it, though
// a program here is still reading it. So a file that is open is renamed
// instead, to ".nfs" and two numbers in hexadecimal, as every NFS client does
// it ("silly rename"), and removed when the last program closes it. If the
// client dies these files stay; servers sweep them by that name.

// sillyName is where a file went that was removed while it was open.
type sillyName struct {
	dir  *Inode
	name string
	cred *rpc.Cred // who removed it, and will remove it in the end
}

// sillies are the files that are still to be removed. They are kept alive by
// being here.
type sillies struct {
	next     atomic.Uint32 // a random start, so that several clients do not meet
	removing crew          // the REMOVEs under way

	mu sync.Mutex // guards all below
	m  map[*Inode]bool
}

func (s *sillies) init() {
	s.next.Store(rand.Uint32())
	s.m = map[*Inode]bool{}
}

func (s *sillies) add(ino *Inode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[ino] = true
}

func (s *sillies) remove(ino *Inode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, ino)
}

func (s *sillies) all() []*Inode {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Inode, 0, len(s.m))
	for ino := range s.m {
		out = append(out, ino)
	}
	return out
}

// hasSilly reports whether ino was removed while it was open.
func (n *Inode) hasSilly() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.silly != nil
}

// isSilly reports whether name in dir is what ino was renamed to.
func (n *Inode) isSilly(dir *Inode, name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.silly != nil && n.silly.dir == dir && n.silly.name == name
}

// maxSillyTries bounds the search for a name that is free.
const maxSillyTries = 16

// sillyRename gives ino, which is name in dir, a name that says it is to be
// removed.
func (fs *FS) sillyRename(ctx context.Context, cred *rpc.Cred, dir *Inode, name string, ino *Inode) error {
	for range maxSillyTries {
		hidden := fmt.Sprintf(".nfs%016x%08x", ino.fileid, fs.sillies.next.Add(1))
		_, _, err := fs.lookup(ctx, cred, dir, hidden)
		if err == nil {
			continue // RENAME would replace it
		}
		if !errors.Is(err, nfs3.ErrNoent) {
			return err
		}
		if err := fs.rename(ctx, cred, dir, name, dir, hidden, ino, nil); err != nil {
			return err
		}
		ino.mu.Lock()
		ino.silly = &sillyName{dir, hidden, cred}
		ino.mu.Unlock()
		fs.sillies.add(ino)
		if ino.opens() == 0 { // closed meanwhile, before there was anything to remove
			fs.fileReleased(ino)
		}
		return nil
	}
	return nfs3.ErrExist
}

// sillyUndo gives a file its name back when the call for which it had to make
// room was refused.
func (fs *FS) sillyUndo(ctx context.Context, cred *rpc.Cred, dir *Inode, name string, ino *Inode) {
	s := fs.takeSilly(ino)
	if s == nil {
		return
	}
	if err := fs.rename(ctx, cred, s.dir, s.name, dir, name, ino, nil); err != nil {
		fs.log.Warn("a replaced file keeps the name that it was hidden under", "name", name, "now", s.name, "err", err)
	}
}

// takeSilly takes the duty to remove ino from it.
func (fs *FS) takeSilly(ino *Inode) *sillyName {
	ino.mu.Lock()
	s := ino.silly
	ino.silly = nil
	ino.mu.Unlock()
	fs.sillies.remove(ino)
	return s
}

// fileReleased is called when a File of ino was released. If it was the last
// one, a file that was removed meanwhile is removed now, on the file system's
// own life: no caller waits for it.
func (fs *FS) fileReleased(ino *Inode) {
	if ino.opens() > 0 || !ino.hasSilly() {
		return
	}
	if s := fs.takeSilly(ino); s != nil {
		// Ends with its REMOVE, or with the file system's life; it logs its error.
		fs.sillies.removing.start(func() { _ = fs.removeSilly(fs.life, ino, s) })
	}
}

// removeSilly removes a file that nobody has open any more.
func (fs *FS) removeSilly(ctx context.Context, ino *Inode, s *sillyName) error {
	err := fs.remove(ctx, s.cred, s.dir, s.name, ino)
	if errors.Is(err, nfs3.ErrNoent) || isStale(err) {
		err = nil // somebody swept it
	}
	if err != nil {
		fs.log.Warn("a file that was removed while it was open is left behind", "name", s.name, "err", err)
	}
	return err
}
