package trees

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"sync/atomic"
	"syscall"
)

// Remove removes a tree.
type Remove struct {
	Side     Side
	Crew     *Crew
	Problems *Problems
	// Removed, if set, is told of each name that is gone.
	Removed func(name string)

	Files atomic.Int64 // names that were removed, directories included
}

// maxPasses is how often a directory is listed again that is not empty after
// all that was listed in it is gone: servers may leave entries out of a listing
// while others are removed.
const maxPasses = 4

// Run removes name and, if it is a directory, all that is in it. The error is
// that of ctx, or why it could not begin; all others are Problems.
func (r *Remove) Run(ctx context.Context, name string) error {
	w := &Walk{Side: r.Side, Crew: r.Crew, Problems: r.Problems}
	w.Enter = func(ctx context.Context, e *Entry) (bool, error) {
		if e.Info.IsDir() {
			return true, nil
		}
		return false, r.remove(ctx, e.Name)
	}
	w.Leave = func(ctx context.Context, e *Entry, whole bool) error {
		if !whole {
			return nil // the problem was told already, and there it is still
		}
		return r.rmdir(ctx, e.Name)
	}
	return w.Run(ctx, name)
}

// remove removes one name. That others were faster is no problem.
func (r *Remove) remove(ctx context.Context, name string) error {
	switch err := r.Side.Remove(ctx, name); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	r.Files.Add(1)
	if r.Removed != nil {
		r.Removed(name)
	}
	return nil
}

// rmdir removes a directory that should be empty.
func (r *Remove) rmdir(ctx context.Context, name string) error {
	for pass := 1; ; pass++ {
		err := r.remove(ctx, name)
		if !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, syscall.EEXIST) || pass == maxPasses {
			return err
		}
		for fi, lerr := range r.Side.List(ctx, name) {
			if lerr != nil {
				return lerr
			}
			if rest := path.Join(name, fi.Name()); fi.IsDir() {
				lerr = r.Run(ctx, rest)
			} else {
				lerr = r.remove(ctx, rest)
			}
			if lerr != nil && !errors.Is(lerr, fs.ErrNotExist) {
				return lerr
			}
		}
	}
}
