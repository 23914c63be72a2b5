package lock

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

var (
	ann  = Owner{Posix, 1}
	bob  = Owner{Posix, 2}
	anns = Owner{Flock, 1} // the same number, another kind
)

func lk(o Owner, t Type, start, end uint64) Lock {
	return Lock{Owner: o, Type: t, Range: Range{start, end}}
}

func TestRangesSplitAndMergeAsPosixSays(t *testing.T) {
	const S, X = Shared, Exclusive
	give := func(ls ...Lock) (rs ranges) {
		for _, l := range ls {
			rs = rs.set(l)
		}
		return rs
	}
	for _, tt := range []struct {
		name string
		got  ranges
		want ranges
	}{
		{"locks apart stay apart", give(lk(ann, X, 0, 9), lk(ann, X, 20, 29)), ranges{lk(ann, X, 0, 9), lk(ann, X, 20, 29)}},
		{"locks that touch become one", give(lk(ann, X, 0, 9), lk(ann, X, 10, 19)), ranges{lk(ann, X, 0, 19)}},
		{"in the other order too", give(lk(ann, X, 10, 19), lk(ann, X, 0, 9)), ranges{lk(ann, X, 0, 19)}},
		{"one that fills a gap joins both", give(lk(ann, X, 0, 9), lk(ann, X, 20, 29), lk(ann, X, 10, 19)), ranges{lk(ann, X, 0, 29)}},
		{"locks that overlap become one", give(lk(ann, S, 0, 9), lk(ann, S, 5, 14)), ranges{lk(ann, S, 0, 14)}},
		{"other types do not join", give(lk(ann, S, 0, 9), lk(ann, X, 10, 19)), ranges{lk(ann, S, 0, 9), lk(ann, X, 10, 19)}},
		{"other owners do not join", give(lk(ann, S, 0, 9), lk(bob, S, 10, 19)), ranges{lk(ann, S, 0, 9), lk(bob, S, 10, 19)}},
		{"other kinds do not join", give(lk(ann, S, 0, 9), lk(anns, S, 10, 19)), ranges{lk(ann, S, 0, 9), lk(anns, S, 10, 19)}},
		{"an upgrade of the middle makes three", give(lk(ann, S, 0, 29), lk(ann, X, 10, 19)), ranges{lk(ann, S, 0, 9), lk(ann, X, 10, 19), lk(ann, S, 20, 29)}},
		{"a downgrade of the whole makes one", give(lk(ann, X, 0, 9), lk(ann, X, 20, 29), lk(ann, S, 0, 29)), ranges{lk(ann, S, 0, 29)}},
		{"to the end", give(lk(ann, X, 10, EOF), lk(ann, X, 0, 9)), ranges{lk(ann, X, 0, EOF)}},
		{"nothing comes after the end", give(lk(ann, X, 0, EOF), lk(ann, X, 5, EOF)), ranges{lk(ann, X, 0, EOF)}},
		{"an unlock in the middle makes two", give(lk(ann, X, 0, 29)).clear(ann, Range{10, 19}), ranges{lk(ann, X, 0, 9), lk(ann, X, 20, 29)}},
		{"an unlock of the head", give(lk(ann, X, 0, 29)).clear(ann, Range{0, 9}), ranges{lk(ann, X, 10, 29)}},
		{"an unlock from the middle to the end", give(lk(ann, X, 0, EOF)).clear(ann, Range{10, EOF}), ranges{lk(ann, X, 0, 9)}},
		{"an unlock of all", give(lk(ann, X, 0, 9), lk(ann, S, 20, 29)).clear(ann, WholeFile), ranges{}},
		{"an unlock takes nothing of others", give(lk(ann, S, 0, 9), lk(bob, S, 0, 9)).clear(ann, WholeFile), ranges{lk(bob, S, 0, 9)}},
		{"an unlock of what is not held", give(lk(ann, S, 0, 9)).clear(ann, Range{50, 60}), ranges{lk(ann, S, 0, 9)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if fmt.Sprint(tt.got) != fmt.Sprint(tt.want) {
				t.Errorf("got %v, want %v", tt.got, tt.want)
			}
		})
	}
}

func TestConflicts(t *testing.T) {
	const S, X = Shared, Exclusive
	held := ranges{}.set(lk(ann, S, 0, 9)).set(lk(ann, X, 20, 29))
	for _, tt := range []struct {
		name string
		want Lock
		hit  string
	}{
		{"two shared locks are no conflict", lk(bob, S, 0, 9), ""},
		{"exclusive against shared is", lk(bob, X, 9, 9), "0-9"},
		{"shared against exclusive is", lk(bob, S, 29, 40), "20-29"},
		{"the first is named", lk(bob, X, 0, EOF), "0-9"},
		{"between two locks is room", lk(bob, X, 10, 19), ""},
		{"nobody is in his own way", lk(ann, X, 0, EOF), ""},
		{"the same number of another kind is another", lk(anns, X, 0, EOF), "0-9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, ok := held.conflict(tt.want)
			if ok != (tt.hit != "") || ok && h.Range.String() != tt.hit {
				t.Errorf("got %v %v, want %q", h.Range, ok, tt.hit)
			}
		})
	}
}

