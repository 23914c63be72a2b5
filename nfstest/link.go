package nfstest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// link is one client: a TCP connection, or a source address over UDP. It owns
// the net.Conn, so that faults can be told to the byte.
type link struct {
	s       *Server
	door    door
	network string // netid
	local   net.Addr
	remote  net.Addr
	mem     bool   // made by DialContext
	born    uint64 // generation of the server when it was made

	nc net.Conn       // nil for a UDP socket
	pc net.PacketConn // UDP sockets

	slots  chan struct{} // one for each call being executed
	silent atomic.Bool   // half-open: nothing is answered any more
	strict tracker

	wmu sync.Mutex // one record at a time is written; guards the rest
	// held are replies that wait to be overtaken.
	held     []*heldReply
	gathered *gathering // nil: none
}

// Limits on what a client may send.
const (
	maxFragments = 1024
	slackBytes   = 4096 // beyond wtmax: heads, credentials, names
)

// newLink counts l among the server's links. It reports whether the server
// takes connections.
func (s *Server) newLink(l *link) bool {
	l.s, l.slots = s, make(chan struct{}, s.o.Workers)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.down && l.network != networkLocal {
		return false
	}
	s.links[l] = struct{}{}
	l.born = s.gen
	if l.mem {
		s.wg.Add(1) // with mu held: Close waits only for what it can see
	}
	return true
}

func (s *Server) forget(l *link) {
	s.mu.Lock()
	delete(s.links, l)
	s.mu.Unlock()
}

// datagrams reports whether a message is one packet.
func (l *link) datagrams() bool { return l.network[0] == 'u' }

// resets reports whether a restart of the server ends the link.
func (l *link) resets() bool { return !l.datagrams() && l.network != networkLocal }

// serve reads records until the connection ends. It is started by the accept
// loop or by DialContext, and ends with the connection, which Close aborts.
func (l *link) serve() {
	defer l.s.forget(l)
	defer l.nc.Close()
	br := bufio.NewReaderSize(l.nc, 64<<10)
	for {
		var (
			msg *transport.Buffer
			err error
		)
		if l.datagrams() {
			msg, err = readPacket(l.nc)
		} else {
			msg, err = readRecord(br, int(l.s.o.Wtmax)+slackBytes)
		}
		var bad *recordError
		if errors.As(err, &bad) {
			l.s.violate(BadRecord, nil, fmt.Sprintf("%s %v: %v", l.network, l.remote, bad))
		}
		if err != nil {
			return
		}
		l.receive(msg)
	}
}

// recordError is a record that breaks RFC 5531 section 11 or our limits.
type recordError struct{ msg string }

func (e *recordError) Error() string { return "record of " + e.msg }

// readRecord reads one message from a stream: fragments, each behind a word
// whose top bit marks the last one (RFC 5531 section 11). It is written from
// the RFC, as parseCall is.
func readRecord(r io.Reader, limit int) (*transport.Buffer, error) {
	var (
		mark [4]byte
		msg  *transport.Buffer
		n    int
	)
	fail := func(err error) (*transport.Buffer, error) {
		if msg != nil {
			msg.Release()
		}
		return nil, err
	}
	for i := 0; ; i++ {
		if _, err := io.ReadFull(r, mark[:]); err != nil {
			return fail(err)
		}
		w := binary.BigEndian.Uint32(mark[:])
		size, last := int(w&0x7fffffff), w>>31 == 1
		switch {
		case i >= maxFragments:
			return fail(&recordError{fmt.Sprintf("more than %d fragments", maxFragments)})
		case size > limit-n:
			return fail(&recordError{fmt.Sprintf("more than %d bytes", limit)})
		case i == 0 && last:
			msg = transport.NewBuffer(size)
		case i == 0:
			msg = transport.NewBuffer(limit)
		}
		if _, err := io.ReadFull(r, msg.Bytes()[n:n+size]); err != nil {
			return fail(err)
		}
		if n += size; last {
			msg.Truncate(n)
			return msg, nil
		}
	}
}

// readPacket reads one datagram.
func readPacket(r io.Reader) (*transport.Buffer, error) {
	msg := transport.NewBuffer(1 << 16)
	n, err := r.Read(msg.Bytes())
	if err != nil {
		msg.Release()
		return nil, err
	}
	msg.Truncate(n)
	return msg, nil
}

// receive takes one message, which it releases when it was answered. The
// goroutine that it starts ends when the call was answered or the server is
// closed.
func (l *link) receive(msg *transport.Buffer) {
	s := l.s
	if l.silent.Load() || !s.awake() {
		msg.Release()
		return
	}
	c, err := parseCall(msg.Bytes())
	if err != nil {
		s.violate(BadCall, nil, fmt.Sprintf("%s %v: %v", l.network, l.remote, err))
		msg.Release()
		return
	}
	c.Network, c.Remote = l.network, l.remote
	l.strict.arrived(l, c)
	gen := s.meet(c)
	if gen != l.born && l.resets() { // it was read just before the restart that reset the connection
		msg.Release()
		return
	}
	select {
	case l.slots <- struct{}{}:
	case <-s.ctx.Done():
		msg.Release()
		return
	}
	s.wg.Go(func() {
		defer msg.Release()
		free := sync.OnceFunc(func() { <-l.slots })
		defer free()
		l.call(c, gen, free)
	})
}

// call does what faults want and executes the call.
func (l *link) call(c *Call, gen uint64, free func()) {
	p := &c.faults
	switch {
	case p.crash:
		l.s.wg.Go(func() { l.s.Restart() })
		return
	case p.halfOpen:
		l.silent.Store(true)
		return
	case p.dropCall:
		return
	}
	if p.delayCall > 0 {
		free()
		if !l.s.sleep(p.delayCall) {
			return
		}
	}
	for range 1 + p.dupCall {
		r, ok := l.s.run(l, c, gen)
		if !ok {
			return
		}
		if p.delayReply > 0 {
			free()
			if !l.s.sleep(p.delayReply) {
				return
			}
		}
		if l.s.awake() && l.s.generation() == gen {
			l.answer(c, r)
		}
	}
}

// run executes a call of generation gen, or takes its reply from the
// duplicate-request cache. It reports whether there is a reply.
func (s *Server) run(l *link, c *Call, gen uint64) (reply, bool) {
	s.running.RLock()
	defer s.running.RUnlock()
	if s.generation() != gen {
		return reply{}, false
	}
	e, first := s.cache.enter(s, c)
	if !first {
		return e.again(s, c)
	}
	r := s.execute(s.ctx, l, c)
	e.done(r)
	return r, true
}

// sleep waits for d. It reports false when the server was closed meanwhile.
func (s *Server) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// abort ends the connection with a reset. A UDP address has none to end.
func (l *link) abort() {
	switch nc := l.nc.(type) {
	case *net.TCPConn:
		nc.SetLinger(0)
		nc.Close()
	case *net.UnixConn:
		nc.Close()
	case *memConn:
		if !l.datagrams() || l.s.ctx.Err() != nil {
			nc.reset()
		}
	}
}
