package rpc

import (
	"context"
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// relayRig has calls outstanding on a link that nothing reads from.
type relayRig struct {
	t     *testing.T
	l     *link
	calls []*pending
}

func newRelayRig(t *testing.T, calls int) *relayRig {
	c := NewClient(Options{Program: testProg, Version: testVers})
	conn, _ := transport.Pipe()
	r := &relayRig{t: t, l: newLink(c.core.endpoints[0], conn)}
	for range calls {
		r.call(t, c)
	}
	return r
}

func (r *relayRig) call(t *testing.T, c *Client) {
	p := newPending().(*pending)
	p.begin(c, r.l.ep, &Call{Proc: 1}, context.Background())
	r.l.ep.mu.Lock()
	defer r.l.ep.mu.Unlock()
	if err := r.l.ep.enterLocked(p); err != nil {
		t.Fatal(err)
	}
	p.sent = 1
	p.alarm.Store(int64(never)) // it waits
	r.calls = append(r.calls, p)
}

// reply brings the replies to some calls.
func (r *relayRig) reply(calls ...int) {
	for _, i := range calls {
		r.l.Message(r.message(i, 24), nil)
	}
}

// detached brings a reply whose payload is in the call's sink.
func (r *relayRig) detached(call int) { r.l.Message(r.message(call, 24), &r.calls[call].sink) }

func (r *relayRig) message(call, size int) *transport.Buffer {
	msg := transport.NewBuffer(size)
	clear(msg.Bytes())
	binary.BigEndian.PutUint32(msg.Bytes(), r.calls[call].xid)
	binary.BigEndian.PutUint32(msg.Bytes()[4:], msgReply)
	return msg
}

// woken takes the tokens of those that were woken, and tells their numbers.
func (r *relayRig) woken() (calls []int) {
	for i, p := range r.calls {
		select {
		case <-p.wake:
			calls = append(calls, i)
		default:
		}
	}
	return calls
}

func TestRelay(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(r *relayRig)
		want [][]int // who is woken by the reader, and by each who was woken then
	}{
		{"each wakes the next", func(r *relayRig) { r.reply(0, 1, 2, 3) }, [][]int{{0}, {1}, {2}, {3}}},
		{"in the order of the replies", func(r *relayRig) { r.reply(2, 0, 3, 1) }, [][]int{{2}, {0}, {3}, {1}}},
		{"a single reply", func(r *relayRig) { r.reply(2) }, [][]int{{2}}},
		{"none", func(r *relayRig) {}, nil},
		{"who has left before is left out", func(r *relayRig) {
			r.reply(0, 1, 2)
			r.calls[1].end(context.Canceled)
		}, [][]int{{0}, {2}}},
		{"who has left first", func(r *relayRig) {
			r.reply(0, 1, 2)
			r.calls[0].end(context.Canceled)
		}, [][]int{{1}, {2}}},
		{"who does not wait, but sends, wakes nobody", func(r *relayRig) {
			r.calls[0].waitsNoMore()
			r.calls[2].waitsNoMore()
			r.reply(0, 1, 2, 3)
		}, [][]int{{0, 1, 2}, {3}}},
		{"all at once after a relay that took too long", func(r *relayRig) {
			r.l.relay.pause = 1
			r.reply(0, 1, 2)
		}, [][]int{{0, 1, 2}}},
		{"a batch that is full", func(r *relayRig) {
			r.l.batch.bytes = batchBytes - 24
			r.reply(0)
			if got := r.woken(); len(got) != 1 {
				r.t.Errorf("woken: %v", got)
			}
			r.reply(1, 2)
		}, [][]int{{1}, {2}}},
		{"a batch that is full of payloads", func(r *relayRig) {
			r.l.placed = batchBytes
			r.detached(0)
			if got := r.woken(); len(got) != 1 || r.calls[0].placed != batchBytes {
				r.t.Errorf("woken: %v", got)
			}
			r.reply(1, 2)
		}, [][]int{{1}, {2}}},
		{"a message that is no reply", func(r *relayRig) {
			r.reply(0, 1)
			r.l.Message(transport.NewBuffer(0), nil)
		}, [][]int{{0}, {1}}},
		{"who decodes for long wakes nobody", func(r *relayRig) {
			r.reply(0)
			r.l.Message(r.message(1, longReply+1), nil)
			r.reply(2, 3)
		}, [][]int{{0, 1}, {2}, {3}}},
		{"an answer that comes twice", func(r *relayRig) { r.reply(0, 1, 0, 1, 2) }, [][]int{{0}, {1}, {2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			buffers := transport.Outstanding()
			r := newRelayRig(t, 4)
			tt.do(r)
			r.l.Pause()
			for _, want := range tt.want {
				got := r.woken()
				if len(got) != len(want) {
					t.Fatalf("woken: %v, want %v", got, want)
				}
				for i := range want {
					if got[i] != want[i] {
						t.Fatalf("woken: %v, want %v", got, want)
					}
				}
				for _, i := range got {
					r.calls[i].end(nil)
				}
			}
			if got := r.woken(); len(got) > 0 {
				t.Errorf("woken, too: %v", got)
			}
			for _, p := range r.calls {
				if p.call != nil {
					p.end(nil)
				}
			}
			if n := transport.Outstanding(); n != buffers {
				t.Errorf("%d buffers leaked", n-buffers)
			}
		})
	}
}

// Who is over, or asks again, without ever having waited, passes on what he was
// to pass on.
func TestNobodyDropsOutOfARelay(t *testing.T) {
	for _, tt := range []struct {
		name string
		out  func(*pending)
	}{
		{"over", func(p *pending) { p.end(nil) }},
		{"a reply that makes no sense", func(p *pending) { p.discard(true) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelayRig(t, 3)
			r.reply(0, 1, 2)
			r.l.Pause()
			r.woken()
			tt.out(r.calls[0])
			if got := r.woken(); len(got) != 1 || got[0] != 1 {
				t.Fatalf("woken: %v", got)
			}
			for _, p := range r.calls {
				if p.call != nil {
					p.end(nil)
				}
			}
		})
	}
}

func TestRelaysStopWhereCallersAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelayRig(t, 6)
		turn := func(calls ...int) int {
			r.reply(calls...)
			r.l.Pause()
			return len(r.woken())
		}
		if n := turn(0, 1); n != 1 {
			t.Errorf("the first batch wakes %d", n)
		}
		time.Sleep(slowRelay)
		if n := turn(2, 3); n != 1 {
			t.Errorf("%d are woken though a relay may still be in time", n)
		}
		time.Sleep(time.Nanosecond)
		if n := turn(4, 5); n != 6 { // whoever has a reply
			t.Errorf("%d are woken though a relay is late", n)
		}
		if got := r.l.relay.pause; got != relayPause-1 {
			t.Errorf("no relay for %d batches", got)
		}
		for _, p := range r.calls {
			p.end(nil)
		}
	})
}

