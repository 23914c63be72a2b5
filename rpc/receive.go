package rpc

import (
	"encoding/binary"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// Receiving, in order: the reader is shown the head of a message (Place) and
// lends the call's sink to the transport if the payload belongs there; it gets
// the message (Message), finds the call by its XID and hands it over; the
// caller's goroutine decodes it (finish) and releases the buffer.

// placeMin is how long a message is at least that may bring a payload to a sink:
// of a shorter one, copying costs less than to find out whose it is.
const placeMin = 256

// Place is transport.Receiver's.
func (l *link) Place(head []byte, length int) (offset int, sink *transport.Sink) {
	if length <= placeMin {
		return 0, nil
	}
	h, what := parseReply(head)
	if what != "" || h.denied || h.accept != Success {
		return 0, nil
	}
	ep := l.ep
	ep.mu.Lock()
	defer ep.mu.Unlock()
	p := ep.slots.findLocked(h.xid)
	if p == nil || p.sent == 0 || p.reply != nil || p.lent || p.call.Sink == nil || p.call.Place == nil {
		return 0, nil
	}
	// The call is the caller's; it cannot leave while the lock is held.
	at, n, ok := p.call.Place(head[h.results:])
	if !ok || at < 0 || n <= 0 || at > len(head)-h.results || n > length-h.results-at || !p.sink.Begin(n) {
		return 0, nil // decoding tells what is wrong with it, if anything is
	}
	p.lent, p.placed = true, n
	return h.results + at, &p.sink
}

// Message is transport.Receiver's.
func (l *link) Message(msg *transport.Buffer, sink *transport.Sink) {
	b := msg.Bytes()
	c := &l.ep.core.counters
	if mtype, ok := word(b, 4); !ok || mtype != msgReply {
		c.badReplies.Add(1)
		msg.Release()
		return
	}
	ep := l.ep
	ep.mu.Lock()
	p := ep.slots.findLocked(binary.BigEndian.Uint32(b))
	if p == nil || p.sent == 0 || p.reply != nil {
		// Not asked for, given up, or answered already.
		ep.mu.Unlock()
		c.unknownXIDs.Add(1)
		msg.Release()
		return
	}
	p.lent = false
	p.reply, p.detached, p.datagram = msg, sink != nil, l.datagram
	l.answered = true
	ep.replies++
	ep.lastErr, ep.refused = nil, time.Time{}
	if !ep.silent.IsZero() {
		p.revived = ep.revivedLocked()
	}
	ep.widenLocked()
	if sink == nil {
		p.placed = 0
	}
	n := len(b) + p.placed
	p.replied.Store(true)
	ep.mu.Unlock()
	l.ready.add(p, n)
}

// Pause is transport.Pauser's.
func (l *link) Pause() { l.ready.flush() }

// wakes are calls that have their reply and whose goroutines are still to be
// woken. Waking them a handful at a time costs 15 to 20 % less CPU for 4 KiB
// READs at depth 32 and 64 KiB READs at depth 16: each wake-up by itself may
// start a thread that finds nothing to do. It belongs to the reader. A call may
// be over before it is woken, or its pending be another's: a signal too many
// does no harm.
type wakes struct {
	calls [wakeCalls]*pending
	n     int
	bytes int // of their replies
}

const (
	// wakeCalls is how many calls are woken at once.
	wakeCalls = 16
	// wakeBytes is how many bytes of replies are read while a caller waits for
	// nothing: that is 100 µs on loopback.
	wakeBytes = 512 << 10
)

// add puts off waking p, which has a reply of n bytes.
func (w *wakes) add(p *pending, n int) {
	w.calls[w.n] = p
	w.n++
	w.bytes += n
	if w.n == wakeCalls || w.bytes >= wakeBytes {
		w.flush()
	}
}

// flush wakes all.
func (w *wakes) flush() {
	for i, p := range w.calls[:w.n] {
		p.signal()
		w.calls[i] = nil
	}
	w.n, w.bytes = 0, 0
}
