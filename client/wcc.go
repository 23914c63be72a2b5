package client

import (
	"cmp"
	"math"
	"slices"

	"github.com/gonfs/gonfs/nfs3"
)

// Whose change was it? NFSv3 has no change attribute, so ctime is taken for
// one: when it moved, somebody changed the object. Our own WRITEs and CREATEs
// move it too, and dropping the caches after each of them would make caching
// pointless. Replies to changing calls carry wcc_data (RFC 1813 section 2.6):
// the ctime before and the ctime after. These are the two ends of a span, and
// spans that touch make a chain. What lies on an unbroken chain from the last
// ctime that we knew (the base) was done by us; a gap was somebody else, or a
// call of ours whose reply is still on its way.

// span is the stretch of ctime that one reply tells of. A reply to a call that
// changes nothing is a span of length zero: somebody moved ctime to there.
type span struct {
	pre, post nfs3.Time
	noted     uint64 // generation at which the reply came
}

// none is the generation that stands for "no call is in flight".
const none = math.MaxUint64

// maxSpans bounds the spans that wait for an explanation. A server that makes
// up ctimes reaches it; its files are then never cached for long.
const maxSpans = 64

// judge follows the chain from base through spans. It returns the new base,
// the spans that only a call in flight could still connect, and whether others
// changed the object. oldest is the generation at which the oldest own call in
// flight began, or none: a gap that was noted before it began can no longer be
// explained. spans is reordered.
func judge(base nfs3.Time, spans []span, oldest uint64) (nfs3.Time, []span, bool) {
	slices.SortFunc(spans, func(a, b span) int { return compareTime(a.pre, b.pre) })
	rest := spans[:0]
	for _, s := range spans {
		switch {
		case s.pre == base && before(s.post, s.pre):
			base = s.post // the server's clock was set back under our call
		case !before(base, s.pre):
			if before(base, s.post) {
				base = s.post
			}
		default:
			rest = append(rest, s)
		}
	}
	others := len(rest) > maxSpans
	for _, s := range rest {
		others = others || oldest > s.noted
	}
	if !others {
		return base, rest, false
	}
	for _, s := range rest {
		if before(base, s.post) {
			base = s.post
		}
	}
	return base, nil, true
}

// compareTime orders two times of one server.
func compareTime(a, b nfs3.Time) int {
	if c := cmp.Compare(a.Sec, b.Sec); c != 0 {
		return c
	}
	return cmp.Compare(a.Nsec, b.Nsec)
}

func before(a, b nfs3.Time) bool { return compareTime(a, b) < 0 }
