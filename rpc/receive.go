package rpc

import (
	"encoding/binary"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// Receiving, in order: the reader is shown the head of a message (Place) and
// lends the call's sink to the transport if the payload belongs there; it gets
// the message (Message) and, with others that came meanwhile (Pause), finds the
// call by its XID, hands it over and wakes the caller, who decodes it (finish)
// and releases the buffer.

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
	if l.batch.has(h.xid) {
		// The call has its reply: its memory is about to be the caller's again.
		l.tell()
	}
	ep := l.ep
	ep.mu.Lock()
	defer ep.mu.Unlock()
	p := ep.slots.findLocked(h.xid)
	if p == nil || p.sent == 0 || p.reply != nil || p.lent || !p.call.placed() {
		return 0, nil
	}
	// The call is the caller's; it cannot leave while the lock is held.
	at, n, ok := p.call.Place(head[h.results:])
	if !ok || at < 0 || n <= 0 || at > len(head)-h.results || n > length-h.results-at || !p.memory().Begin(n) {
		return 0, nil // decoding tells what is wrong with it, if anything is
	}
	p.lent, l.placed = true, n
	return h.results + at, p.memory()
}

// Message is transport.Receiver's.
func (l *link) Message(msg *transport.Buffer, sink *transport.Sink) {
	if mtype, ok := word(msg.Bytes(), 4); !ok || mtype != msgReply {
		l.ep.core.counters.badReplies.Add(1)
		msg.Release()
		l.tell() // such messages may come without end
		return
	}
	a := arrival{msg: msg, detached: sink != nil}
	if a.detached {
		a.placed = l.placed
	}
	l.batch.add(a)
	if l.batch.full() {
		l.tell()
	}
}

// Pause is transport.Pauser's: it hands over the replies that have come, and
// returns what tells the end of the relay that has begun with these.
func (l *link) Pause() <-chan struct{} {
	l.relay.begun = false
	l.tell()
	if !l.relay.begun {
		return nil
	}
	return l.relay.ended
}

// tell hands over the replies that have come.
func (l *link) tell() {
	b, ep := &l.batch, l.ep
	if b.n == 0 {
		return
	}
	now := now()
	ep.mu.Lock()
	for i := range b.n {
		b.calls[i] = l.acceptLocked(&b.arrivals[i], now)
	}
	wake, late := l.relayLocked(now)
	ep.mu.Unlock()
	if late {
		ep.wakeAnswered()
	}
	for i, p := range wake {
		p.signal()
		wake[i] = nil
	}
	for i := range b.n {
		if a := &b.arrivals[i]; a.msg != nil {
			// Not asked for, given up, or answered already.
			ep.core.counters.unknownXIDs.Add(1)
			a.msg.Release()
			a.msg = nil
		}
	}
	b.n, b.bytes = 0, 0
}

// acceptLocked hands a reply over to its call, which owns the message then, and
// returns that; nil if there is none.
func (l *link) acceptLocked(a *arrival, now instant) *pending {
	ep := l.ep
	p := ep.slots.findLocked(binary.BigEndian.Uint32(a.msg.Bytes()))
	if p == nil || p.sent == 0 || p.reply != nil {
		return nil
	}
	p.lent = false
	p.reply, p.detached, p.placed, p.datagram = a.msg, a.detached, a.placed, l.datagram
	p.told, a.msg = now, nil
	l.answered = true
	ep.trustLocked()
	ep.replies++
	ep.lastErr, ep.refused = nil, time.Time{}
	if !ep.silent.IsZero() {
		p.revived = ep.revivedLocked()
	}
	ep.widenLocked()
	p.replied.Store(true)
	return p
}
