package rpc

import "time"

// An outage lasts from a call's major timeout to the next reply. The log is
// told of its beginning and its end once, however many calls and connections
// are in it.

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
	what := "rpc: server not responding, still trying"
	if c.policy.Recovery != Hard {
		what = "rpc: server not responding, timed out"
	}
	c.log.Warn(what, "server", c.server)
}

// logRevived tells that an outage is over.
func (c *core) logRevived() { c.log.Info("rpc: server OK", "server", c.server) }
