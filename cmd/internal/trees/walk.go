package trees

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"sync/atomic"
)

// maxDepth bounds how deep a tree is gone into: a server could pretend that a
// directory holds itself.
const maxDepth = 1000

// Entry is a file that a walk has come to.
type Entry struct {
	Name  string // from the top of the side
	Info  fs.FileInfo
	Depth int // 0 is where the walk began
	up    *directory
}

// Walk goes through a tree. Its functions are called by several goroutines at
// once.
type Walk struct {
	Side     Side
	Crew     *Crew
	Problems *Problems

	// Enter is called for each entry before what is in it; of a directory that
	// it returns false for, nothing is seen. Errors are Problems'.
	Enter func(ctx context.Context, e *Entry) (bool, error)
	// Leave, if set, is called for each directory that was entered, after all
	// that is in it has been dealt with. whole says that nothing was missed.
	Leave func(ctx context.Context, e *Entry, whole bool) error
}

// directory is one that was entered and not left yet.
type directory struct {
	entry *Entry
	left  atomic.Int64 // entries that are not dealt with, and 1 for the listing
	holes atomic.Bool  // something in it was missed
}

// Run walks from name on, and returns when all is done. The error is that of
// ctx, or why name itself cannot be looked at; all others are Problems.
func (w *Walk) Run(ctx context.Context, name string) error {
	fi, err := w.Side.Lstat(ctx, name)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	w.visit(ctx, &wg, &Entry{Name: name, Info: fi})
	wg.Wait()
	return context.Cause(ctx)
}

// visit deals with one entry, and with what is in it.
func (w *Walk) visit(ctx context.Context, wg *sync.WaitGroup, e *Entry) {
	if ctx.Err() != nil {
		w.done(ctx, e.up, false)
		return
	}
	inside, err := w.Enter(ctx, e)
	w.Problems.add(ctx, err)
	switch {
	case !e.Info.IsDir() || !inside:
		w.done(ctx, e.up, err == nil)
		return
	case e.Depth == maxDepth:
		w.Problems.add(ctx, fmt.Errorf("%s: more than %d directories deep: the server may have a loop", e.Name, maxDepth))
		w.done(ctx, e.up, false)
		return
	}
	d := &directory{entry: e}
	d.left.Store(1)
	d.holes.Store(err != nil)
	for fi, err := range w.Side.List(ctx, e.Name) {
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // an entry that was removed since it was listed is not missed
				d.holes.Store(true)
				w.Problems.add(ctx, err)
			}
			continue
		}
		d.left.Add(1)
		child := &Entry{Name: path.Join(e.Name, fi.Name()), Info: fi, Depth: e.Depth + 1, up: d}
		w.Crew.do(wg, func() { w.visit(ctx, wg, child) })
	}
	w.done(ctx, d, true)
}

// done counts one thing in d as dealt with. Whoever counts the last leaves the
// directory, and then perhaps the one above.
func (w *Walk) done(ctx context.Context, d *directory, whole bool) {
	for d != nil {
		if !whole {
			d.holes.Store(true)
		}
		if d.left.Add(-1) > 0 {
			return
		}
		whole = !d.holes.Load() && ctx.Err() == nil
		if w.Leave != nil {
			if err := w.Leave(ctx, d.entry, whole); err != nil {
				w.Problems.add(ctx, err)
				whole = false
			}
		}
		d = d.entry.up
	}
}
