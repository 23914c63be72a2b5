package client

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// oldOnes returns how many of the hashes 1 to n are of old entries.
func oldOnes(l *dirLog, n uint64) (count int) {
	for hash := uint64(1); hash <= n; hash++ {
		if l.isOld(hash) {
			count++
		}
	}
	return count
}

func TestDirLogFindsEveryCookie(t *testing.T) {
	patterns := map[string]func(i uint64) uint64{
		"counting":         func(i uint64) uint64 { return i },
		"hashes that grow": func(i uint64) uint64 { return i * 0x0001_2345_6789_abcd },
		"with the top bit": func(i uint64) uint64 { return 1<<63 | i },
		"all over the place": func(i uint64) uint64 {
			return rand.New(rand.NewPCG(i, 1)).Uint64()
		},
	}
	const n = 3*blockEntries + 17
	for name, cookie := range patterns {
		t.Run(name, func(t *testing.T) {
			var l dirLog
			for i := uint64(1); i <= n; i++ {
				l.put(i, cookie(i), i)
			}
			for i := uint64(1); i <= n; i++ {
				if c, ok := l.cookie(i); !ok || c != cookie(i) {
					t.Fatalf("cookie of entry %d: %x, %v", i, c, ok)
				}
			}
			for _, i := range []uint64{0, n + 1, n + 1000} {
				if _, ok := l.cookie(i); ok {
					t.Errorf("entry %d has a cookie", i)
				}
			}
			l.age(300)
			want(t, "entries that are old", oldOnes(&l, n), 300)
		})
	}
}

func TestDirLogForgetsWhatChangedAndAllBehindIt(t *testing.T) {
	var l dirLog
	for i := uint64(1); i <= 600; i++ {
		l.put(i, i*10, i)
	}
	l.put(300, 3000, 300) // the same
	want(t, "entries", l.n, 600)
	l.put(301, 99, 1301)
	want(t, "entries", l.n, 301)
	for i, cookie := range map[uint64]uint64{1: 10, 257: 2570, 300: 3000, 301: 99} {
		if c, ok := l.cookie(i); !ok || c != cookie {
			t.Errorf("cookie of entry %d: %d, %v", i, c, ok)
		}
	}
	if _, ok := l.cookie(302); ok {
		t.Error("entry 302 has a cookie")
	}
	l.put(302, 5, 1302)
	if c, ok := l.cookie(302); !ok || c != 5 {
		t.Errorf("cookie of entry 302: %d, %v", c, ok)
	}
	l.age(302)
	if _, ok := l.cookie(5); ok {
		t.Error("a cookie that the server forgot is known")
	}
	want(t, "entries that are old", oldOnes(&l, 300), 300)
	l.put(303, 7, 1303)
	if c, ok := l.cookie(303); !ok || c != 7 {
		t.Errorf("cookie of entry 303: %d, %v", c, ok)
	}
}

func TestDirLogIsBounded(t *testing.T) {
	var l dirLog
	for i := uint64(1); i <= 10; i++ {
		l.put(i, i, i)
	}
	l.n, l.kept = maxLogged-5, maxLogged-5 // as if so many had come in between
	for i := uint64(maxLogged - 4); i <= maxLogged+10; i++ {
		l.put(i, i, i)
	}
	want(t, "full", l.full(), true)
	if _, ok := l.cookie(maxLogged + 1); ok {
		t.Error("an entry beyond the bound was remembered")
	}
	want(t, "entries counted", l.n, maxLogged+10)
}

// What all open directories remember is bounded together; who comes late
// remembers what there is room for, and nothing behind it.
func TestDirLogsAreBoundedTogether(t *testing.T) {
	var total atomic.Int64
	total.Store(maxListed - 15)
	first, next := dirLog{share: &share{total: &total}}, dirLog{share: &share{total: &total}}
	fill := func(l *dirLog) {
		for i := uint64(1); i <= 10; i++ {
			l.put(i, i, i)
		}
	}
	fill(&first)
	fill(&next)
	want(t, "the first is full", first.full(), false)
	want(t, "the next is full", next.full(), true)
	want(t, "in all", total.Load(), maxListed)
	first.reset()
	next.put(11, 11, 11)
	_, fifth := next.cookie(5)
	_, sixth := next.cookie(6)
	_, last := next.cookie(11)
	want(t, "what it remembers", fifth && !sixth && !last, true)
	want(t, "in all, after the first was forgotten", total.Load(), maxListed-10)
	next.put(3, 33, 33) // it has changed, and all behind it is forgotten
	next.put(4, 44, 44)
	want(t, "in all, after the next was read again", total.Load(), maxListed-15+4)
	want(t, "entries that came", next.n, 4)
	want(t, "the next is full, now that there is room", next.full(), false)
}

// When the server forgets its cookies, again and again, nothing is kept twice.
func TestADirLogThatAgesDoesNotGrow(t *testing.T) {
	var total atomic.Int64
	l := dirLog{share: &share{total: &total}}
	const each = 10_000
	for round := uint64(1); round <= 5; round++ {
		for i := l.n + 1; i <= round*each+500; i++ {
			l.put(i, i*7, i)
		}
		l.age(round * each)
		want(t, "entries that came", l.n, round*each)
		want(t, "entries in all", total.Load(), int64(round*each))
		want(t, "entries that are old", oldOnes(&l, l.n+500), int(round*each))
		want(t, "blocks", len(l.blocks), 0)
		want(t, "a snug copy", cap(l.old) <= int(round*each)*9/8, true)
	}
	l.put(5*each+1, 1<<63, 1<<63)
	cookie, known := l.cookie(5*each + 1)
	want(t, "the cookie of the next", known && cookie == 1<<63, true)
	l.reset()
	want(t, "entries in all, after it was forgotten", total.Load(), 0)
	want(t, "entries that are old then", oldOnes(&l, 5*each), 0)
}
