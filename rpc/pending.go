package rpc

import (
	"context"
	"sync/atomic"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// pending is a call under way. Only the goroutine that made the call ends it,
// by taking it out of its slot (leave); everybody else leaves a message in the
// fields below and signals.
//
//	queued     !slotted, or sent == 0: never transmitted
//	sending    the caller is inside Conn.Send
//	sent       sent > 0: waiting for the reply, or to be sent again
//	receiving  lent: the reader is filling the sink; not sent again meanwhile
//	replied    reply != nil; what else comes is a duplicate
type pending struct {
	client *Client
	ep     *endpoint
	call   *Call
	class  class

	patience  patience
	entered   bool        // it has a slot, or is queued for one
	replied   atomic.Bool // reply has come: it counts even if the caller gave up in the same moment
	vigil     *vigil      // watches the context for the caller, from enter to end; nil: it does so itself
	calledOff atomic.Bool // the vigil saw the end of the context

	wake  chan struct{} // holds a token when something below has changed
	alarm atomic.Int64  // the instant that the caller wants to be woken at, 0, or rung
	watch *sendWatch    // made when first needed

	enc, dec xdr.Codec
	buf      []byte // of enc
	sink     transport.Sink

	// The caller's own.
	began    instant
	period   instant // when the timeouts began, or started over
	due      instant // when the timer has run out
	now      instant // the time, if it was just read
	sentAt   instant // when the last transmission had left
	minor    int     // minor timeouts since period
	queued   bool    // it waits for a slot
	refusals int     // transmissions while datagrams come back
	garbage  int     // replies that were answered by sending again
	bytes    int     // sent, with retransmissions

	// Guarded by the endpoint's mutex.
	xid        uint32
	slotted    bool
	ticket     uint64 // place in the queue
	next, prev *pending
	sent       int               // transmissions that were begun
	again      bool              // to be sent as soon as there is a connection
	lent       bool              // the reader has the sink
	detached   bool              // the payload of reply is in the sink
	placed     int               // bytes of it
	datagram   bool              // reply came by a datagram
	revived    bool              // reply ended an outage
	reply      *transport.Buffer // once replied is set the caller's own
	told       instant           // when it was set
	turn       turn              // in a relay
	err        error             // the call is over
	heard      uint64            // endpoint.replies when period began
}

// memory is where a payload goes.
func (p *pending) memory() *transport.Sink {
	if p.call.Scatter != nil {
		return p.call.Scatter
	}
	return &p.sink
}

// signal wakes the caller.
func (p *pending) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// newPending returns a pending without a call, for the pool.
func newPending() any {
	return &pending{wake: make(chan struct{}, 1)}
}

// begin makes p ready for a call.
func (p *pending) begin(c *Client, ep *endpoint, call *Call, ctx context.Context) {
	now := now()
	p.patience = newPatience(ctx)
	p.client, p.ep, p.call, p.class = c, ep, call, call.class()
	p.began, p.period, p.minor, p.refusals, p.garbage, p.bytes = now, now, 0, 0, 0, 0
	p.queued = false
	p.due = now.add(c.core.major)
	p.sent, p.again, p.lent, p.detached, p.revived = 0, true, false, false, false
	p.reply, p.err, p.ticket, p.entered = nil, nil, 0, false
	if len(c.core.endpoints) > 1 {
		ep.load.Add(1)
	}
	// To look is cheaper than to write.
	p.waitsNoMore()
	if p.replied.Load() {
		p.replied.Store(false)
	}
	if p.calledOff.Load() {
		p.calledOff.Store(false)
	}
	if call.Sink != nil {
		p.sink.Reset(call.Sink)
	}
	select {
	case <-p.wake: // a signal that came too late for the last call
	default:
	}
}

// end takes p out of its slot, which settles that nobody else touches the
// call, counts the call, and returns p to the pool. A reader may still have p's
// sink; once it is cancelled, or in another use, nothing is written to it.
func (p *pending) end(err error) {
	ep := p.ep
	ep.mu.Lock()
	ep.slots.leaveLocked(p)
	ep.tryAgainLocked()
	ep.relyNoMoreLocked(p)
	p.client.procs[ep.index].addLocked(p, err)
	turn, revived := p.takeTurnLocked(), p.revived
	ep.mu.Unlock()
	if len(ep.core.endpoints) > 1 {
		ep.load.Add(-1)
	}
	p.call.Transmissions = p.sent
	if p.reply != nil {
		p.reply.Release()
	}
	if p.call.Sink != nil || p.call.Scatter != nil {
		p.memory().Cancel() // if it is full, too: the pool must not keep the caller's memory
	}
	p.call, p.client, p.ep, p.reply, p.err, p.patience = nil, nil, nil, nil, nil, patience{}
	ep.pool.Put(p)
	turn.pass()
	if revived {
		ep.core.logRevived()
	}
}
