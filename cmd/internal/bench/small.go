package bench

import (
	"fmt"
	"os"
)

// smallfiles creates a file, writes one block, closes and removes it, again and
// again, as compilers and mail servers do.
func (r *run) smallfiles() error {
	bufs := r.buffers()
	return r.withDir(0, func(dir string) error {
		names := make([]string, r.cfg.Files)
		for i := range names {
			names[i] = fileName(dir, int64(i))
		}
		return r.measure(int64(len(names)), func(w int, i int64) (int, error) {
			return r.smallFile(names[i], bufs[w])
		}, nil)
	})
}

func (r *run) smallFile(name string, data []byte) (n int, err error) {
	h, err := r.fs.OpenFile(r.ctx, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	n, err = h.WriteAt(r.ctx, data, 0)
	if cerr := h.Close(r.ctx); err == nil {
		err = cerr
	}
	if rerr := r.fs.Remove(r.ctx, name); err == nil {
		err = rerr
	}
	if err != nil {
		return n, fmt.Errorf("bench: %w", err)
	}
	return n, nil
}
