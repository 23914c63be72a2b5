package rpc

import (
	"math/bits"
	"net"
	"sync/atomic"
	"time"
)

// LatencyBuckets is how many buckets a latency histogram has. Bucket 0 counts
// calls that took less than a microsecond, bucket i those that took 2^(i-1) µs
// or more but less than 2^i µs; the last one also counts all that took longer
// (67 s and more).
const LatencyBuckets = 28

// procSlots is how many procedures are counted apart; calls of any higher
// number share the last one.
const procSlots = 32

// Stats is a snapshot of a Client's counters.
type Stats struct {
	Server string
	// Procs has one element for each procedure that was called, in their
	// order. Calls of procedures from 31 on are counted together.
	Procs []ProcStats

	// What follows is of the connections, which all bound Clients share.

	Endpoints      []EndpointStats
	Connects       uint64 // connections that were opened
	Disconnects    uint64 // connections that ended, but for those that no call needed
	MinorTimeouts  uint64
	MajorTimeouts  uint64
	UnknownXIDs    uint64 // replies that no call waits for: late, duplicate or forged
	BadReplies     uint64 // messages that are no replies, or cannot be decoded
	SlotWaits      uint64 // calls that had to wait for a slot
	Probes         uint64 // connections that were made to see whether the server answers
	Replaced       uint64 // connections that were silent while it did
	NotResponding  bool
	SilentSince    time.Time // since when, if NotResponding
	CallsInFlight  int       // calls that have a slot or wait for one
	ConnectedCount int       // endpoints that have a connection
}

// EndpointStats is the state of one connection.
type EndpointStats struct {
	Connected     bool
	Local, Remote string // addresses, if Connected
	InFlight      int    // calls that have a slot or wait for one
	// NotRespondingSince is the major timeout that no reply has followed yet,
	// or zero.
	NotRespondingSince time.Time
	// LastError is why there is no connection; nil if there is, or none was
	// tried.
	LastError error
}

// ProcStats counts the calls of one procedure that are over.
type ProcStats struct {
	Proc          uint32
	Calls         uint64
	Transmissions uint64 // sent, retransmissions included
	BytesSent     uint64 // of messages, without record marks and below
	BytesReceived uint64 // of the replies that ended calls
	Errors        uint64 // calls that Call returned an error for
	// Latency counts calls by how long they took, from Client.Call until the
	// reply had come, or else until the end.
	Latency [LatencyBuckets]uint64
	Total   time.Duration // sum of the latencies
}

// counters are what the connections count.
type counters struct {
	connects, disconnects        atomic.Uint64
	minorTimeouts, majorTimeouts atomic.Uint64
	unknownXIDs, badReplies      atomic.Uint64
	slotWaits                    atomic.Uint64
	probes, replaced             atomic.Uint64
}

// procTable counts by procedure what was called over one endpoint, whose mutex
// guards it.
type procTable [procSlots]ProcStats

// addLocked counts a call that is over.
func (t *procTable) addLocked(p *pending, err error) {
	c := &t[min(p.call.Proc, procSlots-1)]
	var took time.Duration
	c.Calls++
	c.BytesSent += uint64(p.bytes)
	if p.reply != nil {
		n := len(p.reply.Bytes())
		if p.detached {
			n += (p.placed + 3) &^ 3
		}
		c.BytesReceived += uint64(n)
		took = p.told.sub(p.began)
	} else {
		took = now().sub(p.began)
	}
	if err != nil {
		c.Errors++
	}
	c.Total += took
	c.Latency[bucket(took)]++
	c.Transmissions += uint64(p.sent)
}

// bucket returns the histogram bucket of d.
func bucket(d time.Duration) int {
	return min(bits.Len64(uint64(max(d, 0)/time.Microsecond)), LatencyBuckets-1)
}

// Stats returns a snapshot of the counters. It takes no lock that a call waits
// for longer than a moment.
func (c *Client) Stats() Stats {
	k := &c.core.counters
	s := Stats{
		Server:        c.core.server,
		Procs:         c.procStats(),
		Connects:      k.connects.Load(),
		Disconnects:   k.disconnects.Load(),
		MinorTimeouts: k.minorTimeouts.Load(),
		MajorTimeouts: k.majorTimeouts.Load(),
		UnknownXIDs:   k.unknownXIDs.Load(),
		BadReplies:    k.badReplies.Load(),
		SlotWaits:     k.slotWaits.Load(),
		Probes:        k.probes.Load(),
		Replaced:      k.replaced.Load(),
	}
	for _, ep := range c.core.endpoints {
		e := ep.stats()
		s.Endpoints = append(s.Endpoints, e)
		s.CallsInFlight += e.InFlight
		if e.Connected {
			s.ConnectedCount++
		}
		if t := e.NotRespondingSince; !t.IsZero() && (!s.NotResponding || t.Before(s.SilentSince)) {
			s.NotResponding, s.SilentSince = true, t
		}
	}
	return s
}

// procStats returns what was counted, by procedure, over all connections.
func (c *Client) procStats() (all []ProcStats) {
	var sum procTable
	for i, ep := range c.core.endpoints {
		ep.mu.Lock()
		sum.merge(&c.procs[i])
		ep.mu.Unlock()
	}
	for i := range sum {
		if s := &sum[i]; s.Calls > 0 {
			s.Proc = uint32(i)
			all = append(all, *s)
		}
	}
	return all
}

func (t *procTable) merge(u *procTable) {
	for i := range t {
		a, b := &t[i], &u[i]
		a.Calls += b.Calls
		a.Transmissions += b.Transmissions
		a.BytesSent += b.BytesSent
		a.BytesReceived += b.BytesReceived
		a.Errors += b.Errors
		a.Total += b.Total
		for k := range a.Latency {
			a.Latency[k] += b.Latency[k]
		}
	}
}

func (ep *endpoint) stats() EndpointStats {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	e := EndpointStats{InFlight: ep.slots.countLocked(), NotRespondingSince: ep.silent}
	if l := ep.link; l != nil {
		e.Connected, e.Local, e.Remote = true, addrText(l.conn.LocalAddr()), addrText(l.conn.RemoteAddr())
	} else {
		e.LastError = ep.lastErr
	}
	return e
}

// addrText is an address in words: "" for that of a tunnel which has none.
func addrText(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
