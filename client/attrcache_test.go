package client

import (
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
)

// cacheScript drives an attrCache: times are seconds since the first call.
type cacheScript struct {
	c   attrCache
	gen uint64
	t0  time.Time
	lim limits
}

func newCacheScript() *cacheScript {
	return &cacheScript{t0: time.Now(), lim: limits{3 * time.Second, 12 * time.Second}}
}

func (s *cacheScript) at(sec float64) time.Time {
	return s.t0.Add(time.Duration(sec * float64(time.Second)))
}

func (s *cacheScript) begin(sec float64) stamp {
	s.gen++
	return stamp{at: s.at(sec), gen: s.gen}
}

// attr are attributes of a file whose ctime is c and whose size is n.
func attr(c, n int) *nfs3.Fattr {
	return &nfs3.Fattr{Type: nfs3.TypeReg, Mode: 0o644, Ctime: tick(c), Mtime: tick(c), Size: uint64(n)}
}

func (s *cacheScript) read(st stamp, a *nfs3.Fattr) seen {
	s.gen++
	return s.c.see(observed{st: st, attr: a}, s.lim, s.gen, false)
}

func (s *cacheScript) change(st stamp, pre int, a *nfs3.Fattr) seen {
	s.gen++
	o := observed{st: st, attr: a, change: true}
	if pre > 0 {
		t := tick(pre)
		o.pre = &t
	}
	return s.c.see(o, s.lim, s.gen, false)
}

func TestAttributesCountLongerTheLongerTheyStay(t *testing.T) {
	s := newCacheScript()
	s.read(s.begin(0), attr(1, 10))
	steps := []struct {
		at    float64 // when the attributes are asked for again, unchanged
		until float64 // they count for so long
	}{
		{0, 3}, {2.9, 5.9}, {3, 9}, {9, 21}, {21, 33}, {40, 52},
	}
	for _, step := range steps {
		s.read(s.begin(step.at), attr(1, 10))
		want(t, "fresh just before", s.c.fresh(s.at(step.until-0.01)), true)
		want(t, "fresh at the end", s.c.fresh(s.at(step.until)), false)
	}
	v := s.read(s.begin(60), attr(2, 10))
	want(t, "others", v.others, true)
	want(t, "fresh after a change", s.c.fresh(s.at(63.01)), false)
}

func TestNoacAttributesNeverCount(t *testing.T) {
	s := newCacheScript()
	s.lim = limits{}
	s.read(s.begin(0), attr(1, 10))
	want(t, "fresh", s.c.fresh(s.at(0)), false)
	want(t, "size", s.c.size(), 10)
}

func TestAgeCountsFromTheRequestNotTheReply(t *testing.T) {
	s := newCacheScript()
	st := s.begin(0)
	s.gen += 10
	s.read(st, attr(1, 10)) // the reply took its time
	want(t, "left at 2 s", s.c.left(s.at(2)), time.Second)
}

func TestRepliesFromBeforeALocalChangeAreDropped(t *testing.T) {
	s := newCacheScript()
	s.read(s.begin(0), attr(1, 10))
	old := s.begin(1)
	s.gen++
	s.c.localChange(s.gen, 50)
	s.read(old, attr(2, 20))
	want(t, "size", s.c.size(), 50)
	want(t, "ctime", s.c.attr.Ctime, tick(1))
	s.read(s.begin(2), attr(2, 50))
	want(t, "ctime from a later reply", s.c.attr.Ctime, tick(2))
}

func TestOfOverlappingRepliesTheLaterCtimeWins(t *testing.T) {
	for _, order := range []string{"newer first", "older first"} {
		s := newCacheScript()
		s.read(s.begin(0), attr(1, 10))
		a, b := s.begin(1), s.begin(1)
		if order == "newer first" {
			s.read(b, attr(3, 30))
			s.read(a, attr(2, 20))
		} else {
			s.read(a, attr(2, 20))
			s.read(b, attr(3, 30))
		}
		want(t, order+": size", s.c.size(), 30)
	}
}

