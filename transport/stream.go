package transport

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// MaxMessage is the longest message that is accepted where no other limit is
// given: the data of the largest READ, and room for its header.
const MaxMessage = 1<<20 + 64<<10

// closeTime bounds how long Close waits for queued messages to leave.
const closeTime = time.Second

// stream is a Conn of records over a net.Conn.
type stream struct {
	nc   net.Conn
	wire wire
	max  int // bytes of a record that is received

	taken *PortError // see PortsTaken

	// Made once, so that nothing is allocated for a message.
	flushStep, drainStep func() bool
	drain                func()

	mu       sync.Mutex    // guards what follows
	out      outQueue      // what is to be sent
	flushing bool          // somebody is writing, and owns wire's write side and segments; if not, out is empty, or holds what is held
	hold     int           // how many small records leave together, see hold.go; 0: each by itself
	held     int           // that do
	joined   bool          // others queued records since somebody is writing
	crowd    crowd         // whether they are expected to
	flushed  chan struct{} // if not nil, closed when nobody writes any more
	closing  bool          // Close was called
	err      error         // why the connection ended, or nil
	idleDone []chan error  // see doneLocked
	segments [maxSegments][]byte

	broken   atomic.Bool // a write failed
	killOnce sync.Once
	killErr  error
}

// NewStream returns a Conn that sends and receives records (RFC 5531 section
// 11) over nc, and owns nc from now on. A record of more than maxMessage bytes
// ends the connection; 0 means MaxMessage.
//
// On Linux a *net.TCPConn is read and written with recvmsg and sendmsg, without
// copying payloads. Over any other net.Conn (TLS, a tunnel), and elsewhere,
// what is received is copied once more.
func NewStream(nc net.Conn, maxMessage int) Conn { return newStream(nc, maxMessage) }

func newStream(nc net.Conn, maxMessage int) *stream {
	if maxMessage <= 0 {
		maxMessage = MaxMessage
	}
	s := &stream{nc: nc, wire: newWire(nc), max: maxMessage}
	s.flushStep, s.drainStep, s.drain = s.flushOnce, s.drainOnce, s.drainQueue
	return s
}

// Serve implements Conn. A peer that breaks record marking is disconnected;
// after any other end it is for the caller to call Close or Abort.
func (s *stream) Serve(r Receiver) error {
	rr := &recordReader{wire: s.wire, remote: s.nc.RemoteAddr(), max: s.max, buf: make([]byte, scratchSize)}
	err := rr.run(r)
	var re *RecordError
	if errors.As(err, &re) {
		s.fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil { // our end came first, and is why the read failed
		return s.err
	}
	return err
}

// Close implements Conn: it waits up to 1 s for queued messages to leave, and
// then gives them up and returns ErrStuck. The kernel delivers what left, and
// a FIN; but if it holds bytes that Serve has not read, it sends RST, as TCP
// does then: who wants all replies waits for them first.
func (s *stream) Close() error {
	s.mu.Lock()
	if s.closing || s.err != nil {
		s.mu.Unlock()
		return nil
	}
	s.closing = true
	if !s.flushing && !s.out.empty() { // held back
		s.beginFlushLocked()
		s.startDrain()
	}
	var flushed chan struct{}
	if s.flushing {
		flushed = make(chan struct{})
		s.flushed = flushed
	}
	s.mu.Unlock()

	if flushed != nil {
		t := time.NewTimer(closeTime)
		defer t.Stop()
		select {
		case <-flushed:
		case <-t.C:
			s.fail(ErrStuck)
			return ErrStuck
		}
	}
	s.mu.Lock()
	err := s.err
	if err == nil {
		s.err = net.ErrClosed
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.kill(false)
}

// Abort implements Conn.
func (s *stream) Abort() error {
	s.fail(net.ErrClosed)
	return s.kill(true)
}

// sendErrLocked tells why nothing can be sent any more.
func (s *stream) sendErrLocked() error {
	if s.err == nil && s.closing {
		return net.ErrClosed
	}
	return s.err
}

// fail ends the connection at once, for the reason err unless there is an
// earlier one. The flusher, who owns what is queued, and Serve find the
// wire closed; it waits for Serve's Receiver at most.
func (s *stream) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.kill(true)
}

// kill closes the net.Conn, once.
func (s *stream) kill(abort bool) error {
	s.killOnce.Do(func() {
		if abort {
			abortConn(s.nc)
		}
		s.killErr = s.nc.Close()
	})
	return s.killErr
}

// abortConn makes the coming Close of nc a hard one: TCP answers with RST and
// keeps nothing. Of a wrapped connection (TLS) the inner one is closed: its
// own Close would want to send.
func abortConn(nc net.Conn) {
	if w, ok := nc.(interface{ NetConn() net.Conn }); ok {
		inner := w.NetConn()
		abortConn(inner)
		inner.Close()
		return
	}
	if l, ok := nc.(interface{ SetLinger(sec int) error }); ok {
		_ = l.SetLinger(0) // fails only on a closed socket
	}
}

// LocalAddr implements Conn.
func (s *stream) LocalAddr() net.Addr { return s.nc.LocalAddr() }

// RemoteAddr implements Conn.
func (s *stream) RemoteAddr() net.Addr { return s.nc.RemoteAddr() }
