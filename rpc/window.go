package rpc

import "time"

// Datagrams have no flow control of their own: what is sent too fast is lost in
// the server's socket buffer. So an endpoint with exponential back-off has a
// congestion window, after Linux's: between 1 and 16 calls that are not urgent
// are outstanding, one more after a window full of replies, half as many after
// a timeout.
const maxWindow = 16

// window returns the window that an endpoint begins with.
func (p Policy) window() int {
	if p.Backoff == Exponential {
		return maxWindow / 2
	}
	return slotCount - keptSlots
}

// widenLocked counts a reply that came while the window was full.
func (ep *endpoint) widenLocked() {
	s := &ep.slots
	if ep.core.policy.Backoff != Exponential || s.window >= maxWindow || s.used[normal]+s.used[background] < s.window {
		return
	}
	if ep.growth++; ep.growth >= s.window {
		ep.growth = 0
		s.window++
		s.admitLocked()
	}
}

// narrowLocked counts a call that timed out, and was last sent at sentAt. What
// was in flight together was lost together: it halves the window once.
func (ep *endpoint) narrowLocked(sentAt time.Time) {
	if ep.core.policy.Backoff == Exponential && sentAt.After(ep.narrowed) {
		ep.growth = 0
		ep.slots.window = max(ep.slots.window/2, 1)
		ep.narrowed = time.Now()
	}
}
