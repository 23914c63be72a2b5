package rpc

import (
	"encoding/binary"

	"github.com/gonfs/gonfs/transport"
)

// Receiving, in order: the reader is shown the head of a message (Place) and
// lends the call's sink to the transport if the payload belongs there; it gets
// the message (Message), finds the call by its XID and hands it over; the
// caller's goroutine decodes it (finish) and releases the buffer.

// Place is transport.Receiver's.
func (l *link) Place(head []byte, length int) (offset int, sink *transport.Sink) {
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
	p.lent = true
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
	ep.lastErr = nil
	if !ep.silent.IsZero() {
		p.revived = ep.revivedLocked()
	}
	ep.widenLocked()
	p.signal()
	ep.mu.Unlock()
}
