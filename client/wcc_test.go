package client

import (
	"testing"

	"github.com/gonfs/gonfs/nfs3"
)

// tick returns a ctime of the tests.
func tick(n int) nfs3.Time { return nfs3.Time{Sec: uint32(n)} }

func TestJudge(t *testing.T) {
	type s = span
	at := func(pre, post int, noted uint64) span { return span{tick(pre), tick(post), noted} }
	tests := []struct {
		name   string
		base   int
		spans  []span
		oldest uint64
		now    int
		rest   int
		others bool
	}{
		{name: "nothing happened", base: 5, oldest: none, now: 5},
		{name: "our change follows what we knew", base: 5, spans: []s{at(5, 6, 1)}, oldest: none, now: 6},
		{name: "three changes of ours make a chain", base: 5,
			spans: []s{at(5, 6, 1), at(6, 7, 2), at(7, 9, 3)}, oldest: none, now: 9},
		{name: "replies in any order make the same chain", base: 5,
			spans: []s{at(7, 9, 1), at(5, 6, 2), at(6, 7, 3)}, oldest: none, now: 9},
		{name: "spans that overlap make a chain", base: 5,
			spans: []s{at(5, 8, 1), at(6, 9, 2)}, oldest: none, now: 9},
		{name: "a server that reads ctime before both of two changes", base: 5,
			spans: []s{at(5, 7, 1), at(5, 7, 2)}, oldest: none, now: 7},
		{name: "a gap before our change was others' doing", base: 5,
			spans: []s{at(6, 7, 1)}, oldest: none, now: 7, others: true},
		{name: "a gap between our changes was others' doing", base: 5,
			spans: []s{at(5, 6, 1), at(8, 9, 2)}, oldest: none, now: 9, others: true},
		{name: "a ctime that nobody explains was others' doing", base: 5,
			spans: []s{at(9, 9, 1)}, oldest: none, now: 9, others: true},
		{name: "a gap may be filled by a call that was in flight", base: 5,
			spans: []s{at(6, 7, 4)}, oldest: 3, now: 5, rest: 1},
		{name: "a gap cannot be filled by a call that began later", base: 5,
			spans: []s{at(6, 7, 4)}, oldest: 5, now: 7, others: true},
		{name: "the reply in flight fills the gap", base: 5,
			spans: []s{at(6, 7, 4), at(5, 6, 8)}, oldest: none, now: 7},
		{name: "what a GETATTR saw between two of our changes is ours", base: 5,
			spans: []s{at(6, 6, 1), at(5, 6, 2), at(6, 7, 3)}, oldest: none, now: 7},
		{name: "dirty data may explain any gap", base: 5,
			spans: []s{at(7, 7, 1), at(9, 9, 2)}, oldest: 0, now: 5, rest: 2},
		{name: "a reply from long ago changes nothing", base: 5,
			spans: []s{at(2, 3, 1)}, oldest: none, now: 5},
		{name: "the clock was set back under our change", base: 5,
			spans: []s{at(5, 1, 1)}, oldest: none, now: 1},
		{name: "one gap is filled and one is not", base: 5,
			spans: []s{at(5, 6, 1), at(8, 9, 2)}, oldest: 1, now: 6, rest: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now, rest, others := judge(tick(tt.base), tt.spans, tt.oldest)
			want(t, "base", now, tick(tt.now))
			want(t, "spans left", len(rest), tt.rest)
			want(t, "others", others, tt.others)
		})
	}
}

func TestJudgeDoesNotHoardSpans(t *testing.T) {
	var spans []span
	for i := range maxSpans + 1 {
		spans = append(spans, span{tick(10 * i), tick(10*i + 1), 1})
	}
	_, rest, others := judge(tick(0), spans, 0)
	want(t, "spans at the bound", len(rest), maxSpans)
	want(t, "others", others, false)
	_, rest, others = judge(tick(1), append(rest, span{tick(9999), tick(9999), 2}), 0)
	want(t, "spans over the bound", len(rest), 0)
	want(t, "others", others, true)
}
