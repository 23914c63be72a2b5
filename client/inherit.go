package client

import (
	"context"
	"errors"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// birth is what an object begins with that is made here.
type birth struct {
	mode uint32
	// noLists: the directory has no default list to hand on.
	noLists bool
}

// inherit returns what an object begins with that is made in dir with mode. As
// on Linux the umask counts only where dir has no default list (umask(2); acl(5),
// "Object creation and default ACLs"): so the list must be known before the
// call. It is the server who hands it on, and it makes the same of the mode that
// is left here as of the one that was asked for. (Linux's client sends a SETACL
// after that; no server with lists needs it, and a file that was there already
// could be hit.)
//
// always says that mode is set once more after the object was made: then it must
// be what the list leaves of it. Otherwise nobody need ask for the list where the
// umask takes nothing away.
func (fs *FS) inherit(ctx context.Context, cred *rpc.Cred, dir *Inode, mode, umask uint32, always bool) (birth, error) {
	b := birth{mode: mode &^ (umask & 0o777)}
	if !fs.HasACLs() || b.mode == mode && !always {
		return b, nil
	}
	l, err := fs.GetACLs(ctx, cred, dir)
	switch {
	case errors.Is(err, nfs3.ErrNotsupp):
		return b, nil
	case err != nil:
		return b, err
	}
	b.noLists = l.Default == nil
	if !b.noLists {
		_, b.mode = l.Default.Inherit(mode)
	}
	return b, nil
}

// born notes what is known of an object that was made just now: no lists where
// there were none to hand on, which saves a GETACL for each directory of a new
// tree.
func (fs *FS) born(ino *Inode, b birth) {
	if !b.noLists || ino.Version() != 0 { // others were there already
		return
	}
	ino.mu.Lock()
	ino.acl.learn(fs.gen.Add(1), ACLs{})
	ino.mu.Unlock()
}

// bornAs is born for what make returned.
func (fs *FS) bornAs(b birth) func(*Inode, error) (*Inode, error) {
	return func(ino *Inode, err error) (*Inode, error) {
		if err == nil {
			fs.born(ino, b)
		}
		return ino, err
	}
}
