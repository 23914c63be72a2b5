package rpc

// Datagrams have no flow control of their own: what is sent too fast is lost in
// the server's socket buffer. So an endpoint with exponential back-off has a
// congestion window, after Linux's: between 1 and 16 calls that are not urgent
// are outstanding, one more after a window full of replies, half as many after
// a timeout. Where calls were lost before, one more is tried only after 32
// windows full: a server's buffer does not grow, and each trial costs a
// timeout (nfs-ganesha, 64 MiB in WRITEs of 32 KiB: 2 % sent again,
// 6 % without that).
const (
	maxWindow   = 16
	cautionFrom = 32
)

// widen returns how many replies it takes until a window may have one call
// more. lost is the window that calls were last lost with; 0: none were.
func widen(window, lost int) int {
	if lost > 0 && window+1 >= lost {
		return window * cautionFrom
	}
	return window
}

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
	if ep.growth++; ep.growth >= widen(s.window, ep.lossy) {
		ep.growth = 0
		if s.window++; s.window > ep.lossy {
			ep.lossy = 0
		}
		s.admitLocked()
	}
}

// narrowLocked counts a call that timed out, and was last sent at sentAt. What
// was in flight together was lost together: it halves the window once.
func (ep *endpoint) narrowLocked(sentAt instant) {
	if ep.core.policy.Backoff == Exponential && sentAt > ep.narrowed {
		// A loss below a window that was too wide before tells nothing of it.
		ep.growth, ep.lossy = 0, max(ep.lossy, ep.slots.window)
		ep.slots.window = max(ep.slots.window/2, 1)
		ep.narrowed = now()
	}
}
