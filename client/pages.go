package client

import "sync"

// slabs pools memory for extents of wsize bytes, so that a stream of writes
// does not make garbage of each megabyte.
type slabs struct {
	size int
	pool sync.Pool
}

// grow returns b with room for more bytes, at most to limit: small at first,
// then a whole slab at once, because a second adjoining write makes a stream
// likely. mine says that nothing else refers to b's memory.
func (s *slabs) grow(b []byte, more int, mine bool) []byte {
	need := len(b) + more
	if need <= cap(b) {
		return b
	}
	var nb []byte
	if len(b) == 0 && need < s.size {
		nb = make([]byte, 0, need)
	} else if p, ok := s.pool.Get().(*[]byte); ok && cap(*p) >= need {
		nb = (*p)[:0]
	} else {
		nb = make([]byte, 0, max(need, s.size))
	}
	nb = append(nb, b...)
	if mine {
		s.free(b)
	}
	return nb
}

// free takes memory back that nothing refers to any more.
func (s *slabs) free(b []byte) {
	if s.size > 0 && cap(b) == s.size {
		b = b[:0]
		s.pool.Put(&b)
	}
}
