package trees

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Copy copies trees from one side to another: files with their holes,
// permissions and times, directories, symbolic links as such, and files of
// several names as files of several names. Owners are not kept.
type Copy struct {
	From, To Side
	Crew     *Crew
	Problems *Problems
	// Continue leaves files alone that have the size and the time of their
	// source, and of the others writes only what differs.
	Continue bool
	// Checksum reads each copy again and compares it with what was read of the
	// source. With Continue, files of the right size and time are compared too.
	Checksum bool
	// OneServer says that From and To are on one server, so that an Identity
	// means the same on both.
	OneServer bool
	// Moved, if set, is told of n more bytes that are dealt with; Named of
	// each file that was begun.
	Moved func(n int64)
	Named func(name string)

	Files, Bytes atomic.Int64 // that were copied

	linked links
	top    Identity // of the copy of the directory that Run was called with
	newTop bool     // which was made for that
}

// Run copies what is from on the one side to what shall be to on the other:
// a file or a directory with all that is in it. The error is that of ctx, or
// why it could not begin; all others are Problems.
func (c *Copy) Run(ctx context.Context, from, to string) error {
	w := &Walk{Side: c.From, Crew: c.Crew, Problems: c.Problems}
	w.Enter = func(ctx context.Context, e *Entry) (bool, error) {
		name := c.target(from, to, e.Name)
		ok, err := c.enter(ctx, e, name)
		return ok, c.named(e.Name, name, err)
	}
	w.Leave = func(ctx context.Context, e *Entry, whole bool) error {
		name := c.target(from, to, e.Name)
		return c.named(e.Name, name, c.leave(ctx, e, name, whole))
	}
	return w.Run(ctx, from)
}

// target returns where the copy of name goes.
func (c *Copy) target(from, to, name string) string {
	if from == "." {
		return path.Join(to, name)
	}
	return path.Join(to, strings.TrimPrefix(name, from))
}

// named says of which file err is.
func (c *Copy) named(from, to string, err error) error {
	if err == nil {
		return nil
	}
	return &CopyError{From: from, To: to, Err: err}
}

// CopyError says what could not be copied.
type CopyError struct {
	From, To string // names on the two sides
	Err      error
}

// Error implements error.
func (e *CopyError) Error() string { return fmt.Sprintf("%s: %v", e.From, e.Err) }

// Unwrap returns the cause.
func (e *CopyError) Unwrap() error { return e.Err }

func (c *Copy) enter(ctx context.Context, e *Entry, to string) (inside bool, err error) {
	if c.Named != nil {
		c.Named(e.Name)
	}
	switch t := e.Info.Mode().Type(); t {
	case fs.ModeDir:
		err := c.directory(ctx, e, to)
		return err == nil, err // there is nowhere to copy to what is in it
	case fs.ModeSymlink:
		return false, c.symlink(ctx, e.Name, to)
	case 0:
		return false, c.file(ctx, e, to)
	default:
		return false, fmt.Errorf("is no regular file, directory or symbolic link (%v): not copied", t)
	}
}

// directory makes sure that there is one, which is not e itself. Until all is
// in it we must be able to write there.
func (c *Copy) directory(ctx context.Context, e *Entry, to string) error {
	if e.Depth > 0 {
		if err := c.apart(e); err != nil {
			return err
		}
		_, err := c.mkdir(ctx, to)
		return err
	}
	made, err := c.mkdir(ctx, to)
	if err != nil {
		return err
	}
	fi, err := c.To.Lstat(ctx, to)
	if err != nil {
		return err
	}
	c.top, c.newTop = c.To.Identity(fi), made
	return c.apart(e)
}

// mkdir makes a directory, unless there is one, and reports whether it did.
func (c *Copy) mkdir(ctx context.Context, to string) (made bool, err error) {
	if to == "." {
		return false, nil // the top of a side, which is there
	}
	err = c.To.Mkdir(ctx, to, 0o700)
	if !errors.Is(err, fs.ErrExist) {
		return err == nil, err
	}
	fi, err := c.To.Lstat(ctx, to)
	if err == nil && !fi.IsDir() {
		err = errors.New("a directory cannot replace what is there: it is no directory")
	}
	return false, err
}

// leave gives a directory what it shall have in the end. One that is not
// complete keeps its own time, so that Continue looks at it again.
func (c *Copy) leave(ctx context.Context, e *Entry, to string, whole bool) error {
	if err := c.To.Chmod(ctx, to, modeOf(e.Info)); err != nil || !whole {
		return err
	}
	return c.To.Chtimes(ctx, to, c.From.Identity(e.Info).Atime, e.Info.ModTime())
}

// modeOf returns the bits of a mode that are kept. A file that runs with the
// rights of its owner is not made one that runs with ours.
func modeOf(fi fs.FileInfo) fs.FileMode {
	mode := fi.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	if !fi.IsDir() {
		mode &^= fs.ModeSetuid | fs.ModeSetgid
	}
	return mode
}

func (c *Copy) symlink(ctx context.Context, from, to string) error {
	text, err := c.From.Readlink(ctx, from)
	if err != nil {
		return err
	}
	if old, err := c.To.Readlink(ctx, to); err == nil && old == text {
		return nil
	}
	if _, err := c.clear(ctx, to, false); err != nil {
		return err
	}
	return c.To.Symlink(ctx, text, to)
}

