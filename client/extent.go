package client

import (
	"cmp"
	"slices"
	"time"

	"github.com/gonfs/gonfs/rpc"
)

// extent is a run of bytes that the server does not hold safely yet. It never
// crosses a multiple of wsize, so one WRITE can carry it.
//
// Life of an extent: dirty (may grow and be overwritten) → sending (frozen: a
// WRITE refers to its bytes) → unstable (the server has it, a restart could
// lose it) → gone, when a COMMIT brings the verifier that its WRITE brought. A
// verifier that differs makes it dirty again.
type extent struct {
	off    uint64
	data   []byte
	cred   *rpc.Cred // of the File that wrote it; never nil
	first  uint64    // sequence number of the oldest write in it
	since  time.Time // when it entered its state
	state  extentState
	verf   [8]byte // unstable: write verifier of its WRITE
	commit uint64  // unstable: COMMITs sent before it became so
	shared bool    // its memory has another extent in it, or is lent: never pooled
	lender *lender // whose memory it is, until it is safe; nil: ours
}

type extentState uint8

const (
	dirty extentState = iota
	sending
	unstable
)

func (e *extent) end() uint64 { return e.off + uint64(len(e.data)) }

// slice returns the part [lo, hi) of e as an extent that shares e's memory.
func (e *extent) slice(lo, hi uint64) *extent {
	p := *e
	p.off, p.data, p.shared = lo, e.data[lo-e.off:hi-e.off:hi-e.off], true
	e.shared = true
	return &p
}

// extents is a list of extents, in order of offset, none overlapping another.
type extents []*extent

// search returns the index of the first extent that ends after off.
func (x extents) search(off uint64) int {
	i, _ := slices.BinarySearchFunc(x, off, func(e *extent, off uint64) int {
		return cmp.Compare(e.end(), off+1) // end > off ⇔ end ≥ off+1
	})
	return i
}

// overlap returns the extents that hold bytes of [lo, hi), aliasing x.
func (x extents) overlap(lo, hi uint64) extents {
	if lo >= hi {
		return nil
	}
	i := x.search(lo)
	j := i
	for j < len(x) && x[j].off < hi {
		j++
	}
	return x[i:j]
}

// insert puts e in its place; nothing of x may overlap it.
func (x *extents) insert(e *extent) {
	*x = slices.Insert(*x, x.search(e.off), e)
}

// remove takes e out, if it is there.
func (x *extents) remove(e *extent) {
	if i := x.search(e.off); i < len(*x) && (*x)[i] == e {
		*x = slices.Delete(*x, i, i+1)
	}
}

// cut removes the bytes [lo, hi) from all extents for which may returns true,
// and returns how many bytes that were.
func (x *extents) cut(lo, hi uint64, may func(*extent) bool) (removed uint64) {
	if len(x.overlap(lo, hi)) == 0 {
		return 0
	}
	out := make(extents, 0, len(*x)+1)
	for _, e := range *x {
		if e.end() <= lo || e.off >= hi || !may(e) {
			out = append(out, e)
			continue
		}
		from, to := max(lo, e.off), min(hi, e.end())
		removed += to - from
		e.lender.signal()
		if e.off < from {
			out = append(out, e.slice(e.off, from))
		}
		if to < e.end() {
			out = append(out, e.slice(to, e.end()))
		}
	}
	*x = out
	return removed
}

// cutAll removes the bytes that newer extents hold, and returns how many that
// were.
func (x *extents) cutAll(newer extents) (removed uint64) {
	for _, e := range newer {
		removed += x.cut(e.off, e.end(), func(*extent) bool { return true })
	}
	return removed
}

// overlay copies the bytes that x holds of [off, off+len(p)) into p.
func (x extents) overlay(p []byte, off uint64) {
	for _, e := range x.overlap(off, off+uint64(len(p))) {
		from := max(off, e.off)
		copy(p[from-off:], e.data[from-e.off:])
	}
}

// end returns where the last extent ends, or 0.
func (x extents) end() uint64 {
	if len(x) == 0 {
		return 0
	}
	return x[len(x)-1].end()
}