func TestGapsAreWhatIsNotHeld(t *testing.T) {
	held := ranges{}.set(lk(ann, Shared, 10, 19)).set(lk(bob, Shared, 0, 9)).set(lk(ann, Exclusive, 30, EOF))
	for _, tt := range []struct {
		name string
		r    Range
		gaps string
		held string
	}{
		{"all of the file", WholeFile, "[0-9 20-29]", "[10-19 30-]"},
		{"inside a lock", Range{12, 14}, "[]", "[12-14]"},
		{"across an edge", Range{5, 14}, "[5-9]", "[10-14]"},
		{"to the end of a lock", Range{15, 19}, "[]", "[15-19]"},
		{"past it", Range{15, 20}, "[20-20]", "[15-19]"},
		{"where nothing is held", Range{22, 25}, "[22-25]", "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var of []Range
			for _, l := range held.of(ann, tt.r) {
				of = append(of, l.Range)
			}
			if got := fmt.Sprint(held.gaps(ann, tt.r)); got != tt.gaps || fmt.Sprint(of) != tt.held {
				t.Errorf("gaps %v, held %v; want %v and %v", got, of, tt.gaps, tt.held)
			}
		})
	}
}

// A table of single bytes is slow, and obviously right.
func TestRangesAgreeWithATableOfBytes(t *testing.T) {
	const size = 24
	type byteTable map[Owner][size]int8 // 0 free, 1 shared, 2 exclusive
	owners := []Owner{ann, bob, anns}
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		rs, model := ranges{}, byteTable{}
		for step := range 40 {
			o := owners[rnd.IntN(len(owners))]
			start := rnd.Uint64N(size)
			l := Lock{Owner: o, Type: Type(rnd.IntN(2)), Range: Range{start, start + rnd.Uint64N(size-start)}}
			value := int8(l.Type) + 1
			_, conflict := rs.conflict(l)
			want := false
			for other, bytes := range model {
				for i := l.Range.Start; i <= l.Range.End; i++ {
					want = want || other != o && bytes[i] > 0 && (bytes[i] == 2 || l.Type == Exclusive)
				}
			}
			if conflict != want {
				t.Fatalf("round %d, step %d: conflict of %v with %v: %v", round, step, l, rs, conflict)
			}
			switch {
			case rnd.IntN(3) == 0:
				rs, value = rs.clear(o, l.Range), 0
			case conflict:
				continue
			default:
				rs = rs.set(l)
			}
			bytes := model[o]
			for i := l.Range.Start; i <= l.Range.End; i++ {
				bytes[i] = value
			}
			model[o] = bytes
			check(t, rs, func(o Owner, i uint64) int8 { return model[o][i] }, owners, size)
		}
	}
}

// check compares rs with the model, and looks for what should have been merged.
func check(t *testing.T, rs ranges, model func(Owner, uint64) int8, owners []Owner, size uint64) {
	t.Helper()
	for _, o := range owners {
		for i := range size {
			got := int8(0)
			for _, l := range rs.of(o, Range{i, i}) {
				got += int8(l.Type) + 1
			}
			if got != model(o, i) {
				t.Fatalf("byte %d of %v is %d, want %d, in %v", i, o, got, model(o, i), rs)
			}
		}
	}
	for i, a := range rs {
		if i > 0 && rs[i-1].Range.Start > a.Range.Start {
			t.Fatalf("not in order: %v", rs)
		}
		for _, b := range rs[i+1:] {
			if a.Owner == b.Owner && a.Type == b.Type && touches(a.Range, b.Range) {
				t.Fatalf("not merged: %v", rs)
			}
		}
	}
}

func TestRangesAreRefusedOrBroughtIntoForm(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   Range
		want string
	}{
		{"the whole file as FUSE says it", Range{0, 1<<63 - 1}, "0- <nil>"},
		{"the whole file", WholeFile, "0- <nil>"},
		{"one byte", Range{3, 3}, "3-3 <nil>"},
		{"the last byte", Range{1<<63 - 1, 1<<63 - 1}, "9223372036854775807- <nil>"},
		{"an end past 2^63", Range{5, 1 << 63}, "5- <nil>"},
		{"a start past 2^63", Range{1 << 63, EOF}, "9223372036854775808- value too large for defined data type"},
		{"an end before the start", Range{5, 4}, "5-4 invalid argument"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r, err := tt.in.normal(); fmt.Sprintf("%v %v", r, err) != tt.want {
				t.Errorf("got %v %v, want %s", r, err, tt.want)
			}
		})
	}
}
