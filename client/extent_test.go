package client

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/gonfs/gonfs/rpc"
)

// A list of extents against the simplest model there is: an array of bytes of
// which some are known.
func TestExtentsHoldWhatAByteArrayHolds(t *testing.T) {
	const size = 300
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var x extents
		var model [size]int // 0: nothing there; otherwise the byte + 1
		cred := rpc.NewCred(0, 0, nil)
		for step := range 60 {
			lo := uint64(rnd.IntN(size))
			hi := min(size, lo+1+uint64(rnd.IntN(40)))
			want := 0
			for i := lo; i < hi; i++ {
				if model[i] != 0 {
					want++
				}
				model[i] = 0
			}
			if got := x.cut(lo, hi, func(*extent) bool { return true }); got != uint64(want) {
				t.Fatalf("seed %d step %d: cut [%d,%d) removed %d bytes, want %d", seed, step, lo, hi, got, want)
			}
			if rnd.IntN(3) > 0 {
				data := bytes.Repeat([]byte{byte(step)}, int(hi-lo))
				x.insert(&extent{off: lo, data: data, cred: cred})
				for i := lo; i < hi; i++ {
					model[i] = step + 1
				}
			}
			checkExtents(t, x, model[:])
		}
	}
}

func checkExtents(t *testing.T, x extents, model []int) {
	t.Helper()
	const unknown = 0xff
	p := bytes.Repeat([]byte{unknown}, len(model))
	x.overlay(p, 0)
	for i, m := range model {
		want := byte(unknown)
		if m > 0 {
			want = byte(m - 1)
		}
		if p[i] != want {
			t.Fatalf("byte %d is %d, want %d", i, p[i], want)
		}
	}
	for i := 1; i < len(x); i++ {
		if x[i-1].end() > x[i].off {
			t.Fatalf("extents %d and %d overlap", i-1, i)
		}
	}
	for lo := 0; lo < len(model); lo += 17 {
		hi := min(len(model), lo+23)
		all := true
		for _, m := range model[lo:hi] {
			all = all && m != 0
		}
		if got := covers(uint64(lo), uint64(hi), x, nil); got != all {
			t.Fatalf("covers [%d,%d) = %v, want %v", lo, hi, got, all)
		}
	}
}

func TestCutLeavesWhatMayNotBeCut(t *testing.T) {
	x := extents{{off: 0, data: make([]byte, 10), state: sending}, {off: 10, data: make([]byte, 10), state: unstable}}
	n := x.cut(5, 15, func(e *extent) bool { return e.state == unstable })
	if n != 5 || len(x) != 2 || len(x[0].data) != 10 || x[1].off != 15 {
		t.Fatalf("cut removed %d bytes and left %d extents", n, len(x))
	}
}

func TestSlabsAreReusedOnlyWhenNobodyElseHasThem(t *testing.T) {
	s := slabs{size: 1 << 10}
	b := s.grow(nil, 100, true)
	if cap(b) != 100 {
		t.Fatalf("a first small write took %d bytes", cap(b))
	}
	b = append(b, make([]byte, 100)...)
	b = s.grow(b, 1, true)
	if cap(b) != s.size || len(b) != 100 {
		t.Fatalf("the second write got len %d cap %d, want a slab", len(b), cap(b))
	}
	shared := b
	b = s.grow(b[:100:100], 1, false)
	b = append(b, 7)
	if &b[0] == &shared[0] {
		t.Fatal("memory with another owner was grown in place")
	}
}

func TestWhatIsSentAgainLeavesWhatIsNewer(t *testing.T) {
	var d fileData
	d.dirty.insert(&extent{off: 2, data: []byte("NN"), first: 5})
	want(t, "bytes that are newer", d.redoLocked(&extent{off: 0, data: []byte("oooooo"), first: 3}), 2)
	p, n := make([]byte, 6), 0
	d.dirty.overlay(p, 0)
	for _, e := range d.dirty {
		n += len(e.data)
	}
	want(t, "bytes in all", n, 6) // none twice
	want(t, "content", string(p), "ooNNoo")
	want(t, "an fsync of the old ones waits for the newer ones", d.dirty[1].first, 3)
}
