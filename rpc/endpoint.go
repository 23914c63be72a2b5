package rpc

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// endpoint is one connection's worth of calls: the XID counter and the slots,
// which outlive the connections that follow one another.
type endpoint struct {
	core  *core
	index int          // in core.endpoints
	load  atomic.Int32 // calls, if there are several endpoints, and inTrouble
	// pool is of *pending. Each endpoint has its own: a reader that was about to
	// fill the sink of a call that is over would find that of the next call, whose
	// reply may have come on another connection meanwhile. There is one reader of
	// an endpoint at a time.
	pool sync.Pool

	ctx    context.Context // ends with close
	cancel context.CancelFunc

	mu       sync.Mutex // guards what follows, and the marked fields of each pending
	slots    slots
	link     *link         // the live connection, or nil
	running  chan struct{} // closed when the goroutine of run ends; nil: it does not run
	closed   bool
	source   netip.AddrPort // of the last connection
	lastErr  error          // why there is no connection, or datagrams are refused; nil if all is well
	refused  time.Time      // when datagrams last came back; zero: they do not
	replies  uint64         // to our calls
	silent   time.Time      // since when the server does not respond; zero: it does
	shunned  bool           // load has inTrouble
	growth   int            // of the window, see window.go
	lossy    int            // the window before it was last halved
	narrowed instant        // when the window was last halved
	rtt      [rttClasses]rtt

	alarm alarm

	vigil  *vigil          // nil: there is none
	recent <-chan struct{} // of the last context that had none
	inRow  int             // calls in a row that had it
}

// link is one connection of an endpoint, and its transport.Receiver.
type link struct {
	ep       *endpoint
	conn     transport.Conn
	since    time.Time
	datagram bool
	over     context.CancelFunc // ends the watchdog
	woken    chan struct{}      // holds a token when the watchdog shall not doze any more
	batch    batch              // replies to be handed over; the reader's
	relay    relay              // of callers with replies
	placed   int                // bytes of the payload that was placed last; the reader's

	// Guarded by ep.mu.
	answered bool      // a reply to one of our calls came
	given    bool      // we gave it up: at a major timeout, or one of the next two
	idle     bool      // no call needed it
	dead     bool      // it was silent while the server answered on another
	heard    time.Time // when the watchdog last found that something had come; zero: not yet
	dozing   bool      // the watchdog is to be woken
	sends    uint64    // transmissions
	seen     uint64    // of them when the watchdog last looked
}

func newLink(ep *endpoint, conn transport.Conn) *link {
	l := &link{ep: ep, conn: conn, since: time.Now(), datagram: isDatagram(conn), woken: make(chan struct{}, 1)}
	l.relay.ended = make(chan struct{}, 1)
	l.relay.holder, _ = conn.(transport.Holder)
	return l
}

func newEndpoint(c *core, index int) *endpoint {
	ep := &endpoint{core: c, index: index, pool: sync.Pool{New: newPending}}
	// The connection outlives the callers that open it: its context is the
	// client's, not theirs.
	ep.ctx, ep.cancel = context.WithCancel(context.Background())
	var b [4]byte
	rand.Read(b[:]) // never fails
	ep.slots.xid = binary.BigEndian.Uint32(b[:])
	ep.slots.window = ep.core.policy.window()
	ep.alarm.next.Store(int64(never))
	return ep
}

// close ends the endpoint.
func (ep *endpoint) close() {
	ep.mu.Lock()
	ep.closed = true
	ep.failLocked(ErrClosed)
	if ep.alarm.timer != nil {
		ep.alarm.timer.Stop()
	}
	ep.retireLocked()
	l := ep.link
	ep.mu.Unlock()
	ep.cancel()
	if l != nil {
		l.abort()
	}
}

// gone returns a channel that is closed when a closed endpoint's goroutine has
// ended.
func (ep *endpoint) gone() <-chan struct{} {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.running != nil {
		return ep.running
	}
	done := make(chan struct{})
	close(done)
	return done
}

// failLocked ends all calls that have no reply.
func (ep *endpoint) failLocked(err error) {
	for p := range ep.callsLocked {
		if p.reply == nil && p.err == nil {
			p.err = err
			p.signal()
		}
	}
}

// callsLocked yields all calls: those that have a slot and those that wait for
// one.
func (ep *endpoint) callsLocked(yield func(*pending) bool) {
	for _, p := range ep.slots.calls {
		if p != nil && !yield(p) {
			return
		}
	}
	for c := range ep.slots.queue {
		for p := ep.slots.queue[c].head; p != nil; p = p.next {
			if !yield(p) {
				return
			}
		}
	}
}

// enterLocked gets p a slot, or a place in the queue for one.
func (ep *endpoint) enterLocked(p *pending) error {
	p.heard = ep.replies
	slotted := ep.slots.takeLocked(p)
	if ep.closed {
		return ErrClosed
	}
	if !slotted {
		ep.core.counters.slotWaits.Add(1)
	}
	ep.relyLocked(p)
	return nil
}

// renew gives up the connection, which a call has waited on for the whole of a
// major timeout; but not a fresh one, which another call has just had made for
// the same reason, nor one on which something comes: on a slow path the reply may
// need longer than that, and would never be whole if each time it began anew.
func (ep *endpoint) renew() {
	ep.mu.Lock()
	l, p := ep.link, &ep.core.policy
	if l == nil || time.Since(l.since) < p.Major()/2 || time.Since(l.heard) < p.Timeo {
		ep.mu.Unlock()
		return
	}
	l.given = true
	ep.mu.Unlock()
	ep.drop(l)
}

// drop aborts a connection and keeps calls from trying to send on it until
// another one is there.
func (ep *endpoint) drop(l *link) {
	ep.mu.Lock()
	if ep.link == l {
		ep.link = nil
	}
	ep.mu.Unlock()
	l.abort()
}

// abort ends the connection. A reader that waits for a relay need not wait for its
// end, as closing the connection waits for the reader.
func (l *link) abort() {
	l.relay.tell()
	l.conn.Abort()
}

// addrPort returns the address of a, or zero if it has no IP address.
func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
