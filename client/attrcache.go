package client

import (
	"slices"
	"time"

	"github.com/gonfs/gonfs/nfs3"
)

// stamp is taken before a call is sent, and says how old its reply is: the
// reply tells of the object at some moment after stamp, however late it comes.
type stamp struct {
	at  time.Time // the age of cached attributes counts from here
	gen uint64    // place of the call among all calls and local changes
	own bool      // from beginChange
}

// limits are how long attributes count (nfs(5) acregmin … acdirmax). All zero
// is noac: never longer than the operation that asked.
type limits struct{ min, max time.Duration }

// attrCache is what is known of an object's attributes. It is guarded by its
// Inode's mutex. Its rules:
//
//   - attributes count for timeo from the moment at which their request was
//     sent; timeo doubles each time that they are found unchanged, and falls
//     back to the minimum when others changed the object;
//   - attributes from a reply that began before the last local change are
//     dropped, for they may tell of the time before it;
//   - of two replies whose calls overlapped, the one with the later ctime wins.
type attrCache struct {
	attr  nfs3.Fattr
	known bool
	doubt bool      // nothing that began before changed makes attr count
	at    time.Time // zero: expired
	timeo time.Duration
	grown time.Time // when timeo was set

	taken   uint64 // generation at which attr was last replaced
	changed uint64 // generation of the last local change
	floor   uint64 // size after local changes that attr may not tell of yet

	base   nfs3.Time // ctime up to which all changes are accounted for
	spans  []span    // what lies beyond base (judge)
	flying []uint64  // generations of own changing calls in flight
	pardon uint64    // an own change whose reply brought no ctime: what calls later than this see is ours
}

// observed is what one reply says of an object.
type observed struct {
	st     stamp
	attr   *nfs3.Fattr // after the call; nil if the reply did not say
	change bool        // the call changes the object
	pre    *nfs3.Time  // ctime before the call; nil if the reply did not say
}

// seen is what an observation comes to.
type seen struct {
	others bool // somebody else changed the object
	rights bool // mode, owner or group are not what they were
}

// fresh reports whether the attributes count at now.
func (c *attrCache) fresh(now time.Time) bool {
	return c.known && !c.at.IsZero() && now.Sub(c.at) < c.timeo
}

// left returns how long the attributes will go on to count.
func (c *attrCache) left(now time.Time) time.Duration {
	if !c.fresh(now) {
		return 0
	}
	return c.timeo - now.Sub(c.at)
}

// expire makes the attributes count no more.
func (c *attrCache) expire() { c.at = time.Time{} }

// distrust is expire for calls, too, that were sent before gen: their replies may
// come only now.
func (c *attrCache) distrust(gen uint64) {
	c.expire()
	c.changed, c.doubt = gen, true
}

// begin notes that a call which changes the object is about to be sent.
func (c *attrCache) begin(gen uint64) { c.flying = append(c.flying, gen) }

// end notes that the call of gen is over, whatever came of it.
func (c *attrCache) end(gen uint64) {
	if i := slices.Index(c.flying, gen); i >= 0 {
		c.flying = slices.Delete(c.flying, i, i+1)
	}
}

// oldest returns the generation of the oldest own change in flight. Data that
// is not on the server yet counts as one: its WRITEs may be under way.
func (c *attrCache) oldest(dirty bool) uint64 {
	if dirty {
		return 0
	}
	if len(c.flying) == 0 {
		return none
	}
	return slices.Min(c.flying)
}

// see books a reply that came at generation gen. dirty says that the object
// has data that is not safe on the server.
func (c *attrCache) see(o observed, lim limits, gen uint64, dirty bool) (s seen) {
	if o.change {
		c.end(o.st.gen)
	}
	late := o.st.gen <= c.changed
	overlap := late || o.st.gen <= c.taken
	c.doubt = c.doubt && (late || o.attr == nil)
	if o.change {
		c.changed = gen // whoever asked before this reply may have asked before the change
		if o.attr == nil {
			c.pardon = gen
			c.expire()
		}
	}
	if o.attr != nil {
		switch {
		case !c.known:
			c.adopt(o, lim, gen)
			c.base, c.timeo, c.grown = o.attr.Ctime, lim.min, o.st.at
			return s
		case o.change:
			s = c.seeChange(o, lim, gen, overlap)
		case late, overlap && !before(c.attr.Ctime, o.attr.Ctime):
			// older than what we have, or no news
		default:
			s = c.seeRead(o, lim, gen, overlap)
		}
	}
	if len(c.spans) > 0 {
		var others bool
		c.base, c.spans, others = judge(c.base, c.spans, c.oldest(dirty))
		s.others = s.others || others
	}
	if s.others {
		c.timeo, c.grown = lim.min, o.st.at
	}
	return s
}

// seeChange books the attributes that a changing call of ours brought.
func (c *attrCache) seeChange(o observed, lim limits, gen uint64, overlap bool) (s seen) {
	a := span{pre: c.base, post: o.attr.Ctime, noted: gen} // no ctime before: ours by default
	if o.pre != nil {
		a.pre = *o.pre
	}
	c.spans = append(c.spans, a)
	switch {
	case !overlap, before(c.attr.Ctime, o.attr.Ctime):
		s = c.adopt(o, lim, gen)
		if !overlap && o.attr.Size < c.floor {
			c.expire() // more was written here: it is still on its way, or others have cut the file
		}
		return s
	case c.attr.Ctime == o.attr.Ctime && c.attr != *o.attr:
		// Two changes within one tick of the server's clock, and no telling
		// which came first. Sizes grow by WRITE; the rest is asked for again.
		c.attr.Size = max(c.attr.Size, o.attr.Size)
		c.expire()
	}
	return s
}

// seeRead books attributes that a call brought which changed nothing.
func (c *attrCache) seeRead(o observed, lim limits, gen uint64, overlap bool) (s seen) {
	ctime := o.attr.Ctime
	switch {
	case c.pardon > 0 && o.st.gen > c.pardon:
		c.base, c.spans, c.pardon = ctime, nil, 0
	case before(ctime, c.base):
		c.base, c.spans, s.others = ctime, nil, true // restored from a backup, or the clock was set back
	case before(c.base, ctime):
		c.spans = append(c.spans, span{pre: ctime, post: ctime, noted: gen})
	}
	t := c.adopt(o, lim, gen)
	s.rights = t.rights
	if !overlap {
		c.floor = 0 // began after the last local change: the size is the server's own
	}
	return s
}

// adopt replaces the attributes.
func (c *attrCache) adopt(o observed, lim limits, gen uint64) (s seen) {
	old := &c.attr
	same := c.known && old.Ctime == o.attr.Ctime && old.Mtime == o.attr.Mtime && old.Size == o.attr.Size
	s.rights = c.known && (old.Mode != o.attr.Mode || old.UID != o.attr.UID || old.GID != o.attr.GID)
	c.attr, c.known, c.taken = *o.attr, true, gen
	if o.st.at.After(c.at) && !c.doubt {
		c.at = o.st.at
	}
	if same && o.st.at.Sub(c.grown) >= c.timeo {
		c.timeo, c.grown = min(2*c.timeo, lim.max), o.st.at
	}
	return s
}

// localChange notes that the object was changed here and the server does not
// know yet. size is its size thereafter.
func (c *attrCache) localChange(gen, size uint64) {
	c.changed = gen
	c.floor = max(c.floor, size)
}

// size returns the size as far as it is known without asking.
func (c *attrCache) size() uint64 { return max(c.attr.Size, c.floor) }
