package nfstest

import "slices"

// span is the byte range [lo, hi) of a file.
type span struct{ lo, hi uint64 }

// spans is a set of bytes: ranges in ascending order that neither touch nor
// overlap.
type spans []span

// add puts [lo, hi) into the set.
func (s *spans) add(lo, hi uint64) {
	if lo >= hi {
		return
	}
	first := s.search(lo)
	if first > 0 && (*s)[first-1].hi == lo {
		first-- // touching ranges become one
	}
	last := first
	for last < len(*s) && (*s)[last].lo <= hi {
		lo, hi = min(lo, (*s)[last].lo), max(hi, (*s)[last].hi)
		last++
	}
	*s = slices.Replace(*s, first, last, span{lo, hi})
}

// remove takes [lo, hi) out of the set.
func (s *spans) remove(lo, hi uint64) {
	if lo >= hi {
		return
	}
	first := s.search(lo)
	last := first
	var rest []span
	for last < len(*s) && (*s)[last].lo < hi {
		if x := (*s)[last]; x.lo < lo {
			rest = append(rest, span{x.lo, lo})
		}
		if x := (*s)[last]; x.hi > hi {
			rest = append(rest, span{hi, x.hi})
		}
		last++
	}
	*s = slices.Replace(*s, first, last, rest...)
}

// within returns the parts of the set that lie in [lo, hi).
func (s spans) within(lo, hi uint64) []span {
	var out []span
	for i := s.search(lo); i < len(s) && s[i].lo < hi; i++ {
		out = append(out, span{max(lo, s[i].lo), min(hi, s[i].hi)})
	}
	return out
}

// touches reports whether any byte of [lo, hi) is in the set.
func (s spans) touches(lo, hi uint64) bool {
	i := s.search(lo)
	return lo < hi && i < len(s) && s[i].lo < hi
}

// search returns the index of the first range that ends behind at.
func (s spans) search(at uint64) int {
	i, _ := slices.BinarySearchFunc(s, at, func(x span, at uint64) int {
		if x.hi <= at {
			return -1
		}
		return 1
	})
	return i
}
