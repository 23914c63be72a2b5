package rpc

import (
	"math"
	"time"
)

// Recovery is what a caller sees when the server does not answer (nfs(5),
// hard, soft and softerr).
type Recovery uint8

// The kinds of Recovery.
const (
	Hard    Recovery = iota // retry until the server answers or the caller gives up
	Soft                    // after the major timeout fail with EIO
	SoftErr                 // after the major timeout fail with ETIMEDOUT
)

// Policy says when a call is sent again and when it has failed. It is nothing
// but numbers; Next and Decide are the whole of its behaviour. The zero Policy
// is TCPPolicy(0, -1, Hard).
type Policy struct {
	Timeo    time.Duration // first minor timeout (nfs(5) timeo)
	First    time.Duration // with Exponential: the first timeout before the server's pace is known; 0 means Timeo
	Retrans  int           // how many retransmissions Major leaves room for (nfs(5) retrans)
	MaxTimeo time.Duration // neither timeout ever grows beyond this; 0 means 600 s
	Backoff  Backoff       // how the minor timeout grows
	Recovery Recovery
	// Reconnect makes the major timeout give the connection up and go on from
	// a fresh one (TCP: a partition is presumed), unless something came on it
	// within Timeo, as far as transport.VitalsOf tells. With SoftConn nobody
	// looks.
	Reconnect bool
	// SoftConn makes a connection that cannot be had, or is lost before it
	// answered anything, the end of all calls that wait for it, with the error
	// of the network. It is for pings and for what a mount asks first: there,
	// "connection refused" is an answer. (Linux: RPC_TASK_SOFTCONN.)
	SoftConn bool
}

// Backoff is how minor timeouts grow.
type Backoff uint8

// The kinds of Backoff.
const (
	Linear      Backoff = iota // by timeo each (TCP)
	Exponential                // twofold each (UDP); also limits the calls outstanding, see window.go
)

// Decision is what a call does when its timer has run out.
type Decision uint8

// The decisions.
const (
	SendAgain Decision = iota // minor timeout: send the call again on the same connection
	Fail                      // major timeout: the call ends in a TimeoutError
	Renew                     // major timeout: start over, on a fresh connection if nothing came on this one for Timeo
	StartOver                 // major timeout: send again, with the timeouts back at their beginning
)

// Next returns the minor timeout that follows a transmission, minor being how
// many minor timeouts the call has had since it began or started over. With
// Exponential a Client puts what its estimator knows, or First, in the place of
// Timeo, which is then the most that the first timeout can be; and it makes
// each up to a quarter longer, at random.
func (p Policy) Next(minor int) time.Duration {
	minor = max(minor, 0)
	d := time.Duration(math.MaxInt64)
	switch {
	case p.Backoff == Exponential:
		if minor < 62 && p.Timeo <= math.MaxInt64>>minor {
			d = p.Timeo << minor
		}
	case int64(p.Timeo) <= math.MaxInt64/(int64(minor)+1):
		d = p.Timeo * time.Duration(minor+1)
	}
	return min(d, p.ceiling())
}

// Major returns the major timeout: how long after it began, or started over, a
// call has failed. As in Linux it is timeo × (retrans + 1) with linear and
// timeo << retrans with exponential back-off: 180 s and 8.8 s with the
// defaults.
func (p Policy) Major() time.Duration { return p.Next(p.Retrans) }

// Decide says what a call does whose timer ran out, since being how long ago it
// began or started over.
func (p Policy) Decide(since time.Duration) Decision {
	switch {
	case since < p.Major():
		return SendAgain
	case p.Recovery != Hard:
		return Fail
	case p.Reconnect:
		return Renew
	}
	return StartOver
}

// ceiling is MaxTimeo, but never less than Timeo.
func (p Policy) ceiling() time.Duration {
	if p.MaxTimeo <= 0 {
		return max(600*time.Second, p.Timeo)
	}
	return max(p.MaxTimeo, p.Timeo)
}

// first is the first timeout as long as the server's pace is unknown.
func (p Policy) first() time.Duration {
	if p.First <= 0 {
		return p.Timeo
	}
	return min(p.First, p.Timeo)
}

// orDefault replaces a Policy without a timeout by TCP's.
func (p Policy) orDefault() Policy {
	if p.Timeo > 0 {
		return p
	}
	d := TCPPolicy(0, -1, p.Recovery)
	d.SoftConn = p.SoftConn
	return d
}

// TCPPolicy is the policy of stream transports: timeo 60 s, retrans 2 unless
// given (0 and -1 mean the default).
func TCPPolicy(timeo time.Duration, retrans int, r Recovery) Policy {
	if timeo <= 0 {
		timeo = 60 * time.Second
	}
	if retrans < 0 {
		retrans = 2
	}
	return Policy{Timeo: timeo, Retrans: retrans, MaxTimeo: 600 * time.Second, Backoff: Linear, Recovery: r, Reconnect: true}
}

// UDPPolicy is the policy of datagram transports: timeo 1.1 s, retrans 3
// unless given (0 and -1 mean the default). Where timeo is not given, 500 ms is
// the first timeout: a datagram that was lost on a fresh mount is sent again
// before a person notices.
func UDPPolicy(timeo time.Duration, retrans int, r Recovery) Policy {
	first := time.Duration(0)
	if timeo <= 0 {
		timeo, first = 1100*time.Millisecond, 500*time.Millisecond
	}
	if retrans < 0 {
		retrans = 3
	}
	return Policy{Timeo: timeo, First: first, Retrans: retrans, MaxTimeo: 60 * time.Second, Backoff: Exponential, Recovery: r}
}
