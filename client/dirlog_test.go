package client

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

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
			want(t, "hashes of the first 300", len(l.hashes(300)), 300)
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
	l.cutCookies()
	if _, ok := l.cookie(5); ok {
		t.Error("a cookie that the server forgot is known")
	}
	want(t, "hashes", len(l.hashes(302)), 302)
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
	want(t, "hashes", len(l.hashes(l.n)), 15)
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
