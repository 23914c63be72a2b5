package transport

import (
	"sync"
	"testing"
)

func TestBufferSizes(t *testing.T) {
	noLeak(t)
	for _, tt := range []struct{ n, class, capacity int }{
		{0, 0, 1 << 10},
		{1, 0, 1 << 10},
		{1 << 10, 0, 1 << 10},
		{1<<10 + 1, 1, 4 << 10},
		{4 << 10, 1, 4 << 10},
		{4<<10 + 1, 2, 16 << 10},
		{16<<10 + 1, 3, 64 << 10},
		{64 << 10, 3, 64 << 10},
		{64<<10 + 1, 4, 256 << 10},
		{256 << 10, 4, 256 << 10},
		{256<<10 + 1, 5, MaxMessage},
		{1<<20 + 128, 5, MaxMessage},
		{MaxMessage, 5, MaxMessage},
		{MaxMessage + 1, -1, MaxMessage + 1},
	} {
		b := NewBuffer(tt.n)
		if len(b.Bytes()) != tt.n || cap(b.b) != tt.capacity || b.class != tt.class {
			t.Errorf("%d bytes: length %d, capacity %d, class %d", tt.n, len(b.Bytes()), cap(b.b), b.class)
		}
		b.Release()
	}
}

func TestBuffersThatAreOutAreCounted(t *testing.T) {
	before := Outstanding()
	var bs []*Buffer
	for n := range 10 {
		bs = append(bs, NewBuffer(n*n*n*n*n*20))
	}
	if n := Outstanding() - before; n != 10 {
		t.Errorf("%d are out", n)
	}
	for _, b := range bs {
		b.Release()
	}
	if n := Outstanding() - before; n != 0 {
		t.Errorf("%d are out after Release", n)
	}
}

func TestSecondReleasePanics(t *testing.T) {
	for _, n := range []int{10, MaxMessage + 1} {
		before := Outstanding()
		b := NewBuffer(n)
		b.Release()
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d bytes: no panic", n)
				}
			}()
			b.Release()
		}()
		if Outstanding() != before {
			t.Error("the second Release was counted")
		}
	}
}

func TestTruncatedBufferComesBackWhole(t *testing.T) {
	noLeak(t)
	for range 100 {
		b := NewBuffer(1000)
		b.Truncate(3)
		if len(b.Bytes()) != 3 {
			t.Fatal(len(b.Bytes()))
		}
		b.Release()
	}
}

// TestBuffersAreNotShared writes to buffers from many goroutines: the race
// detector watches.
func TestBuffersAreNotShared(t *testing.T) {
	noLeak(t)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1000 {
				b := NewBuffer(1 + i*g)
				for j := range b.Bytes() {
					b.Bytes()[j] = byte(g)
					if j > 10 {
						break
					}
				}
				if b.Bytes()[0] != byte(g) {
					t.Error("somebody else writes here")
				}
				b.Release()
			}
		})
	}
	wg.Wait()
}
