package nfstest

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// bytewise is fileData written the slow and simple way: one entry a byte.
type bytewise struct {
	cur, stable []byte
	unstable    map[uint64]bool
}

func (b *bytewise) write(p []byte, off uint64, stable bool) {
	end := off + uint64(len(p))
	b.cur = grown(b.cur, end)
	copy(b.cur[off:], p)
	for i := off; i < end; i++ {
		if stable {
			delete(b.unstable, i)
		} else {
			b.unstable[i] = true
		}
	}
	if stable {
		b.settle(off, end, end)
	}
}

func (b *bytewise) settle(lo, hi, size uint64) {
	b.stable = grown(b.stable, size)
	copy(b.stable[lo:hi], b.cur[lo:hi])
}

func (b *bytewise) commit(lo, hi uint64) {
	for i := range b.unstable {
		if lo <= i && i < hi {
			b.settle(i, i+1, i+1)
			delete(b.unstable, i)
		}
	}
}

func (b *bytewise) truncate(size uint64) {
	b.cur = grown(b.cur, size)[:size]
	b.stable = grown(b.stable, size)[:size]
	for i := range b.unstable {
		if i >= size {
			delete(b.unstable, i)
		}
	}
	b.cur, b.stable = bytes.Clone(b.cur), bytes.Clone(b.stable)
}

func (b *bytewise) revert() {
	b.cur = bytes.Clone(b.stable)
	clear(b.unstable)
}

func grown(p []byte, n uint64) []byte {
	if uint64(len(p)) < n {
		p = append(p, make([]byte, n-uint64(len(p)))...)
	}
	return p
}

// TestFileDataAgreesWithABytewiseModel does random operations on both and
// compares the content after each.
func TestFileDataAgreesWithABytewiseModel(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		d, b := newFileData(), &bytewise{unstable: make(map[uint64]bool)}
		for step := range 120 {
			off, n := rng.Uint64N(5*pageSize), rng.Uint64N(3*pageSize)
			if rng.IntN(2) == 0 { // small pieces meet edges more often
				off, n = off/64*64, n%100
			}
			switch op := rng.IntN(10); op {
			case 0, 1, 2, 3, 4:
				p := make([]byte, n)
				for i := range p {
					p[i] = byte(step + 1)
				}
				d.write(p, off, op == 0)
				b.write(p, off, op == 0)
			case 5, 6, 7:
				d.commit(off, off+n)
				b.commit(off, off+n)
			case 8:
				d.truncate(off)
				b.truncate(off)
			case 9:
				d.revert()
				b.revert()
			}
			got := make([]byte, len(b.cur)+10)
			k, eof := d.read(got, 0)
			if !bytes.Equal(got[:k], b.cur) || !eof || d.size != uint64(len(b.cur)) {
				t.Fatalf("seed %d step %d: content differs (%d bytes, want %d)", seed, step, k, len(b.cur))
			}
			if (len(d.unstable) > 0) != (len(b.unstable) > 0) {
				t.Fatalf("seed %d step %d: unstable %v, want %d bytes", seed, step, d.unstable, len(b.unstable))
			}
			if len(d.unstable) == 0 && len(d.old) > 0 {
				t.Fatalf("seed %d step %d: %d saved pages with nothing unstable", seed, step, len(d.old))
			}
		}
	}
}

func TestSparseFilesTakeNoMemory(t *testing.T) {
	d := newFileData()
	d.truncate(1 << 62)
	d.write([]byte("x"), 1<<61, false)
	if d.bytes() != 2*pageSize && d.bytes() != pageSize {
		// One page of data; its stable content is a hole.
		t.Errorf("a byte in a sparse file takes %d bytes", d.bytes())
	}
	var p [3]byte
	if n, eof := d.read(p[:], 1<<61-1); n != 3 || eof || string(p[:]) != "\x00x\x00" {
		t.Errorf("read %q, %d, %v", p, n, eof)
	}
	d.truncate(0)
	if d.bytes() != 0 {
		t.Errorf("an empty file takes %d bytes", d.bytes())
	}
}

func TestSpansAreASetOfBytes(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var s spans
		var want [200]bool
		for range 100 {
			lo := rng.Uint64N(200)
			hi := lo + rng.Uint64N(200-lo+1)
			add := rng.IntN(2) == 0
			if add {
				s.add(lo, hi)
			} else {
				s.remove(lo, hi)
			}
			for i := lo; i < hi; i++ {
				want[i] = add
			}
			var got [200]bool
			last := uint64(0)
			for i, x := range s {
				if x.lo >= x.hi || i > 0 && x.lo <= last {
					t.Fatalf("seed %d: %v is not in order", seed, s)
				}
				last = x.hi
				for j := x.lo; j < x.hi; j++ {
					got[j] = true
				}
			}
			if got != want {
				t.Fatalf("seed %d: %v after [%d, %d) %v", seed, s, lo, hi, add)
			}
			if s.touches(lo, hi) != (add && lo < hi) {
				t.Fatalf("seed %d: touches(%d, %d) of %v", seed, lo, hi, s)
			}
		}
	}
}
