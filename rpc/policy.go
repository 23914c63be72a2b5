package rpc

import "time"

// Recovery is what a caller sees when the server does not answer (nfs(5),
// hard, soft and softerr).
type Recovery uint8

// The kinds of Recovery.
const (
	Hard    Recovery = iota // retry until the server answers or the caller gives up
	Soft                    // after the major timeout fail with EIO
	SoftErr                 // after the major timeout fail with ETIMEDOUT
)

// Policy says when a call is sent again and when it has failed.
type Policy struct {
	Timeo    time.Duration // first minor timeout (nfs(5) timeo)
	Retrans  int           // minor timeouts before the major one (nfs(5) retrans)
	MaxTimeo time.Duration // a minor timeout never grows beyond this
	Backoff  Backoff       // how the minor timeout grows
	Recovery Recovery
	// Reconnect makes the major timeout give the connection up and go on from
	// a fresh one (TCP: a partition is presumed).
	Reconnect bool
}

// Backoff is how minor timeouts grow.
type Backoff uint8

// The kinds of Backoff.
const (
	Linear      Backoff = iota // by timeo each (TCP)
	Exponential                // twofold each (UDP)
)

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
// unless given (0 and -1 mean the default).
func UDPPolicy(timeo time.Duration, retrans int, r Recovery) Policy {
	if timeo <= 0 {
		timeo = 1100 * time.Millisecond
	}
	if retrans < 0 {
		retrans = 3
	}
	return Policy{Timeo: timeo, Retrans: retrans, MaxTimeo: 60 * time.Second, Backoff: Exponential, Recovery: r}
}
