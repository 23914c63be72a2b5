package rpc

import (
	"math/bits"
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
	Latency       [LatencyBuckets]uint64
	Total         time.Duration // sum of the latencies
}

// counters are what the connections count.
type counters struct {
	connects, disconnects        atomic.Uint64
	minorTimeouts, majorTimeouts atomic.Uint64
	unknownXIDs, badReplies      atomic.Uint64
	slotWaits                    atomic.Uint64
	probes, replaced             atomic.Uint64
}

// procTable counts by procedure.
type procTable [procSlots]procCounters

type procCounters struct {
	sent, received, nanos atomic.Uint64
	latency               [LatencyBuckets]atomic.Uint64 // each call is in one of these
	unsent, again, errors atomic.Uint64                 // calls that were never sent; transmissions after a call's first; calls
}

// add counts a call that is over.
func (t *procTable) add(p *pending, err error) {
	c := &t[min(p.call.Proc, procSlots-1)]
	took := now().sub(p.began)
	c.sent.Add(uint64(p.bytes))
	if p.reply != nil {
		n := len(p.reply.Bytes())
		if p.detached {
			n += (p.placed + 3) &^ 3
		}
		c.received.Add(uint64(n))
	}
	if err != nil {
		c.errors.Add(1)
	}
	c.nanos.Add(uint64(took))
	c.latency[bucket(took)].Add(1)
	switch {
	case p.sent == 0:
		c.unsent.Add(1) // after latency, so that a snapshot never has more of these than calls
	case p.sent > 1:
		c.again.Add(uint64(p.sent - 1))
	}
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
	for i := range c.procs {
		if p := c.procs[i].snapshot(uint32(i)); p.Calls > 0 {
			s.Procs = append(s.Procs, p)
		}
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

func (c *procCounters) snapshot(proc uint32) ProcStats {
	again, unsent := c.again.Load(), c.unsent.Load()
	p := ProcStats{
		Proc:          proc,
		BytesSent:     c.sent.Load(),
		BytesReceived: c.received.Load(),
		Errors:        c.errors.Load(),
		Total:         time.Duration(c.nanos.Load()),
	}
	for i := range c.latency {
		p.Latency[i] = c.latency[i].Load()
		p.Calls += p.Latency[i]
	}
	p.Transmissions = p.Calls + again - unsent
	return p
}

func (ep *endpoint) stats() EndpointStats {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	e := EndpointStats{InFlight: int(ep.load.Load()), NotRespondingSince: ep.silent}
	if l := ep.link; l != nil {
		e.Connected, e.Local, e.Remote = true, l.conn.LocalAddr().String(), l.conn.RemoteAddr().String()
	} else {
		e.LastError = ep.lastErr
	}
	return e
}
