package client

import (
	"encoding/binary"
	"slices"
	"sort"
)

// dirLog remembers what was read of a directory: the server's cookie behind
// each entry, for Seek, and a hash of its name, for starting over. Cookies are
// kept as differences, 1–9 bytes each, so that a directory of a million
// entries costs 10 to 16 MB while it is open.
type dirLog struct {
	old    []uint64   // sorted hashes of the first entries, if the server has forgotten their cookies
	blocks []dirBlock // the entries behind those
	n      uint64     // entries that came
	kept   uint64     // of them, the first so many are in old and blocks
	share  *share     // of what all directories may keep; nil: nobody counts
}

// dirBlock is a run of entries.
type dirBlock struct {
	first  uint64 // ordinal of its first entry
	base   uint64 // cookie that the first difference counts from
	deltas []byte // varints
	last   uint64 // cookie of its last entry
	hash   []uint64
}

const (
	blockEntries = 256
	maxLogged    = 4 << 20 // entries; what lies beyond is reached by counting
	maxListed    = 8 << 20 // of all open directories of a mount
)

// full reports whether entries came that were not remembered.
func (l *dirLog) full() bool { return l.n > l.kept }

func (l *dirLog) reset() {
	l.keep(0)
	*l = dirLog{share: l.share}
}

// keep notes that n entries are in old and blocks.
func (l *dirLog) keep(n uint64) {
	if l.share != nil {
		l.share.add(int(n) - int(l.kept))
	}
	l.kept = n
}

// room reports whether one more entry may be remembered.
func (l *dirLog) room() bool {
	return l.kept < maxLogged && (l.share == nil || l.share.total.Load() < maxListed)
}

// put remembers entry number ordinal. An ordinal that is known is an entry
// that is read again after a Seek: if it differs, so may all behind it.
func (l *dirLog) put(ordinal, cookie, hash uint64) {
	if ordinal <= l.n {
		if c, ok := l.cookie(ordinal); ok && c == cookie {
			return
		}
		l.cut(ordinal - 1)
	}
	if ordinal != l.n+1 {
		return // behind entries that were not remembered
	}
	l.n++
	if l.n != l.kept+1 || !l.room() {
		return
	}
	l.keep(l.n)
	b := l.tail()
	if b == nil || len(b.hash) == blockEntries {
		base := uint64(0)
		if b != nil {
			base = b.last
		}
		l.blocks = append(l.blocks, dirBlock{first: ordinal, base: base, last: base})
		b = l.tail()
	}
	b.deltas = binary.AppendVarint(b.deltas, int64(cookie-b.last)) // wraps around, and back when it is added
	b.last = cookie
	b.hash = append(b.hash, hash)
}

func (l *dirLog) tail() *dirBlock {
	if len(l.blocks) == 0 {
		return nil
	}
	return &l.blocks[len(l.blocks)-1]
}

// cookie returns the server's cookie behind entry number ordinal, if it is
// known and good.
func (l *dirLog) cookie(ordinal uint64) (uint64, bool) {
	i := l.find(ordinal)
	if i < 0 {
		return 0, false
	}
	b := &l.blocks[i]
	c, at := b.base, b.deltas
	for range ordinal - b.first + 1 {
		d, n := binary.Varint(at)
		c, at = c+uint64(d), at[n:]
	}
	return c, true
}

// find returns the index of the block that holds ordinal, or -1.
func (l *dirLog) find(ordinal uint64) int {
	i := sort.Search(len(l.blocks), func(i int) bool { return l.blocks[i].first > ordinal }) - 1
	if i < 0 || ordinal-l.blocks[i].first >= uint64(len(l.blocks[i].hash)) {
		return -1
	}
	return i
}

// cut forgets all entries behind number n, which is none of old.
func (l *dirLog) cut(n uint64) {
	for len(l.blocks) > 0 && l.tail().first > n {
		l.blocks = l.blocks[:len(l.blocks)-1]
	}
	if b := l.tail(); b != nil {
		keep := n - b.first + 1
		if keep < uint64(len(b.hash)) {
			old := *b
			*b = dirBlock{first: old.first, base: old.base, last: old.base}
			b.hash = old.hash[:keep]
			used := 0
			for range keep {
				d, w := binary.Varint(old.deltas[used:])
				used += w
				b.last += uint64(d)
			}
			b.deltas = old.deltas[:used]
		}
	}
	l.n = n
	l.keep(min(l.kept, n))
}

// age forgets the cookies, as the server did, and all entries behind number n,
// which is none of old: they come again. Once the copy is made, what is kept takes
// no more memory than before.
func (l *dirLog) age(n uint64) {
	l.cut(n)
	old := append(make([]uint64, 0, l.kept), l.old...)
	for _, b := range l.blocks {
		old = append(old, b.hash...)
	}
	slices.Sort(old)
	l.old, l.blocks = old, nil
}

// isOld reports whether hash is of an entry that came before the server forgot
// the cookies.
func (l *dirLog) isOld(hash uint64) bool {
	_, found := slices.BinarySearch(l.old, hash)
	return found
}
