package transport

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// maxDatagram is the longest payload of a UDP datagram over IPv4.
const maxDatagram = 65507

// minMessage is the shortest datagram worth a look: an XID.
const minMessage = 4

// packet is a Conn over a net.Conn with message semantics: a connected UDP
// socket, or what a Dialer's DialContext returned for "udp".
type packet struct {
	nc      net.Conn
	max     int
	refused atomic.Int64 // ICMP refusals that Send has not reported yet
	closed  atomic.Bool
	once    sync.Once
	err     error
}

func newPacket(nc net.Conn, maxMessage int) *packet {
	if maxMessage <= 0 || maxMessage > maxDatagram {
		maxMessage = maxDatagram
	}
	return &packet{nc: nc, max: maxMessage}
}

// datagram puts head, payload and padding into one buffer.
func datagram(head, payload []byte, limit int) (*Buffer, error) {
	n := len(head) + len(payload) + -len(payload)&3
	if n > limit {
		return nil, &SizeError{Size: n, Max: limit}
	}
	m := NewBuffer(n)
	b := m.Bytes()
	at := copy(b, head)
	at += copy(b[at:], payload)
	clear(b[at:])
	return m, nil
}

// Send implements Conn.
func (p *packet) Send(head, payload []byte, cancel <-chan struct{}) error {
	m, err := datagram(head, payload, p.max)
	if err != nil {
		return err
	}
	defer m.Release()
	_, err = p.nc.Write(m.Bytes())
	if isRefused(err) {
		// The error of an earlier datagram: the socket did not send this one.
		p.refused.Add(1)
		_, err = p.nc.Write(m.Bytes())
	}
	if isRefused(err) {
		p.refused.Add(1)
		err = nil
	}
	if err != nil {
		if p.closed.Load() {
			return net.ErrClosed
		}
		return err
	}
	if n := p.refused.Swap(0); n > 0 {
		return &RefusedError{Remote: p.nc.RemoteAddr(), Count: int(n)}
	}
	return nil
}

func isRefused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET)
}

// Serve implements Conn.
func (p *packet) Serve(r Receiver) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := p.nc.Read(buf)
		switch {
		case p.closed.Load():
			return net.ErrClosed
		case isRefused(err):
			p.refused.Add(1)
			continue
		case err != nil:
			return err
		case n < minMessage:
			continue
		}
		m := NewBuffer(n)
		copy(m.Bytes(), buf)
		deliver(r, m)
	}
}

// Close implements Conn.
func (p *packet) Close() error {
	p.once.Do(func() {
		p.closed.Store(true)
		p.err = p.nc.Close()
	})
	return p.err
}

// Abort implements Conn.
func (p *packet) Abort() error { return p.Close() }

// LocalAddr implements Conn.
func (p *packet) LocalAddr() net.Addr { return p.nc.LocalAddr() }

// RemoteAddr implements Conn.
func (p *packet) RemoteAddr() net.Addr { return p.nc.RemoteAddr() }
