package rpc

import (
	"math/rand/v2"
	"time"
)

// Over datagrams a lost call costs its timeout, so the first one follows what
// the server has been taking, by class of procedure: a GETATTR is not a COMMIT.
// The estimator is that of RFC 6298; it takes no sample from a call that was
// sent more than once, because its reply may answer either (Karn). So that a
// server which has become slow does not get everything twice for ever, such a
// call doubles the timeout of the next ones, as in Linux (net/sunrpc/timer.c).

const (
	rttClasses = 5
	// minSlack is the least that is added to the smoothed round-trip time: the
	// grain of timers and schedulers.
	minSlack = 10 * time.Millisecond
	// maxDoubled is how often the timeout of a class is doubled at most.
	maxDoubled = 8
)

// rtt is what is known about a class.
type rtt struct {
	srtt, rttvar time.Duration // srtt 0: nothing yet
	doubled      int           // how often the timeout is doubled
}

// sample takes in one round trip.
func (r *rtt) sample(d time.Duration) {
	d = max(d, 1)
	if r.srtt == 0 {
		r.srtt, r.rttvar = d, d/2
		return
	}
	r.rttvar += ((r.srtt - d).Abs() - r.rttvar) / 4
	r.srtt = max(r.srtt+(d-r.srtt)/8, 1)
}

// answered takes in that a call was answered after so many transmissions:
// those beyond the first double the timeout of the next calls, and each reply
// takes one doubling back.
func (r *rtt) answered(sent int) {
	if n := min(sent-1, maxDoubled); n >= r.doubled {
		r.doubled = n
	} else {
		r.doubled--
	}
}

// timeout returns the timeout of a first transmission: unknown as long as there
// is no sample, ceiling at most.
func (r *rtt) timeout(unknown, ceiling time.Duration) time.Duration {
	d := unknown
	if r.srtt != 0 {
		d = r.srtt + max(4*r.rttvar, minSlack)
	}
	for range r.doubled {
		if d >= ceiling {
			break
		}
		d *= 2
	}
	return min(d, ceiling)
}

// estimated reports whether the call's timeouts follow the estimator.
func (p *pending) estimated() bool {
	return p.ep.core.policy.Backoff == Exponential && p.call.Class >= 1 && p.call.Class <= rttClasses
}

// minorTimeout returns the timeout of the transmission just made. Datagrams'
// has jitter: calls that were lost together shall not come together again.
func (p *pending) minorTimeout() time.Duration {
	policy := &p.ep.core.policy
	if policy.Backoff != Exponential {
		return policy.Next(p.minor)
	}
	pol := *policy // with the first timeout of this class for timeo, see below
	most := pol.ceiling()
	if p.minor == 0 {
		most = pol.Timeo
	}
	first := pol.first()
	p.ep.mu.Lock()
	if p.estimated() {
		first = p.ep.rtt[p.call.Class-1].timeout(first, pol.Timeo)
	}
	refused := p.ep.refusedLocked()
	p.ep.mu.Unlock()
	pol.Timeo = first
	return p.whileRefused(min(stretch(pol.Next(p.minor), rand.Float64()), most), refused)
}

// stretch makes d up to a quarter longer; r is random in [0, 1). It never makes
// it shorter: the reply may be about to come.
func stretch(d time.Duration, r float64) time.Duration {
	return d + time.Duration(float64(d/4)*r)
}

// measure gives the estimator the round trip of a call that was answered.
func (p *pending) measure() {
	if !p.estimated() || p.refusals > 0 {
		return
	}
	d := now().sub(p.sentAt)
	p.ep.mu.Lock()
	defer p.ep.mu.Unlock()
	r := &p.ep.rtt[p.call.Class-1]
	if p.sent == 1 {
		r.sample(d)
	}
	r.answered(p.sent)
}
