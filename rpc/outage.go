package rpc

import "time"

// An outage lasts from a call's major timeout to the next reply. The log is
// told of its beginning and its end once, however many calls and connections
// are in it, in the words that the Linux client has for it.

// silentLocked notes a major timeout. It reports whether an outage begins.
func (ep *endpoint) silentLocked() (begins bool) {
	if !ep.silent.IsZero() {
		return false
	}
	ep.silent = time.Now()
	return ep.core.outages.Add(1) == 1
}

// revivedLocked notes a reply during an outage. It reports whether the outage
// is over.
func (ep *endpoint) revivedLocked() (over bool) {
	ep.silent = time.Time{}
	return ep.core.outages.Add(-1) == 0
}

// logSilent tells that an outage began.
func (c *core) logSilent() {
	what := "still trying"
	if c.policy.Recovery != Hard {
		what = "timed out"
	}
	c.log.Warn("server "+c.server+" not responding, "+what, "server", c.server)
}

// logRevived tells that an outage is over.
func (c *core) logRevived() { c.log.Info("server "+c.server+" OK", "server", c.server) }
