package rpc

import (
	"encoding/binary"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// Callers are told of their replies in batches, and wake each other. The reader
// wakes the first caller of a batch, and each wakes the next when its call is
// over.
//
// To Go's scheduler a goroutine that gets ready is a reason to start a thread,
// which takes half of those that wait over to another processor, whose caches
// know nothing of these calls. One that was made ready by the goroutine that
// runs is left to its processor for a while, as it is expected to be next: the
// later that is, the less time there is to take it away. On two CPUs, of which a
// server has one, 4 KiB READs at depth 32 take 40 % less CPU time and are 20 %
// faster than if the reader wakes all, and that takes 15 to 20 % less than to
// wake each when its reply comes.
//
// A reader that finds nothing more to read waits for the end of the relay, and
// looks again, rather than to let the scheduler wait for the connection: a second
// thread would do that while the first runs the callers, and each batch would be
// read by the other one, on the other processor. The last caller wakes it, and
// sends what was held back. 64 KiB READs at depth 16 are 3 to 10 % faster so; but
// 4 KiB ones through FUSE 5 % slower, and so it is done for payloads only. There
// is no limit to that wait: what callers do until their turn is to decode and to
// verify, and must not wait for anything.
//
// Callers that others want the processor of would hold each other up: where a
// relay takes too long, those of the next batches are woken at once. (To have
// each caller look at the clock costs 4 KiB READs 5 %: the last one does.) Only
// who waits has others behind it. Who sends may have its reply already, from a
// server that does not read on, and does not wake.

const (
	// batchCalls is how many replies make a batch.
	batchCalls = 16
	// batchBytes is how many bytes of replies make a batch: 200 µs on loopback.
	// With a quarter of that, 64 KiB READs at depth 16 are 5 to 10 % slower.
	batchBytes = 1 << 20
	// longReply is how long a reply may be for others to wait until it is
	// decoded: READDIRPLUS of 1 MiB takes a millisecond.
	longReply = 16 << 10
	// bulkReply is how many bytes a reply has if most of its time goes into its
	// payload.
	bulkReply = 16 << 10
	// heldCalls is how many small calls leave together, if there are few others.
	heldCalls = 6
	// slowRelay is how long a relay may take, and relayPause how many batches
	// there is none after one that took longer. 16 callers take 50 µs. With a
	// limit of 10 µs for each, a processor that is taken away for a moment is
	// reason enough to stop, and READs of 64 KiB are 5 to 10 % slower.
	slowRelay  = time.Millisecond
	relayPause = 16
)

// arrival is a reply that its call has not got yet.
type arrival struct {
	msg      *transport.Buffer
	detached bool // the payload is in the call's sink
	placed   int  // bytes of it
}

// batch holds the replies that come until the reader would wait, or there are
// enough. It belongs to the reader.
type batch struct {
	arrivals [batchCalls]arrival
	calls    [batchCalls]*pending // that the arrivals answer
	n        int
	bytes    int
}

func (b *batch) add(a arrival) {
	b.arrivals[b.n] = a
	b.n++
	b.bytes += len(a.msg.Bytes()) + a.placed
}

// has reports whether there is a reply of this XID.
func (b *batch) has(xid uint32) bool {
	for i := range b.n {
		if binary.BigEndian.Uint32(b.arrivals[i].msg.Bytes()) == xid {
			return true
		}
	}
	return false
}

func (b *batch) full() bool { return b.n == batchCalls || b.bytes >= batchBytes }

// bulk reports whether the replies have long payloads.
func (b *batch) bulk() bool { return b.bytes >= b.n*bulkReply }

// held returns how many calls are to leave together, of as many as are in a
// relay. The server must not wait for work meanwhile: it has that of the others
// that have a slot, but for those of an earlier relay that is not over. With all
// of a relay in one system call, 4 KiB READs at depth 32 are 4 to 12 % faster than
// with heldCalls.
func (b *batch) held(calls, others int) int {
	switch {
	case b.bulk():
		return max(2, calls/2)
	case others >= calls/2:
		return calls
	}
	return heldCalls
}

// relayLocked links the calls of the batch and returns those that the reader is
// to wake, in batch.calls. late says that an earlier relay is not over though it
// should be.
func (l *link) relayLocked(now instant) (wake []*pending, late bool) {
	b, r := &l.batch, &l.relay
	wake = b.calls[:0]
	together, late := r.wantedLocked(now)
	var last *pending
	links, others := 0, l.ep.slots.takenLocked()
	for _, p := range b.calls[:b.n] {
		if p == nil {
			continue
		}
		others--
		switch {
		case !together || p.alarm.Load() <= 0 || len(p.reply.Bytes()) > longReply:
			// Who does not wait, but sends, wakes nobody until that is done; nor
			// does whose alarm has rung, or who decodes for long.
			wake = append(wake, p)
		case last == nil:
			wake = append(wake, p)
			last = p
		default:
			last.turn = turn{relay: r, next: p}
			last = p
			links++
		}
	}
	clear(b.calls[len(wake):b.n])
	if links > 0 {
		last.turn = turn{relay: r, last: true}
		last.turn.over = l.ep.core.relayBegins()
		if r.holder != nil {
			// Nearly all of them will send again. The last may be over, and
			// release what is held, as soon as the mutex is free.
			r.holder.Hold(b.held(links+1, others))
		}
		r.beginLocked(last.xid, now.add(slowRelay), b.bulk())
	}
	return wake, late
}

// turn is what a call does for a relay that it has part in, when it is over or
// has to wait for another reply.
type turn struct {
	relay *relay   // nil: it has part in none
	next  *pending // to be woken
	last  bool
	ends  bool   // it ends the relay that is watched
	over  func() // to be called after the last one, or nil
}

// takeTurnLocked returns p's turn, which is over.
func (p *pending) takeTurnLocked() turn {
	t := p.turn
	if t.relay != nil {
		p.turn = turn{}
		t.ends = t.last && t.relay.endLocked(p.xid)
	}
	return t
}

// pass hands the relay on.
func (t *turn) pass() {
	if t.next != nil {
		t.next.signal()
	}
	if t.ends {
		// The reader comes before what was held back: if that cannot be sent, the
		// connection is closed, which waits for the reader.
		t.relay.tell()
	}
	if t.over != nil {
		t.over()
	}
	if t.last && t.relay.holder != nil {
		t.relay.holder.Release()
	}
}

// relay watches a link's relays, one at a time, and judges whether they are good
// for the callers.
type relay struct {
	holder transport.Holder // the connection, or nil
	ended  chan struct{}    // gets a token when the relay that is watched is over
	begun  bool             // the last batch began one that the reader may wait for; the reader's

	// Guarded by the endpoint's mutex.
	limit instant // when it should be over; 0: none is watched
	xid   uint32  // of the last call in it
	pause int     // batches until the next one
}

// wantedLocked reports whether there shall be another relay, and whether the one
// that is watched is late.
func (r *relay) wantedLocked(now instant) (wanted, late bool) {
	if r.limit != 0 && now > r.limit {
		r.limit, r.pause, late = 0, relayPause, true
	}
	if r.pause > 0 {
		r.pause--
		return false, late
	}
	return true, late
}

// beginLocked says that a relay begins, that it ends with the call xid, when it
// should, and whether the reader waits for that. A token of an earlier one may
// still come: the reader waits for less than it might, then.
func (r *relay) beginLocked(xid uint32, limit instant, wait bool) {
	if r.limit == 0 {
		r.xid, r.limit, r.begun = xid, limit, wait
		select {
		case <-r.ended:
		default:
		}
	}
}

// tell has the reader wait no longer.
func (r *relay) tell() {
	select {
	case r.ended <- struct{}{}:
	default: // it has a token
	}
}

// endLocked says that the call xid was the last of a relay, and reports whether
// that is the one that is watched.
func (r *relay) endLocked(xid uint32) bool {
	if r.limit == 0 || xid != r.xid {
		return false
	}
	if now() > r.limit {
		r.pause = relayPause
	}
	r.limit = 0
	return true
}

// wakeAnswered wakes all callers that have a reply.
func (ep *endpoint) wakeAnswered() {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	for _, p := range ep.slots.calls {
		if p != nil && p.reply != nil {
			p.signal()
		}
	}
}
