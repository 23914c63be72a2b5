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
	class    int  // index of its pool, or -1
	released bool // the race detector finds two that release it in the same moment
	counted  bool // in outstanding
}

// Pools hold sizes of 1 KiB, 4 KiB, 16 KiB, 64 KiB, 256 KiB and MaxMessage,
// rather than 1 MiB, which the largest READ reply is just above. A longer
// message is allocated for itself.
const (
	minClass = 10
	classes  = 6
)

var (
	pools       [classes]sync.Pool
	counting    atomic.Bool // whether anybody has looked: two atomic operations a message are not free
	outstanding atomic.Int64
)

// classOf returns the pool for n bytes, and its buffers' size; -1 and n if
// there is none.
func classOf(n int) (class, size int) {
	switch {
	case n <= 1<<minClass:
		return 0, 1 << minClass
	case n > 1<<(minClass+2*classes-4) && n <= MaxMessage:
		return classes - 1, MaxMessage
	case n > MaxMessage:
		return -1, n
	}
	class = (bits.Len(uint(n-1)) - minClass + 1) / 2
	return class, 1 << (minClass + 2*class)
}

// NewBuffer returns a buffer of n bytes of undefined content. Whoever asks for
// it owns it.
func NewBuffer(n int) *Buffer {
	b := takeBuffer(n)
	if b.counted = counting.Load(); b.counted {
		outstanding.Add(1)
	}
	return b
}

func takeBuffer(n int) *Buffer {
	class, size := classOf(n)
	if class < 0 {
		return &Buffer{b: make([]byte, n), class: -1}
	}
	if b, ok := pools[class].Get().(*Buffer); ok {
		b.b, b.released = b.b[:n], false
		return b
	}
	return &Buffer{b: make([]byte, n, size), class: class}
}

// Bytes returns the buffer's bytes. They are valid until Release.
func (b *Buffer) Bytes() []byte { return b.b }

// Truncate cuts the buffer to its first n bytes.
func (b *Buffer) Truncate(n int) { b.b = b.b[:n] }

// Release gives the buffer back. A second Release panics: two owners would
// otherwise share one buffer later.
func (b *Buffer) Release() {
	if b.released {
		panic("transport: Buffer released twice")
	}
	b.released = true
	if b.counted {
		outstanding.Add(-1)
	}
	if b.class >= 0 {
		pools[b.class].Put(b)
	}
}

// Outstanding returns how many buffers were taken since it was first called, and
// not released: for tests that look for leaks.
func Outstanding() int64 {
	counting.Store(true)
	return outstanding.Load()
}
