package transport

import (
	"io"
	"net"
	"sync"
)

// pipeRoom is how many bytes may be on their way before a Send with a payload
// waits for the reader, as it would for a socket's buffer.
const pipeRoom = 1 << 20

// Pipe returns the two ends of a connection in memory. What is sent on one end
// arrives at the other whole and in order; a payload is copied. Sends without
// payload never wait; one with payload waits while 1 MiB or more is on its
// way. After Close the peer reads what was sent and then gets io.EOF; after
// Abort both ends' messages are lost and the peer gets io.ErrClosedPipe.
//
// Both ends work under testing/synctest: every wait is on a channel.
func Pipe() (a, b Conn) {
	x, y := newQueue(), newQueue()
	return &pipe{in: x, out: y, local: "a", remote: "b"}, &pipe{in: y, out: x, local: "b", remote: "a"}
}

// pipeQueue carries messages one way.
type pipeQueue struct {
	ready chan struct{} // holds a token when there may be something to read

	mu    sync.Mutex    // guards what follows
	msgs  []*Buffer     // on their way
	bytes int           // sum of their lengths
	room  chan struct{} // closed, and replaced, when bytes shrinks
	wend  error         // what Send returns; nil while the way is open
	rend  error         // what Serve returns when msgs is empty; nil while open
}

func newQueue() *pipeQueue {
	return &pipeQueue{ready: make(chan struct{}, 1), room: make(chan struct{})}
}

// end closes the way: senders get w from now on, the reader r once it has read
// what is left, which is nothing if drop is set.
func (q *pipeQueue) end(w, r error, drop bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.wend == nil || w == net.ErrClosed { // one's own end says more than the peer's
		q.wend = w
	}
	if q.rend == nil || r == net.ErrClosed || q.rend == io.EOF {
		q.rend = r
	}
	if drop {
		for _, m := range q.msgs {
			m.Release()
		}
		q.msgs, q.bytes = nil, 0
	}
	q.changedLocked()
}

// changedLocked wakes whoever waits for room or for a message.
func (q *pipeQueue) changedLocked() {
	close(q.room)
	q.room = make(chan struct{})
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// put queues a message, waiting for room if wait is set.
func (q *pipeQueue) put(head, payload []byte, wait bool, cancel <-chan struct{}) error {
	pad := -len(payload) & 3
	q.mu.Lock()
	for {
		if err := q.wend; err != nil {
			q.mu.Unlock()
			return err
		}
		if !wait || q.bytes < pipeRoom {
			break
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-cancel:
			return ErrCanceled
		}
		q.mu.Lock()
	}
	defer q.mu.Unlock()
	m := NewBuffer(len(head) + len(payload) + pad)
	b := m.Bytes()
	n := copy(b, head)
	n += copy(b[n:], payload)
	clear(b[n:])
	q.msgs = append(q.msgs, m)
	q.bytes += len(b)
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return nil
}

// take waits for a message, or tells why none comes any more.
func (q *pipeQueue) take() (*Buffer, error) {
	for {
		q.mu.Lock()
		if len(q.msgs) > 0 {
			m := q.msgs[0]
			q.msgs[0] = nil
			q.msgs = q.msgs[1:]
			q.bytes -= len(m.Bytes())
			q.changedLocked()
			q.mu.Unlock()
			return m, nil
		}
		err := q.rend
		q.mu.Unlock()
		if err != nil {
			return nil, err
		}
		<-q.ready
	}
}

// pipe is one end.
type pipe struct {
	in, out       *pipeQueue
	local, remote pipeAddr
}

// Send implements Conn.
func (p *pipe) Send(head, payload []byte, cancel <-chan struct{}) error {
	return p.out.put(head, payload, len(payload) > 0, cancel)
}

// Serve implements Conn.
func (p *pipe) Serve(r Receiver) error {
	pause := pauseOf(r)
	for {
		m, err := p.in.take()
		if err != nil {
			return err
		}
		deliver(r, m.Bytes(), m)
		pause()
	}
}

// Close implements Conn.
func (p *pipe) Close() error {
	p.out.end(net.ErrClosed, io.EOF, false)
	p.in.end(io.ErrClosedPipe, net.ErrClosed, true)
	return nil
}

// Abort implements Conn.
func (p *pipe) Abort() error {
	p.out.end(net.ErrClosed, io.ErrClosedPipe, true)
	p.in.end(io.ErrClosedPipe, net.ErrClosed, true)
	return nil
}

// LocalAddr implements Conn.
func (p *pipe) LocalAddr() net.Addr { return p.local }

// RemoteAddr implements Conn.
func (p *pipe) RemoteAddr() net.Addr { return p.remote }

// pipeAddr names an end of a Pipe.
type pipeAddr string

// Network implements net.Addr.
func (pipeAddr) Network() string { return "pipe" }

func (a pipeAddr) String() string { return "pipe:" + string(a) }
