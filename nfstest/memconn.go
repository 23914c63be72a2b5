package nfstest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// memConn is one end of an in-memory connection. Unlike that of net.Pipe it has
// buffers, as sockets do, can be reset, and carries datagrams too.
type memConn struct {
	in, out       *memQueue
	local, remote net.Addr
	rd, wd        deadline
	closed        func() // called once, by Close
}

// Buffer sizes of a memConn: bytes of a stream, or datagrams.
const (
	memBytes   = 256 << 10
	memPackets = 256
)

// newMemPipe returns the two ends of a connection from a to b.
func newMemPipe(packets bool, a, b net.Addr) (near, far *memConn) {
	x, y := newMemQueue(packets), newMemQueue(packets)
	near = &memConn{in: x, out: y, local: a, remote: b}
	far = &memConn{in: y, out: x, local: b, remote: a}
	near.rd.init()
	near.wd.init()
	far.rd.init()
	far.wd.init()
	return near, far
}

// Read implements net.Conn. A datagram that is longer than p is cut.
func (c *memConn) Read(p []byte) (int, error) {
	n, err := c.in.read(p, c.rd.wait())
	return n, c.wrap("read", err)
}

// Write implements net.Conn. A datagram for which there is no room is lost.
func (c *memConn) Write(p []byte) (int, error) {
	n, err := c.out.write(p, c.wd.wait())
	return n, c.wrap("write", err)
}

func (c *memConn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

// Close implements net.Conn: the peer reads what was written, then EOF. A peer
// that writes gets a reset.
func (c *memConn) Close() error {
	c.out.end(io.EOF, net.ErrClosed)
	c.in.end(net.ErrClosed, syscall.ECONNRESET)
	if c.closed != nil {
		c.closed()
	}
	return nil
}

// CloseWrite ends the direction from c, as a FIN does.
func (c *memConn) CloseWrite() error {
	c.out.end(io.EOF, net.ErrClosed)
	return nil
}

// reset ends the connection as a RST does.
func (c *memConn) reset() {
	c.out.end(syscall.ECONNRESET, net.ErrClosed)
	c.in.end(net.ErrClosed, syscall.ECONNRESET)
}

// LocalAddr implements net.Conn.
func (c *memConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *memConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *memConn) SetDeadline(t time.Time) error {
	c.rd.set(t)
	c.wd.set(t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (c *memConn) SetReadDeadline(t time.Time) error {
	c.rd.set(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *memConn) SetWriteDeadline(t time.Time) error {
	c.wd.set(t)
	return nil
}

// memQueue carries bytes in one direction.
type memQueue struct {
	packets bool

	mu      sync.Mutex // guards the rest
	data    []byte     // of a stream
	msgs    [][]byte   // datagrams
	readErr error      // what a reader gets when there is no data any more
	writErr error      // what a writer gets
	change  chan struct{}
}

func newMemQueue(packets bool) *memQueue {
	return &memQueue{packets: packets, change: make(chan struct{})}
}

// changedLocked wakes whoever waits.
func (q *memQueue) changedLocked() {
	close(q.change)
	q.change = make(chan struct{})
}

func (q *memQueue) read(p []byte, expired <-chan struct{}) (int, error) {
	for {
		q.mu.Lock()
		if isClosed(expired) {
			q.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		}
		if q.readErr == net.ErrClosed {
			q.mu.Unlock()
			return 0, net.ErrClosed
		}
		if len(q.msgs) > 0 {
			n := copy(p, q.msgs[0])
			q.msgs = q.msgs[1:]
			q.changedLocked()
			q.mu.Unlock()
			return n, nil
		}
		if len(q.data) > 0 || len(p) == 0 && !q.packets {
			n := copy(p, q.data)
			q.data = append(q.data[:0], q.data[n:]...)
			q.changedLocked()
			q.mu.Unlock()
			return n, nil
		}
		err, change := q.readErr, q.change
		q.mu.Unlock()
		if err != nil {
			return 0, err
		}
		select {
		case <-change:
		case <-expired:
		}
	}
}

func (q *memQueue) write(p []byte, expired <-chan struct{}) (n int, err error) {
	for {
		q.mu.Lock()
		switch {
		case isClosed(expired):
			q.mu.Unlock()
			return n, os.ErrDeadlineExceeded
		case q.writErr != nil:
			err := q.writErr
			q.mu.Unlock()
			return n, err
		case q.packets:
			if len(q.msgs) < memPackets {
				q.msgs = append(q.msgs, append([]byte(nil), p...))
				q.changedLocked()
			}
			q.mu.Unlock()
			return len(p), nil
		}
		if k := min(memBytes-len(q.data), len(p)-n); k > 0 || len(p) == n {
			q.data = append(q.data, p[n:n+k]...)
			n += k
			q.changedLocked()
		}
		change := q.change
		q.mu.Unlock()
		if n == len(p) {
			return n, nil
		}
		select {
		case <-change:
		case <-expired:
		}
	}
}

// end makes readers and writers fail from now on. The first end counts, but
// that one's own side is closed counts more.
func (q *memQueue) end(readErr, writErr error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.readErr == nil || readErr == net.ErrClosed {
		q.readErr = readErr
	}
	if q.writErr == nil || writErr == net.ErrClosed {
		q.writErr = writErr
	}
	q.changedLocked()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// deadline is a read or write deadline.
type deadline struct {
	mu      sync.Mutex // guards the rest
	timer   *time.Timer
	expired chan struct{}
}

func (d *deadline) init() { d.expired = make(chan struct{}) }

// wait returns what is closed when the deadline has passed.
func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.expired
}

// set moves the deadline; the zero time is none.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.expired // the timer is about to close it
	}
	d.timer = nil
	if isClosed(d.expired) {
		d.expired = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	expired := d.expired
	if left := time.Until(t); left > 0 {
		d.timer = time.AfterFunc(left, func() { close(expired) })
	} else {
		close(expired)
	}
}