// clear removes what is in the way of a copy: a file or a symbolic link, but
// not a directory or a device. With keep a regular file is not in the way, and
// returned.
func (c *Copy) clear(ctx context.Context, to string, keep bool) (kept fs.FileInfo, err error) {
	fi, err := c.To.Lstat(ctx, to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case fi.IsDir():
		return nil, errors.New("a file cannot replace what is there: it is a directory")
	case !fi.Mode().IsRegular() && fi.Mode().Type() != fs.ModeSymlink:
		return nil, fmt.Errorf("a file cannot replace what is there: it is a device, a pipe or a socket (%v)", fi.Mode().Type())
	case keep && fi.Mode().IsRegular():
		return fi, nil
	}
	return nil, c.To.Remove(ctx, to)
}

func (c *Copy) file(ctx context.Context, e *Entry, to string) error {
	id := c.From.Identity(e.Info)
	if id.Links < 2 {
		return c.content(ctx, e, id, to)
	}
	first, mine := c.linked.meet(id.key(), to)
	if mine {
		return first.end(c.content(ctx, e, id, to))
	}
	if err := first.wait(ctx); err != nil {
		return c.content(ctx, e, id, to) // the other copy failed: this one need not
	}
	if c.Moved != nil {
		c.Moved(e.Info.Size())
	}
	a, aerr := c.To.Lstat(ctx, first.name)
	b, berr := c.To.Lstat(ctx, to)
	if aerr == nil && berr == nil && c.To.Identity(a).key() == c.To.Identity(b).key() {
		return nil
	}
	if _, err := c.clear(ctx, to, false); err != nil {
		return err
	}
	return c.To.Link(ctx, first.name, to)
}

// content copies a regular file.
func (c *Copy) content(ctx context.Context, e *Entry, id Identity, to string) error {
	have, err := c.clear(ctx, to, true)
	if err != nil {
		return err
	}
	exists := have != nil
	if exists && c.same(id, c.To.Identity(have)) { // it would be cut before it is read
		return errors.New("is the same file as the source")
	}
	complete := exists && c.Continue && have.Size() == e.Info.Size() && sameTime(have.ModTime(), e.Info.ModTime())
	if complete && !c.Checksum {
		if c.Moved != nil {
			c.Moved(e.Info.Size())
		}
		return nil
	}
	src, err := c.From.Open(ctx, e.Name)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := c.To.Create(ctx, to, 0o600|e.Info.Mode().Perm())
	if errors.Is(err, fs.ErrPermission) && exists { // it may not be written to, but perhaps replaced
		if err = c.To.Remove(ctx, to); err == nil {
			exists = false
			dst, err = c.To.Create(ctx, to, 0o600|e.Info.Mode().Perm())
		}
	}
	if err != nil {
		return err
	}
	t := &transfer{
		src: src, dst: dst, size: e.Info.Size(), crew: c.Crew, moved: c.Moved,
		sparse: id.Used < e.Info.Size(), older: exists && c.Continue, checksum: c.Checksum,
	}
	if t.older {
		t.compare = have.Size()
	}
	if exists && !t.older {
		err = dst.Truncate(0)
	}
	if err == nil {
		err = t.run(ctx)
	}
	if cerr := dst.Close(); err == nil {
		err = cerr // only now is the data known to be safe
	}
	if err == nil && c.Checksum {
		err = c.verify(ctx, to, t)
	}
	if err != nil {
		return err
	}
	if err := c.To.Chmod(ctx, to, modeOf(e.Info)); err != nil {
		return err
	}
	c.Files.Add(1)
	c.Bytes.Add(t.size)
	return c.To.Chtimes(ctx, to, id.Atime, e.Info.ModTime())
}

// verify reads the copy again.
func (c *Copy) verify(ctx context.Context, to string, t *transfer) error {
	f, err := c.To.Open(ctx, to)
	if err != nil {
		return err
	}
	defer f.Close()
	return t.verify(ctx, f)
}

// sameTime compares times of change, of which some servers keep microseconds or
// whole seconds only.
func sameTime(a, b time.Time) bool {
	return a.Equal(b) || a.Truncate(time.Microsecond).Equal(b.Truncate(time.Microsecond)) ||
		a.Nanosecond() == 0 && a.Equal(b.Truncate(time.Second))
}

// links are the files of several names that were met.
type links struct {
	mu sync.Mutex // guards m
	m  map[key]*firstName
}

// firstName is the copy of a file of several names.
type firstName struct {
	name string
	done chan struct{} // closed when it is there, or err says why not
	err  error
}

// meet returns the copy of a file; mine says that it is for the caller to make.
func (l *links) meet(k key, name string) (f *firstName, mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.m[k]; f != nil {
		return f, false
	}
	if l.m == nil {
		l.m = map[key]*firstName{}
	}
	f = &firstName{name: name, done: make(chan struct{})}
	l.m[k] = f
	return f, true
}

// end tells the others what became of the copy.
func (f *firstName) end(err error) error {
	f.err = err
	close(f.done)
	return err
}

// wait waits for the copy.
func (f *firstName) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
