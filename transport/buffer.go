package transport

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Buffer is a pooled message. Whoever gets one owns it and calls Release once;
// its bytes must not be touched after that.
type Buffer struct {
	b        []byte
	class    int // index of its pool, or -1
	released atomic.Bool
}

// Pools hold sizes of 1 KiB, 4 KiB, 16 KiB … 1 MiB; a longer message is
// allocated for itself.
const (
	minClass = 10
	classes  = 6
)

var (
	pools       [classes]sync.Pool
	outstanding atomic.Int64
)

// NewBuffer returns a buffer of n bytes of undefined content.
func NewBuffer(n int) *Buffer {
	outstanding.Add(1)
	class := 0
	if n > 1<<minClass {
		class = (bits.Len(uint(n-1)) - minClass + 1) / 2
	}
	if class >= classes {
		return &Buffer{b: make([]byte, n), class: -1}
	}
	if b, ok := pools[class].Get().(*Buffer); ok {
		b.b = b.b[:n]
		b.released.Store(false)
		return b
	}
	return &Buffer{b: make([]byte, n, 1<<(minClass+2*class)), class: class}
}

// Bytes returns the buffer's bytes. They are valid until Release.
func (b *Buffer) Bytes() []byte { return b.b }

// Truncate cuts the buffer to its first n bytes.
func (b *Buffer) Truncate(n int) { b.b = b.b[:n] }

// Release gives the buffer back. A second Release panics: two owners would
// otherwise share one buffer later.
func (b *Buffer) Release() {
	if b.released.Swap(true) {
		panic("transport: Buffer released twice")
	}
	outstanding.Add(-1)
	if b.class >= 0 {
		pools[b.class].Put(b)
	}
}

// Outstanding returns how many buffers have not been released: for tests that
// look for leaks.
func Outstanding() int64 { return outstanding.Load() }
