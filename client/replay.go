package client

import (
	"context"
	"errors"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// A call that changes a directory must not be executed twice, yet a call whose
// reply was lost has to be sent again. Servers keep a cache of replies for
// that; when it fails (a restart, a new source address) the second copy of a
// MKDIR that succeeded is answered with EEXIST, and that of a REMOVE with
// ENOENT. Taking these for success blindly breaks programs that lock with
// link(2), as FreeBSD learned. So the state of the server is looked at, and
// only what could not be otherwise is taken for success.

// outcome is what evidence says of a call.
type outcome uint8

const (
	unknown outcome = iota
	executed
	notExecuted
)

// maxReissues bounds how often a call is made anew after it was found not to
// have been executed.
const maxReissues = 3

// once makes a call that must not be executed twice. doubt is the status that
// the second copy of a call that succeeded would be answered with. When that
// comes after a retransmission, or when nobody knows whether the call was
// executed, evidence decides: executed makes once return nil, with the call's
// reply undefined; undecided, the error is doubt. A stale handle of about is
// renewed once; call takes the handles from there each time.
func (fs *FS) once(ctx context.Context, cred *rpc.Cred, op, name string, doubt nfs3.Status, call func() error,
	evidence func() outcome, about ...*Inode) error {
	for n := 0; ; n++ {
		err := fs.retry(ctx, call)
		if isStale(err) && fs.renewAny(ctx, cred, about) {
			err = fs.retry(ctx, call)
		}
		var lost *rpc.ReplayError
		var refused *nfs3.Error
		replayed := errors.As(err, &lost)
		repeated := errors.As(err, &refused) && refused.Status == doubt && refused.Transmissions > 1
		if !replayed && !repeated || fs.strict {
			return err
		}
		what := evidence()
		fs.log.Info("a call was sent twice and its outcome was looked for", "op", op, "name", name,
			"executed", what == executed, "undecided", what == unknown, "err", err)
		switch {
		case what == executed:
			return nil
		case what == notExecuted && replayed && n < maxReissues:
			continue
		case replayed && what == unknown && doubt != 0:
			return doubt
		}
		return err
	}
}

// holds returns what name means in dir on the server: nil and NOENT if there
// is no such name.
func (fs *FS) holds(ctx context.Context, cred *rpc.Cred, dir *Inode, name string) (*Inode, nfs3.Fattr, error) {
	return fs.lookup(ctx, cred, dir, name)
}

// madeAnew is the evidence for MKDIR, MKNOD and a guarded CREATE: if the name
// is there, it may be ours or another's.
func (fs *FS) madeAnew(ctx context.Context, cred *rpc.Cred, dir *Inode, name string) outcome {
	_, _, err := fs.holds(ctx, cred, dir, name)
	if errors.Is(err, nfs3.ErrNoent) {
		return notExecuted
	}
	return unknown
}

// madeLink is the evidence for SYMLINK: a link with our target that is younger
// than the directory's last change before the call is ours.
func (fs *FS) madeLink(ctx context.Context, cred *rpc.Cred, dir *Inode, name, target string, since nfs3.Time) outcome {
	ino, a, err := fs.holds(ctx, cred, dir, name)
	switch {
	case errors.Is(err, nfs3.ErrNoent):
		return notExecuted
	case err != nil || ino.typ != nfs3.TypeLnk || !before(since, a.Ctime):
		return unknown
	}
	if text, err := fs.Readlink(ctx, cred, ino); err != nil || text != target {
		return unknown
	}
	return executed
}

// linked is the evidence for LINK: the name means the file, which has more
// names than it had.
func (fs *FS) linked(ctx context.Context, cred *rpc.Cred, dir *Inode, name string, file *Inode, nlink uint32) outcome {
	ino, a, err := fs.holds(ctx, cred, dir, name)
	switch {
	case errors.Is(err, nfs3.ErrNoent):
		return notExecuted
	case err == nil && ino == file && a.Nlink > nlink:
		return executed
	}
	return unknown
}

// removed is the evidence for REMOVE and RMDIR: the object that the name meant
// is gone, or has fewer names than it had.
func (fs *FS) removed(ctx context.Context, cred *rpc.Cred, dir *Inode, name string, was *Inode, nlink uint32) outcome {
	now, _, err := fs.holds(ctx, cred, dir, name)
	switch {
	case was == nil:
		return unknown
	case err == nil && now == was:
		return notExecuted
	case err != nil && !errors.Is(err, nfs3.ErrNoent):
		return unknown
	}
	a, err := fs.getattr(ctx, cred, was)
	if isStale(err) || err == nil && was.typ != nfs3.TypeDir && a.Nlink < nlink {
		return executed
	}
	return unknown
}

// moved is the evidence for RENAME: the new name means the object, and the old
// one does not.
func (fs *FS) moved(ctx context.Context, cred *rpc.Cred, from *Inode, fromName string, to *Inode, toName string, ino *Inode) outcome {
	if ino == nil {
		return unknown
	}
	old, _, err := fs.holds(ctx, cred, from, fromName)
	if err == nil && old == ino {
		return notExecuted
	}
	if !errors.Is(err, nfs3.ErrNoent) {
		return unknown
	}
	if now, _, err := fs.holds(ctx, cred, to, toName); err == nil && now == ino {
		return executed
	}
	return unknown
}
