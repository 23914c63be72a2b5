package trees

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
)

// memory is a File of a fixed size.
type memory struct{ b []byte }

func (m memory) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(m.b).ReadAt(p, off) }
func (m memory) WriteAt(p []byte, off int64) (int, error) {
	return copy(m.b[off:], p), nil
}
func (m memory) Truncate(int64) error { return nil }
func (m memory) Close() error         { return nil }

func TestATransferCopiesAllPiecesInAnyOrder(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef!"), 300_000)
	dst := memory{make([]byte, len(want))}
	var moved atomic.Int64
	// The source is longer than was said: what came meanwhile is copied too.
	tr := &transfer{src: bytes.NewReader(want), dst: dst, size: int64(len(want)) - 100_000, crew: NewCrew(4), checksum: true,
		moved: func(n int64) { moved.Add(n) }}
	if err := tr.run(t.Context()); err != nil || !bytes.Equal(dst.b, want) || moved.Load() != int64(len(want)) {
		t.Fatalf("%v, %d bytes moved, equal %v", err, moved.Load(), bytes.Equal(dst.b, want))
	}
	must(t, tr.verify(t.Context(), dst))
	for _, at := range []int{0, PieceSize, 3*PieceSize - 1, len(want) - 1} {
		dst.b[at] ^= 1
		if err := tr.verify(t.Context(), dst); err == nil || !strings.Contains(err.Error(), "differs") {
			t.Errorf("byte %d is wrong: %v", at, err)
		}
		dst.b[at] ^= 1
		tr.err = nil
	}
}

func TestATransferTellsThatTheSourceBecameShorter(t *testing.T) {
	tr := &transfer{src: strings.NewReader("short"), dst: memory{make([]byte, 3<<20)}, size: 3 << 20, crew: NewCrew(2)}
	if err := tr.run(t.Context()); err == nil || !strings.Contains(err.Error(), "became shorter") {
		t.Fatalf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestATransferStopsAtTheFirstErrorAndWhenCancelled(t *testing.T) {
	tr := &transfer{src: failing{io.ErrClosedPipe}, dst: memory{}, size: 1 << 40, crew: NewCrew(2)}
	if err := tr.run(t.Context()); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tr = &transfer{src: bytes.NewReader(make([]byte, 4<<20)), dst: memory{make([]byte, 4<<20)}, size: 4 << 20, crew: NewCrew(2)}
	if err := tr.run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
}

func TestRunsOfDataLeaveHolesOfWholePages(t *testing.T) {
	page := func(c byte) []byte { return bytes.Repeat([]byte{c}, hole) }
	for _, c := range []struct {
		name string
		p    []byte
		want [][2]int
	}{
		{"nothing but zeros", make([]byte, 3*hole+7), nil},
		{"nothing but data", bytes.Repeat([]byte{1}, 2*hole+7), [][2]int{{0, 2*hole + 7}}},
		{"a hole between", bytes.Join([][]byte{page(1), page(0), page(2)}, nil), [][2]int{{0, hole}, {2 * hole, 3 * hole}}},
		{"a hole at both ends", bytes.Join([][]byte{page(0), page(1), page(0)}, nil), [][2]int{{hole, 2 * hole}}},
		{"one byte in a page is data", append(page(0), append(make([]byte, 9), 1)...), [][2]int{{hole, hole + 10}}},
	} {
		var got [][2]int
		for at := 0; at < len(c.p); {
			from, to := dataRun(c.p, at)
			if from < to {
				got = append(got, [2]int{from, to})
			}
			at = to
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	}
}