// The reader of long payloads waits for the last call of a relay, however it ends.
func TestTheReaderWaitsForARelay(t *testing.T) {
	over := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			placed int // bytes of each payload
			calls  int
			waits  bool
			took   time.Duration
			out    func(*pending)
			pause  int
		}{
			{"long payloads", bulkReply, 3, true, 0, func(p *pending) { p.end(nil) }, 0},
			{"short ones", 4096, 3, false, 0, func(p *pending) { p.end(nil) }, 0},
			{"a single one", bulkReply, 1, false, 0, func(p *pending) { p.end(nil) }, 0},
			{"a batch that is full is not waited for", batchBytes / 2, 2, false, 0, func(p *pending) { p.end(nil) }, 0},
			{"a reply that makes no sense", bulkReply, 3, true, 0, func(p *pending) { p.discard(true) }, 0},
			{"in time", bulkReply, 2, true, slowRelay, func(p *pending) { p.end(nil) }, 0},
			{"late", bulkReply, 2, true, slowRelay + 1, func(p *pending) { p.end(nil) }, relayPause},
		} {
			r := newRelayRig(t, tt.calls)
			r.l.relay.tell() // what remains of a relay that nobody waited for
			r.l.placed = tt.placed
			for i := range tt.calls {
				r.detached(i)
			}
			turn := r.l.Pause()
			if (turn != nil) != tt.waits {
				t.Fatalf("%s: the reader waits: %t", tt.name, turn != nil)
			}
			if again := r.l.Pause(); again != nil {
				t.Errorf("%s: the reader waits twice", tt.name)
			}
			time.Sleep(tt.took)
			for _, p := range r.calls[:tt.calls-1] {
				p.discard(true)
			}
			if over(turn) {
				t.Errorf("%s: over before the last call", tt.name)
			}
			tt.out(r.calls[tt.calls-1])
			if over(turn) != tt.waits {
				t.Errorf("%s: the end of the relay is not told", tt.name)
			}
			if got := r.l.relay.pause; got != tt.pause {
				t.Errorf("%s: no relay for %d batches", tt.name, got)
			}
			for _, p := range r.calls {
				if p.call != nil {
					p.end(nil)
				}
			}
		}
	})
}

