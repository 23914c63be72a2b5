package xdr

import "strings"

// Arena is common memory of short strings. Whoever keeps one of them keeps the
// 4 KiB that it lies in, and no more. The zero Arena is empty.
type Arena struct{ chunk strings.Builder }

// arenaChunk is how many bytes of strings share an allocation: some hundred
// names.
const arenaChunk = 4 << 10

// add returns b as a string.
func (a *Arena) add(b []byte) string {
	if len(b) > arenaChunk/4 {
		return string(b)
	}
	if a.chunk.Cap()-a.chunk.Len() < len(b) {
		a.chunk = strings.Builder{} // the strings in the old one keep it alive
		a.chunk.Grow(arenaChunk)
	}
	at := a.chunk.Len()
	a.chunk.Write(b)
	return a.chunk.String()[at:]
}
