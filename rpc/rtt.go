package rpc

import "time"

// Over datagrams a lost call costs its timeout, so the first one follows what
// the server has been taking, by class of procedure: a GETATTR is not a COMMIT.
// The estimator is that of RFC 6298; it takes no sample from a call that was
// sent more than once, because its reply may answer either (Karn).

const (
	rttClasses = 5
	// minSlack is the least that is added to the smoothed round-trip time: a
	// server that pauses for a moment must not get everything twice.
	minSlack = 200 * time.Millisecond
)

// rtt is what is known about a class.
type rtt struct {
	srtt, rttvar time.Duration // srtt 0: nothing yet
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

// timeout returns the timeout of a first transmission, at most ceiling.
func (r *rtt) timeout(ceiling time.Duration) time.Duration {
	if r.srtt == 0 {
		return ceiling
	}
	return min(r.srtt+max(4*r.rttvar, minSlack), ceiling)
}

// estimated reports whether the call's timeouts follow the estimator.
func (p *pending) estimated() bool {
	return p.ep.core.policy.Backoff == Exponential && p.call.Class >= 1 && p.call.Class <= rttClasses
}

// minorTimeout returns the timeout of the transmission just made.
func (p *pending) minorTimeout() time.Duration {
	pol := p.ep.core.policy
	if p.estimated() {
		p.ep.mu.Lock()
		pol.Timeo = p.ep.rtt[p.call.Class-1].timeout(pol.Timeo)
		p.ep.mu.Unlock()
	}
	return pol.Next(p.minor)
}

// measure gives the estimator the round trip of a call that was answered.
func (p *pending) measure() {
	if !p.estimated() || p.sent != 1 {
		return
	}
	d := time.Since(p.sentAt)
	p.ep.mu.Lock()
	p.ep.rtt[p.call.Class-1].sample(d)
	p.ep.mu.Unlock()
}
