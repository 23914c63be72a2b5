package lock

import (
	"cmp"
	"slices"
)

// ranges are the locks that are held on one file, by Start. Those of one owner
// neither overlap, nor touch with the same type. Its methods are all of POSIX's
// rules of splitting and merging (fcntl(2)); they return new lists and change
// none, so that a list may be looked at while another is made.
type ranges []Lock

// conflict returns the lock with the lowest Start that is in the way of l.
func (rs ranges) conflict(l Lock) (Lock, bool) {
	for _, h := range rs {
		if h.Range.Start > l.Range.End {
			break
		}
		if h.conflicts(l) {
			return h, true
		}
	}
	return Lock{}, false
}

// clear takes the bytes r from owner: what is left of a lock that they were in
// the middle of are two.
func (rs ranges) clear(owner Owner, r Range) ranges {
	out := make(ranges, 0, len(rs)+1)
	for _, h := range rs {
		if h.Owner != owner || !h.Range.overlaps(r) {
			out = append(out, h)
			continue
		}
		if h.Range.Start < r.Start {
			left := h
			left.Range.End = r.Start - 1
			out = append(out, left)
		}
		if h.Range.End > r.End {
			right := h
			right.Range.Start = r.End + 1
			out = append(out, right)
		}
	}
	out.sort()
	return out
}

// set gives l to its owner, whatever he held of its bytes before: that is how a
// lock is upgraded and downgraded. It becomes one with those of the same type
// that it touches.
func (rs ranges) set(l Lock) ranges {
	out := rs.clear(l.Owner, l.Range)
	keep := out[:0]
	for _, h := range out {
		if h.Owner == l.Owner && h.Type == l.Type && touches(h.Range, l.Range) {
			l.Range.Start, l.Range.End = min(h.Range.Start, l.Range.Start), max(h.Range.End, l.Range.End)
			continue
		}
		keep = append(keep, h)
	}
	out = append(keep, l)
	out.sort()
	return out
}

// touches reports whether nothing lies between a and b, which do not overlap.
func touches(a, b Range) bool {
	return a.End != EOF && a.End+1 == b.Start || b.End != EOF && b.End+1 == a.Start
}

// of returns the locks of owner that have a byte in r, cut to r.
func (rs ranges) of(owner Owner, r Range) ranges {
	var out ranges
	for _, h := range rs {
		if h.Owner == owner && h.Range.overlaps(r) {
			h.Range.Start, h.Range.End = max(h.Range.Start, r.Start), min(h.Range.End, r.End)
			out = append(out, h)
		}
	}
	return out
}

// gaps returns what of r owner does not hold.
func (rs ranges) gaps(owner Owner, r Range) []Range {
	var out []Range
	next := r.Start
	for _, h := range rs.of(owner, r) {
		if h.Range.Start > next {
			out = append(out, Range{next, h.Range.Start - 1})
		}
		if h.Range.End == r.End {
			return out
		}
		next = h.Range.End + 1
	}
	return append(out, Range{next, r.End})
}

func (rs ranges) sort() {
	slices.SortStableFunc(rs, func(a, b Lock) int { return cmp.Compare(a.Range.Start, b.Range.Start) })
}
