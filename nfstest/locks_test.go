package nfstest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gonfs/gonfs/nlm"
)

// lk is a lock of owner o.
func lk(o int32, first, last uint64, exclusive bool) HeldLock {
	return HeldLock{FH: "f", Owner: LockOwner{"h", "o", o}, First: first, Last: last, Exclusive: exclusive}
}

func TestLocksAreSplitAndJoined(t *testing.T) {
	for _, tt := range []struct {
		name  string
		has   lockTable
		set   *HeldLock
		clear *HeldLock
		want  lockTable
	}{
		{"a lock beside another of the same kind is joined", lockTable{lk(1, 0, 9, true)}, ptr(lk(1, 10, 19, true)), nil, lockTable{lk(1, 0, 19, true)}},
		{"of another kind it is not", lockTable{lk(1, 0, 9, true)}, ptr(lk(1, 10, 19, false)), nil, lockTable{lk(1, 0, 9, true), lk(1, 10, 19, false)}},
		{"a part is downgraded", lockTable{lk(1, 0, nlm.EOF, true)}, ptr(lk(1, 10, 19, false)), nil, lockTable{lk(1, 0, 9, true), lk(1, 10, 19, false), lk(1, 20, nlm.EOF, true)}},
		{"a hole is unlocked", lockTable{lk(1, 0, 99, true)}, nil, ptr(lk(1, 10, 19, false)), lockTable{lk(1, 0, 9, true), lk(1, 20, 99, true)}},
		{"another owner's bytes stay", lockTable{lk(2, 0, 99, false)}, nil, ptr(lk(1, 10, 19, false)), lockTable{lk(2, 0, 99, false)}},
		{"the same again changes nothing", lockTable{lk(1, 5, 9, true)}, ptr(lk(1, 5, 9, true)), nil, lockTable{lk(1, 5, 9, true)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.has
			if tt.set != nil {
				got = got.set(*tt.set)
			}
			if tt.clear != nil {
				got = got.clear(tt.clear)
			}
			slices.SortFunc(got, func(a, b HeldLock) int { return int(a.First) - int(b.First) })
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Byte by byte: who holds what after random changes.
func TestLocksAgreeWithATableOfBytes(t *testing.T) {
	const size = 40
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var table lockTable
		var model [3][size]int // 0 free, 1 shared, 2 exclusive
		for range 60 {
			a, b := rng.Uint64N(size), rng.Uint64N(size)
			l := lk(int32(rng.IntN(3)), min(a, b), max(a, b), rng.IntN(2) == 0)
			kind := 0
			if rng.IntN(3) > 0 {
				if kind = 1; l.Exclusive {
					kind = 2
				}
				table = table.set(l)
			} else {
				table = table.clear(&l)
			}
			for i := l.First; i <= l.Last; i++ {
				model[l.Owner.Svid][i] = kind
			}
		}
		var got [3][size]int
		for _, h := range table {
			for i := h.First; i <= h.Last; i++ {
				if got[h.Owner.Svid][i] != 0 {
					t.Fatalf("byte %d is locked twice: %v", i, table)
				}
				if got[h.Owner.Svid][i] = 1; h.Exclusive {
					got[h.Owner.Svid][i] = 2
				}
			}
		}
		if got != model {
			t.Fatalf("got %v, want %v", got, model)
		}
	}
}

func ptr[T any](v T) *T { return &v }
