package trees

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// PieceSize is what one step of a copy moves, in bytes. Package client makes
// requests of rsize or wsize of it.
const PieceSize = 1 << 20

// hole is the least run of zero bytes that is left out of a sparse file, in
// bytes: a page.
const hole = 4096

var pieces = sync.Pool{New: func() any { return new([PieceSize]byte) }}

// transfer copies the bytes of one file.
type transfer struct {
	src      io.ReaderAt
	dst      File
	size     int64 // of the source, as it was when it was looked at
	crew     *Crew
	moved    func(n int64)
	sparse   bool  // the source has holes
	older    bool  // an older copy is there, which may be longer
	compare  int64 // as far as that the copy is read, and only what differs is written
	checksum bool

	mu   sync.Mutex       // guards both below
	err  error            // the first
	sums map[int64]uint64 // of the pieces, by number
}

// run copies size bytes, several pieces at a time. What the source has beyond
// size by now is copied too; one that has become shorter is an error.
func (t *transfer) run(ctx context.Context) error {
	var wg sync.WaitGroup
	for off := int64(0); off < t.size && t.failed(ctx) == nil; off += PieceSize {
		t.crew.do(&wg, func() { t.fail(t.piece(off, min(PieceSize, t.size-off))) })
	}
	wg.Wait()
	for t.failed(ctx) == nil {
		n, err := t.more(t.size)
		t.fail(err)
		if t.size += n; n == 0 {
			break
		}
	}
	if err := t.failed(ctx); err != nil {
		return err
	}
	if t.sparse || t.older {
		return t.dst.Truncate(t.size) // a hole at the end, or what an older copy had beyond
	}
	return nil
}

// fail notes the first error.
func (t *transfer) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

// failed returns why the transfer cannot go on.
func (t *transfer) failed(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// piece copies the n bytes at off.
func (t *transfer) piece(off, n int64) error {
	buf := pieces.Get().(*[PieceSize]byte)
	defer pieces.Put(buf)
	got, err := t.src.ReadAt(buf[:n], off)
	if int64(got) < n {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("the source became shorter while it was copied: it ends at %d, not at %d", off+int64(got), t.size)
		}
		return err
	}
	return t.put(off, buf[:n])
}

// more copies what the source has at off beyond the size that it was said to
// have.
func (t *transfer) more(off int64) (int64, error) {
	buf := pieces.Get().(*[PieceSize]byte)
	defer pieces.Put(buf)
	// A piece ends where the others do, so that verify finds its sum.
	got, err := t.src.ReadAt(buf[:PieceSize-off%PieceSize], off)
	if err != nil && !errors.Is(err, io.EOF) || got == 0 {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return 0, err
	}
	t.mu.Lock()
	delete(t.sums, off/PieceSize) // the piece has grown: verify sums it anew
	t.mu.Unlock()
	return int64(got), t.put(off, buf[:got])
}

// put writes p at off, where it differs from what is there.
func (t *transfer) put(off int64, p []byte) error {
	if t.checksum && off%PieceSize == 0 {
		sum := xxhash.Sum64(p)
		t.mu.Lock()
		if t.sums == nil {
			t.sums = map[int64]uint64{}
		}
		t.sums[off/PieceSize] = sum
		t.mu.Unlock()
	}
	defer func() {
		if t.moved != nil {
			t.moved(int64(len(p)))
		}
	}()
	if off < t.compare {
		same, err := t.same(off, p)
		if err != nil || same {
			return err
		}
	}
	if !t.sparse || off < t.compare { // a hole would leave older bytes there
		_, err := t.dst.WriteAt(p, off)
		return err
	}
	for at := 0; at < len(p); {
		from, to := dataRun(p, at)
		if from < to {
			if _, err := t.dst.WriteAt(p[from:to], off+int64(from)); err != nil {
				return err
			}
		}
		at = to
	}
	return nil
}

// same reports whether the copy has p at off already.
func (t *transfer) same(off int64, p []byte) (bool, error) {
	buf := pieces.Get().(*[PieceSize]byte)
	defer pieces.Put(buf)
	n, err := t.dst.ReadAt(buf[:len(p)], off)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return n == len(p) && bytes.Equal(buf[:n], p), nil
}

// dataRun returns the next run of p, from at on, that is not all zeros, cut at
// multiples of a page.
func dataRun(p []byte, at int) (from, to int) {
	from = at
	for from < len(p) && zero(p[from:min(from+hole, len(p))]) {
		from = min(from+hole, len(p))
	}
	to = from
	for to < len(p) && !zero(p[to:min(to+hole, len(p))]) {
		to = min(to+hole, len(p))
	}
	return from, to
}

var zeros [hole]byte

func zero(p []byte) bool { return bytes.Equal(p, zeros[:len(p)]) }

// verify reads the copy and compares it with what was read of the source.
func (t *transfer) verify(ctx context.Context, f io.ReaderAt) error {
	var wg sync.WaitGroup
	for off := int64(0); off < t.size && t.failed(ctx) == nil; off += PieceSize {
		t.crew.do(&wg, func() { t.fail(t.check(f, off, min(PieceSize, t.size-off))) })
	}
	wg.Wait()
	return t.failed(ctx)
}

// check compares one piece of the copy.
func (t *transfer) check(f io.ReaderAt, off, n int64) error {
	t.mu.Lock()
	want, known := t.sums[off/PieceSize]
	t.mu.Unlock()
	buf := pieces.Get().(*[PieceSize]byte)
	defer pieces.Put(buf)
	if !known {
		if _, err := t.src.ReadAt(buf[:n], off); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		want = xxhash.Sum64(buf[:n])
	}
	if got, err := f.ReadAt(buf[:n], off); int64(got) < n {
		return fmt.Errorf("the copy ends at %d, not at %d: %w", off+int64(got), t.size, err)
	}
	if xxhash.Sum64(buf[:n]) != want {
		return fmt.Errorf("the copy differs from the source between %d and %d", off, off+n)
	}
	return nil
}
