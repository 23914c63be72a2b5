package bench

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/gonfs/gonfs/client"
)

// read reads a file from its start to its end. With one or two calls at a time
// read-ahead is at work, as it is for cp(1). With more there is none; the client
// may merge calls for blocks that lie side by side.
func (r *run) read() error {
	return r.readFile(os.O_RDONLY, r.cfg.Size/r.cfg.BlockSize, func(i int64) int64 { return i * r.cfg.BlockSize })
}

// randread reads blocks of a file in random order.
func (r *run) randread() error {
	return r.readFile(os.O_RDONLY, r.cfg.Ops, r.random)
}

// write writes a file from its start to its end. That it is closed, and safe
// on the server, is part of what is measured.
func (r *run) write() error {
	return r.writeFile(0, r.cfg.Size/r.cfg.BlockSize, func(i int64) int64 { return i * r.cfg.BlockSize })
}

// randwrite writes blocks of a file in random order, and closes it.
func (r *run) randwrite() error {
	return r.writeFile(r.cfg.Size, r.cfg.Ops, r.random)
}

// random returns the offset of a random block of the file.
func (r *run) random(int64) int64 {
	return rand.Int64N(r.cfg.Size/r.cfg.BlockSize) * r.cfg.BlockSize
}

func (r *run) readFile(flags int, ops int64, offset func(i int64) int64) error {
	return r.withFile(r.cfg.Size, func(name string) (err error) {
		h, err := r.open(name, flags)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, h.Close(r.ctx)) }()
		fi, err := h.Stat(r.ctx)
		if err == nil && fi.Size() < r.cfg.Size {
			err = fmt.Errorf("bench: %s has %d bytes, fewer than --size %d", name, fi.Size(), r.cfg.Size)
		}
		if err != nil {
			return err
		}
		bufs := r.buffers()
		return r.measure(ops, func(w int, i int64) (int, error) {
			n, err := h.ReadAt(r.ctx, bufs[w], offset(i))
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("bench: %s became shorter while it was read", name)
			}
			return n, err
		}, nil)
	})
}

func (r *run) writeFile(size, ops int64, offset func(i int64) int64) error {
	return r.withFile(size, func(name string) error {
		h, err := r.open(name, os.O_WRONLY|os.O_CREATE)
		if err != nil {
			return err
		}
		bufs := r.buffers()
		return r.measure(ops, func(w int, i int64) (int, error) {
			return h.WriteAt(r.ctx, bufs[w], offset(i))
		}, func() error { return h.Close(r.ctx) })
	})
}

// open opens the file to measure, which must be a regular one.
func (r *run) open(name string, flags int) (*client.Handle, error) {
	h, err := r.fs.OpenFile(r.ctx, name, flags, 0o600)
	if err != nil {
		return nil, err
	}
	fi, err := h.Stat(r.ctx)
	if err == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("bench: %s is no regular file", name)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close(r.ctx))
	}
	return h, nil
}

// buffers returns a block for each worker, whose pages are there.
func (r *run) buffers() [][]byte {
	bufs := make([][]byte, r.cfg.Depth)
	for w := range bufs {
		bufs[w] = block(r.cfg.BlockSize)
	}
	return bufs
}
