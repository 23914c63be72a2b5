package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gonfs/gonfs/client"
)

// How many calls are under way at once while something is made or removed.
const makers = 16

// removeTime is how long removing may take once the measurement has ended,
// also when that was because the user interrupted it.
const removeTime = 10 * time.Minute

// scratch makes a name for what is made and removed again.
func (r *run) scratch() string { return r.path("gonfs-bench-" + rand.Text()[:8]) }

// removing returns the context in which is removed what was made. An interrupt
// ends the measurement, and 10 s later this.
func (r *run) removing() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), removeTime)
	stop := context.AfterFunc(r.ctx, func() { time.AfterFunc(10*time.Second, cancel) })
	return ctx, func() { stop(); cancel() }
}

// withFile runs do with the path of the file to measure: that of Config.File,
// or one of size bytes that is made for it.
func (r *run) withFile(size int64, do func(name string) error) (err error) {
	if r.cfg.File != "" {
		return do(r.path(r.cfg.File))
	}
	name := r.scratch()
	defer func() {
		ctx, cancel := r.removing()
		defer cancel()
		if rerr := r.fs.Remove(ctx, name); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("bench: what was made is still there: %w", rerr))
		}
	}()
	if err := r.fill(name, size); err != nil {
		return err
	}
	return do(name)
}

// fill makes a file of size bytes that are not zero.
func (r *run) fill(name string, size int64) error {
	h, err := r.fs.OpenFile(r.ctx, name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	buf := block(1 << 20)
	for off := int64(0); off < size && err == nil; off += int64(len(buf)) {
		_, err = h.WriteAt(r.ctx, buf[:min(int64(len(buf)), size-off)], off)
	}
	return errors.Join(err, h.Close(r.ctx))
}

// block returns n bytes that no file system takes for a hole.
func block(n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) | 1
	}
	return b
}

// withDir runs do with the path of the directory to measure: that of
// Config.File, or one with n empty files that is made for it.
func (r *run) withDir(n int64, do func(name string) error) (err error) {
	if r.cfg.File != "" {
		return do(r.path(r.cfg.File))
	}
	name := r.scratch()
	if err := r.fs.Mkdir(r.ctx, name, 0o700); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := r.removing()
		defer cancel()
		if rerr := r.removeFiles(ctx, name, n); rerr != nil {
			err = errors.Join(err, fmt.Errorf("bench: what was made is still there: %w", rerr))
		}
	}()
	err = each(r.ctx, n, func(i int64) error {
		h, err := r.fs.OpenFile(r.ctx, fileName(name, i), os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		return h.Close(r.ctx)
	})
	if err != nil {
		return err
	}
	return do(name)
}

// removeFiles removes the directory that withDir made with all that is in it,
// the first n files several at once.
func (r *run) removeFiles(ctx context.Context, dir string, n int64) error {
	err := each(ctx, n, func(i int64) error {
		if err := r.fs.Remove(ctx, fileName(dir, i)); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	})
	return errors.Join(err, r.fs.RemoveAll(ctx, dir))
}

func fileName(dir string, i int64) string { return fmt.Sprintf("%s/f%08d", dir, i) }

// each runs do for 0 to n-1, several at once, up to the first error or until
// ctx ends.
func each(ctx context.Context, n int64, do func(i int64) error) error {
	g, running := errgroup.WithContext(ctx)
	g.SetLimit(makers)
	for i := int64(0); i < n && running.Err() == nil; i++ {
		g.Go(func() error { return do(i) }) // ends with do
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// inode finds what name leads to. Symbolic links are not followed.
func (r *run) inode(name string) (*client.Inode, error) {
	fs, cred := r.fs.FS(), r.fs.Cred()
	ino := fs.Root()
	for el := range strings.SplitSeq(strings.Trim(path.Clean(name), "/"), "/") {
		if el == "" || el == "." {
			continue
		}
		next, _, err := fs.Lookup(r.ctx, cred, ino, el)
		if err != nil {
			return nil, &os.PathError{Op: "lookup", Path: name, Err: err}
		}
		ino = next
	}
	return ino, nil
}
