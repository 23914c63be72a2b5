package client

import (
	"context"
	"errors"
	iofs "io/fs"
	"strings"
	"syscall"

	"github.com/gonfs/gonfs/nfs3"
)

// maxLinks is how many symbolic links one path may lead through, as in Linux.
const maxLinks = 40

// walk resolves a path from the export's root: elements are separated by "/",
// "." and empty ones do not count, and ".." never leads above the root. A
// symbolic link is followed inside the path, and at its end if follow is set;
// its target is read from the directory that holds it, or from the export's
// root if it is absolute, for the library knows no other root. A path that ends
// in "/" is that of a directory (path_resolution(7)).
//
// With parent set the last element is not looked up: walk returns the
// directory that it is in, and the element itself, which is not ".".
func (t *Tree) walk(ctx context.Context, name string, follow, parent bool) (*Inode, string, error) {
	if parent && strings.HasSuffix("/"+strings.TrimRight(name, "/"), "/.") {
		return nil, "", nfs3.ErrInval
	}
	w := walker{t: t, ctx: ctx, stack: []*Inode{t.fs.Root()}, todo: elements(name)}
	follow = follow || saysDir(name)
	for len(w.todo) > 0 {
		el := w.todo[0]
		w.todo = w.todo[1:]
		last := len(w.todo) == 0
		if last && parent && el != ".." {
			return w.top(), el, nil
		}
		if err := w.step(el, follow || !last); err != nil {
			return nil, "", err
		}
	}
	if parent {
		return nil, "", nfs3.ErrInval // the root itself, or a path that ends in ".."
	}
	if saysDir(name) && w.top().Type() != nfs3.TypeDir {
		return nil, "", nfs3.ErrNotdir
	}
	return w.top(), "", nil
}

// saysDir reports whether a path is that of a directory by its looks.
func saysDir(name string) bool { return strings.HasSuffix(name, "/") }

// walker is the state of one walk: the directories from the root to where it
// is, and what is still to come.
type walker struct {
	t     *Tree
	ctx   context.Context
	stack []*Inode
	todo  []string
	links int
}

func (w *walker) top() *Inode { return w.stack[len(w.stack)-1] }

func (w *walker) step(el string, follow bool) error {
	if el == ".." {
		if len(w.stack) > 1 {
			w.stack = w.stack[:len(w.stack)-1]
		}
		return nil
	}
	dir := w.top()
	if dir.Type() != nfs3.TypeDir {
		return nfs3.ErrNotdir
	}
	ino, _, err := w.t.fs.Lookup(w.ctx, w.t.cred, dir, el)
	if err != nil {
		return err
	}
	if ino.Type() != nfs3.TypeLnk || !follow {
		w.stack = append(w.stack, ino)
		return nil
	}
	if w.links++; w.links > maxLinks {
		return syscall.ELOOP
	}
	target, err := w.t.fs.Readlink(w.ctx, w.t.cred, ino)
	if err != nil {
		return err
	}
	if target == "" {
		return nfs3.ErrNoent
	}
	if strings.HasPrefix(target, "/") {
		w.stack = w.stack[:1]
	}
	w.todo = append(elements(target), w.todo...)
	return nil
}

// elements splits a path.
func elements(name string) []string {
	var out []string
	for el := range strings.SplitSeq(name, "/") {
		if el != "" && el != "." {
			out = append(out, el)
		}
	}
	return out
}

// at resolves name and runs do with its inode; once more from the beginning if
// a handle on the way, or the one at its end, had become stale.
func (t *Tree) at(ctx context.Context, op, name string, follow bool, do func(*Inode) error) error {
	return t.pathError(op, name, t.twice(func() error {
		ino, _, err := t.walk(ctx, name, follow, false)
		if err != nil {
			return err
		}
		return do(ino)
	}))
}

// in resolves the directory that name is in and runs do with it and the last
// element; once more if a handle was stale.
func (t *Tree) in(ctx context.Context, op, name string, do func(dir *Inode, last string) error) error {
	return t.pathError(op, name, t.inRaw(ctx, name, do))
}

func (t *Tree) inRaw(ctx context.Context, name string, do func(dir *Inode, last string) error) error {
	return t.twice(func() error {
		dir, last, err := t.walk(ctx, name, true, true)
		if err != nil {
			return err
		}
		return do(dir, last)
	})
}

// twice runs do, and again if it met a stale handle: what the caches knew of
// the handle is gone by then, so the second walk asks the server.
func (t *Tree) twice(do func() error) error {
	err := do()
	if errors.Is(err, nfs3.ErrStale) {
		err = do()
	}
	return err
}

// pathError names what was done to what.
func (t *Tree) pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &iofs.PathError{Op: op, Path: name, Err: err}
}
