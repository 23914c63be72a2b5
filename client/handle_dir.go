package client

import (
	"context"
	"errors"
	"io"
	iofs "io/fs"
	"os"
)

// ReadDir returns the next entries of a directory, n at most if n is positive:
// then the error at the end is io.EOF. Without a limit it returns all that are
// left, and Tree.ReadDir is the better way to go through a large directory.
func (h *Handle) ReadDir(ctx context.Context, n int) (out []iofs.DirEntry, err error) {
	if err := h.take(ctx); err != nil {
		return nil, h.fail("readdir", err)
	}
	defer h.give()
	dir, err := h.opened(ctx)
	if err != nil {
		return nil, h.fail("readdir", err)
	}
	for n <= 0 || len(out) < n {
		want := dirBatch
		if n > 0 {
			want = min(want, n-len(out))
		}
		batch, err := dir.Read(ctx, want)
		infos := h.t.infos(ctx, h.name, batch)
		for i := range infos {
			out = append(out, &infos[i].info)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return out, h.fail("readdir", err)
		}
	}
	if n > 0 && len(out) == 0 {
		return nil, io.EOF
	}
	return out, nil
}

// opened returns the Dir of a directory, making it at the first call. The
// caller has its turn.
func (h *Handle) opened(ctx context.Context) (*Dir, error) {
	h.mu.Lock()
	dir, closed := h.dir, h.closed.Load()
	h.mu.Unlock()
	if closed {
		return nil, iofs.ErrClosed
	}
	if dir != nil {
		return dir, nil
	}
	dir, err := h.t.fs.OpenDir(ctx, h.t.cred, h.ino)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed.Load() { // meanwhile
		dir.Close()
	}
	h.dir = dir
	return dir, nil
}

// rewind is Seek of a directory.
func (h *Handle) rewind(offset int64, whence int) error {
	if offset != 0 || whence != io.SeekStart {
		return os.ErrInvalid
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dir != nil {
		h.dir.Seek(0)
	}
	return nil
}