func TestHowManyCallsAreHeld(t *testing.T) {
	for _, tt := range []struct{ replies, bytes, others, want int }{
		{2, 2 * 4096, 0, heldCalls},
		{16, 16 * 4096, 7, heldCalls},
		{16, 16 * 4096, 8, 16},
		{4, 4 * 4096, 100, 4},
		{2, 2 * bulkReply, 100, 2},
		{3, 3 * bulkReply, 0, 2},
		{16, 16 * bulkReply, 100, 8},
	} {
		b := batch{n: tt.replies, bytes: tt.bytes}
		if got := b.held(tt.replies, tt.others); got != tt.want {
			t.Errorf("%d replies of %d bytes, %d others: %d", tt.replies, tt.bytes, tt.others, got)
		}
	}

	// Those that are told of their replies are none of the others.
	for calls, want := range map[int]int{4: heldCalls, 6: 4} {
		r := newRelayRig(t, calls)
		h := holder{release: func() {}}
		r.l.relay.holder = &h
		r.reply(0, 1, 2, 3)
		r.l.Pause()
		for _, p := range r.calls {
			p.end(nil)
		}
		if h.most != want {
			t.Errorf("4 of %d calls answered: %d", calls, h.most)
		}
	}
}

// holder counts what is held and released.
type holder struct {
	held, released int
	most           int // calls that leave together
	release        func()
}

func (h *holder) Hold(n int) { h.held, h.most = h.held+1, n }

func (h *holder) Release() {
	h.released++
	h.release()
}

// While there is a relay, calls are held back: until its last one is over.
func TestCallsAreHeldBackDuringARelay(t *testing.T) {
	for _, tt := range []struct {
		name string
		over func(*pending)
	}{
		{"over", func(p *pending) { p.end(nil) }},
		{"a reply that makes no sense", func(p *pending) { p.discard(true) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelayRig(t, 4)
			told := 0
			h := holder{release: func() { told = len(r.l.relay.ended) }}
			r.l.relay.holder = &h
			r.l.placed = bulkReply
			r.reply(0)
			r.l.Pause()
			if h.held != 0 {
				t.Error("calls are held for a single reply")
			}
			for i := 1; i < 4; i++ {
				r.detached(i)
			}
			r.calls[0].end(nil)
			r.l.Pause()
			r.calls[1].end(nil)
			r.calls[2].end(nil)
			if h.held != 1 || h.released != 0 || h.most != 2 {
				t.Errorf("got %+v", h)
			}
			tt.over(r.calls[3])
			if h.held != 1 || h.released != 1 {
				t.Errorf("got %+v", h)
			}
			if told != 1 {
				t.Error("what was held back is sent before the reader is told: to close the connection waits for it")
			}
			if r.calls[3].call != nil {
				r.calls[3].end(nil)
			}
			if h.released != 1 {
				t.Errorf("released %d times", h.released)
			}
		})
	}
}

func TestARelayInTimeIsNoReasonToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelayRig(t, 4)
		r.reply(0, 1)
		r.l.Pause()
		for _, p := range r.calls[:2] {
			p.end(nil)
		}
		time.Sleep(time.Second)
		r.woken()
		r.reply(2, 3)
		r.l.Pause()
		if got := r.woken(); len(got) != 1 {
			t.Errorf("woken: %v", got)
		}
		for _, p := range r.calls[2:] {
			p.end(nil)
		}
	})
}

// Who wants to know of relays is told of each, and of its end before what was
// held back leaves.
func TestRelaysAreTold(t *testing.T) {
	r := newRelayRig(t, 7)
	begun, over, released := 0, 0, 0
	c := &Client{core: r.l.ep.core}
	hook := func() func() {
		begun++
		return func() { over++ }
	}
	remove := c.OnRelay(hook)
	r.l.relay.holder = &holder{release: func() { released = over }}
	r.reply(0)
	r.l.Pause()
	r.calls[0].end(nil)
	if begun != 0 {
		t.Error("a single reply is no relay")
	}
	r.reply(1, 2, 3)
	r.l.Pause()
	r.calls[1].end(nil)
	r.calls[2].end(nil)
	if begun != 1 || over != 0 {
		t.Errorf("%d relays begun, %d over", begun, over)
	}
	again := c.OnRelay(hook)
	remove()
	remove()
	r.calls[3].discard(true)
	if begun != 1 || over != 1 || released != 1 {
		t.Errorf("%d relays begun, %d over, %d of them when the rest was released", begun, over, released)
	}
	r.calls[3].end(nil)
	r.reply(4, 5, 6)
	r.l.Pause()
	for _, p := range r.calls[4:] {
		p.end(nil)
	}
	if begun != 2 || over != 2 {
		t.Errorf("afterwards: %d relays begun, %d over", begun, over)
	}
	c.OnRelay(hook)
	if end := c.core.relayBegins(); begun != 4 {
		t.Errorf("two hooks: %d relays begun", begun)
	} else if end(); over != 4 {
		t.Errorf("two hooks: %d relays over", over)
	}
	again()
	if c.core.relayBegins(); begun != 5 {
		t.Errorf("one hook again: %d relays begun", begun)
	}
}
