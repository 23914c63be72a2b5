package transport

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

const (
	// maxDatagram is the longest payload of a UDP datagram over IPv4: 65535
	// less 20 bytes of IP header and 8 of UDP.
	maxDatagram = 65507
	// datagramRoom is the size of a UDP socket's buffers, which no kernel tunes:
	// room for the 16 replies of 32 KiB that may be under way, twice as in the
	// Linux client (xs_udp_set_buffer_size). With Linux's default of 208 KiB
	// 6 % of such READs were sent again.
	datagramRoom = 16 * 2 * (32<<10 + 1<<10)
	// minMessage is the shortest datagram that is looked at: an XID.
	minMessage = 4
)

// packet is a Conn over a net.Conn with message semantics: a connected UDP
// socket, which takes datagrams from its peer only, or what a Dialer's
// DialContext returned for "udp". Nothing but Close ends a UDP socket: ICMP
// errors, which anybody may forge, are counted, and reported by the next Send.
type packet struct {
	nc    net.Conn
	max   int
	sock  *net.UDPConn // nc, if it is a socket: an errno concerns one datagram
	whole bool         // datagrams are not to be cut, see fragment.go
	taken *PortError   // see PortsTaken

	cutting sync.RWMutex // held for reading while a datagram leaves whole, for writing while one may be cut

	mu      sync.Mutex // guards what follows
	closed  bool
	refused int   // errors that Send has not reported
	why     error // the last of them
}

func newPacket(nc net.Conn, maxMessage int) *packet {
	if maxMessage <= 0 || maxMessage > maxDatagram {
		maxMessage = maxDatagram
	}
	sock, _ := nc.(*net.UDPConn)
	if u, ok := nc.(*unconnected); ok {
		sock = u.UDPConn
	}
	return &packet{nc: nc, max: maxMessage, sock: sock}
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

// Send implements Conn. It does not wait for the peer, only, at worst, for the
// network card. A refusal is reported by the Send after it.
func (p *packet) Send(head, payload []byte, _ <-chan struct{}) error {
	m, err := datagram(head, payload, p.max)
	if err != nil {
		return err
	}
	defer m.Release()
	err = p.write(m.Bytes())
	if p.note(err) {
		// It may be the error of an earlier datagram: the kernel then reports
		// that one, and does not send this one.
		err = p.write(m.Bytes())
		switch {
		case p.whole && errors.Is(err, syscall.EMSGSIZE):
			err = p.tooLong(m.Bytes(), len(payload))
		case p.note(err):
			err = nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return net.ErrClosed
	case err != nil:
		return err
	case p.refused > 0:
		err = &RefusedError{Remote: p.nc.RemoteAddr(), Count: p.refused, Err: p.why}
		p.refused = 0
	}
	return err
}

// write hands one datagram to the socket.
func (p *packet) write(b []byte) error {
	p.cutting.RLock()
	defer p.cutting.RUnlock()
	_, err := p.nc.Write(b)
	return err
}

// note reports whether err concerns one datagram only, and counts it if so; but
// for EMSGSIZE, which says of an earlier one that a router found it too long:
// the next that is as long will not get past the kernel.
func (p *packet) note(err error) bool {
	var no syscall.Errno
	if p.sock == nil || err == nil || !errors.As(err, &no) {
		return false
	}
	if no == syscall.EMSGSIZE {
		return true
	}
	p.mu.Lock()
	p.refused++
	p.why = no
	p.mu.Unlock()
	return true
}

// Serve implements Conn. Datagrams of fewer than 4 bytes are dropped.
func (p *packet) Serve(r Receiver) error {
	buf := make([]byte, 64<<10)
	pause := pauseOf(r)
	for {
		n, err := p.nc.Read(buf)
		switch {
		case err == nil:
			if n >= minMessage {
				deliver(r, buf[:n], nil)
				pause()
			}
		case p.isClosed():
			return net.ErrClosed
		case !isICMP(err) || !p.note(err):
			return err
		}
	}
}

func (p *packet) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// isICMP reports whether a read failed because of what ICMP said about an
// earlier datagram (on Linux icmp_err_convert, each reported once): not an
// error of the socket, which would come again and again.
func isICMP(err error) bool {
	return isErrno(err, syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EMSGSIZE,
		syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EHOSTDOWN, wsaeconnreset)
}

// Close implements Conn.
func (p *packet) Close() error {
	p.mu.Lock()
	was := p.closed
	p.closed = true
	p.mu.Unlock()
	if was {
		return nil
	}
	return p.nc.Close()
}

// Abort implements Conn.
func (p *packet) Abort() error { return p.Close() }

// LocalAddr implements Conn.
func (p *packet) LocalAddr() net.Addr { return p.nc.LocalAddr() }

// RemoteAddr implements Conn.
func (p *packet) RemoteAddr() net.Addr { return p.nc.RemoteAddr() }
