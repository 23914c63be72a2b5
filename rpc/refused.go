package rpc

import (
	"math/rand/v2"
	"time"
)

// A datagram that comes back as "port unreachable" says that the server's host
// is there, and that the server will be soon: calls are sent again after 100 ms
// doubling to 2 s, as connections over TCP are tried that were refused, and not
// less and less often up to a minute. Anybody may forge such a message; all that
// it does is to have calls sent a little more often.

// refusedFor is how long a refusal counts after it was reported: Send reports
// those of earlier datagrams, and one for all calls.
const refusedFor = 5 * refusedLast

// refusedDelay returns how long after a transmission the next one is made, n
// having been refused before.
func refusedDelay(n int) time.Duration {
	return min(refusedFirst<<min(n, 10), refusedLast)
}

// refusedLocked reports whether datagrams come back.
func (ep *endpoint) refusedLocked() bool {
	return !ep.refused.IsZero() && time.Since(ep.refused) < refusedFor
}

// whileRefused returns the timeout of the transmission just made, which is d
// unless datagrams come back.
func (p *pending) whileRefused(d time.Duration, refused bool) time.Duration {
	if !refused {
		return d
	}
	d = spread(refusedDelay(p.refusals), rand.Float64())
	p.refusals++
	p.minor = 0 // what was lost for want of a server tells nothing of the path
	return d
}
