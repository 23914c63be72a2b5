package lock

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// noticeGap is the least time between two notices of one peer that are acted
// on. Anybody can forge them, with ever new state numbers, and each makes us
// claim all locks again; no server restarts twice a second.
const noticeGap = 5 * time.Second

// is reports whether a notice from an address or in a name concerns p: the
// server may have several addresses, and may call itself otherwise than we do.
func (p *Peer) is(from netip.Addr, name string) bool {
	return from.IsValid() && p.Addr == from || name != "" && (strings.EqualFold(p.Name, name) || p.Addr.String() == name)
}

// notices acts on what was heard of peers: on each new state number once, on
// the first at once, and on a flood of them with the last one of each gap.
type notices struct {
	act func(peer netip.Addr, name string, state int32)

	mu    sync.Mutex // guards what follows
	last  map[netip.Addr]*heardOf
	ended bool
}

// heardOf is what was heard of one peer.
type heardOf struct {
	acted int32 // the state that was acted on
	at    time.Time
	next  int32 // the state that waits for the gap's end
	timer *time.Timer
}

// notice heeds the state number of a watched peer.
func (n *notices) notice(p Peer, state int32, now time.Time) {
	n.mu.Lock()
	h := n.last[p.Addr]
	if h == nil {
		if n.last == nil {
			n.last = make(map[netip.Addr]*heardOf)
		}
		h = new(heardOf)
		n.last[p.Addr] = h
	} else {
		switch {
		case n.ended, h.timer == nil && h.acted == state, h.timer != nil && h.next == state:
			n.mu.Unlock()
			return
		case h.timer != nil:
			h.next = state
			n.mu.Unlock()
			return
		case now.Sub(h.at) < noticeGap:
			h.next = state
			h.timer = time.AfterFunc(noticeGap-now.Sub(h.at), func() { n.late(p, h) })
			n.mu.Unlock()
			return
		}
	}
	h.acted, h.at = state, now
	n.mu.Unlock()
	n.act(p.Addr, p.Name, state)
}

// late acts on the last notice of a gap, unless the flood ended with the state
// that we know.
func (n *notices) late(p Peer, h *heardOf) {
	n.mu.Lock()
	h.timer = nil
	if n.ended || h.acted == h.next {
		n.mu.Unlock()
		return
	}
	h.acted, h.at = h.next, time.Now()
	state := h.acted
	n.mu.Unlock()
	n.act(p.Addr, p.Name, state)
}

// close ends what waits.
func (n *notices) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = true
	for _, h := range n.last {
		if h.timer != nil {
			h.timer.Stop()
		}
	}
}