func TestLocalGrowthHoldsUntilTheServerSpeaks(t *testing.T) {
	s := newCacheScript()
	s.read(s.begin(0), attr(1, 10))
	s.gen++
	s.c.localChange(s.gen, 100)
	st := s.begin(1)
	s.change(st, 0, nil) // a WRITE whose reply had no attributes
	want(t, "size after the WRITE", s.c.size(), 100)
	want(t, "fresh", s.c.fresh(s.at(1)), false)
	v := s.read(s.begin(2), attr(2, 100))
	want(t, "others", v.others, false)
	v = s.read(s.begin(3), attr(3, 40)) // cut elsewhere
	want(t, "size after others cut the file", s.c.size(), 40)
	want(t, "others", v.others, true)
}

func TestWhoseChangeWasIt(t *testing.T) {
	s := newCacheScript()
	s.read(s.begin(0), attr(1, 10))

	a, b := s.begin(1), s.begin(1)
	s.c.begin(a.gen)
	s.c.begin(b.gen)
	want(t, "second of two changes answered first", s.change(b, 2, attr(3, 30)).others, false)
	want(t, "a look in between", s.read(s.begin(1), attr(3, 30)).others, false)
	want(t, "first of two changes", s.change(a, 1, attr(2, 20)).others, false)
	want(t, "size", s.c.size(), 30)
	want(t, "spans left", len(s.c.spans), 0)

	c := s.begin(2)
	s.c.begin(c.gen)
	want(t, "a change by others under ours", s.change(c, 4, attr(5, 50)).others, true)
	want(t, "a look thereafter", s.read(s.begin(3), attr(5, 50)).others, false)

	want(t, "a change without ctime before it", s.change(s.begin(4), 0, attr(7, 70)).others, false)
	want(t, "a look thereafter", s.read(s.begin(5), attr(7, 70)).others, false)
	want(t, "a ctime that went back", s.read(s.begin(6), attr(6, 60)).others, true)
}

func TestACallInFlightPutsTheVerdictOff(t *testing.T) {
	s := newCacheScript()
	s.read(s.begin(0), attr(1, 10))
	a := s.begin(1)
	s.c.begin(a.gen)
	want(t, "a look while our call is in flight", s.read(s.begin(1), attr(4, 10)).others, false)
	s.gen++
	s.c.end(a.gen) // refused: it changed nothing
	want(t, "the next look", s.read(s.begin(2), attr(4, 10)).others, true)
}

func TestTwoChangesInOneTickAreAskedForAgain(t *testing.T) {
	s := newCacheScript()
	s.read(s.begin(0), attr(1, 10))
	a, b := s.begin(1), s.begin(1)
	s.change(b, 1, attr(2, 200))
	s.change(a, 1, attr(2, 100))
	want(t, "size", s.c.size(), 200)
	want(t, "fresh", s.c.fresh(s.at(1)), false)
}

func TestNothingFromBeforeALockCounts(t *testing.T) {
	s := newCacheScript()
	s.read(s.begin(0), attr(1, 10))
	look, change := s.begin(1), s.begin(1)
	s.gen++
	s.c.distrust(s.gen)
	want(t, "fresh", s.c.fresh(s.at(1)), false)
	s.read(look, attr(2, 20))
	want(t, "fresh after a look from before", s.c.fresh(s.at(1)), false)
	s.change(change, 2, attr(3, 30))
	want(t, "fresh after a change from before", s.c.fresh(s.at(1)), false)
	s.read(s.begin(1), attr(3, 30))
	want(t, "fresh after a look", s.c.fresh(s.at(1)), true)
}

func TestRightsThatChangeAreNoticed(t *testing.T) {
	s := newCacheScript()
	s.read(s.begin(0), attr(1, 10))
	a := attr(2, 10)
	a.Mode = 0o600
	want(t, "rights", s.read(s.begin(1), a).rights, true)
	want(t, "rights", s.read(s.begin(2), a).rights, false)
}

func TestAChangeWithoutAttributesMakesOlderRepliesTooOld(t *testing.T) {
	s := newCacheScript()
	s.read(s.begin(0), attr(1, 10))
	old := s.begin(1)
	s.change(s.begin(1), 0, nil)
	s.read(old, attr(2, 10)) // somebody's change from before ours
	want(t, "fresh", s.c.fresh(s.at(1)), false)
	want(t, "ctime", s.c.attr.Ctime, tick(1))
}
