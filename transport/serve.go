package transport

import (
	"net"
)

// ServePackets reads datagrams from pc until it is closed, and hands each to
// each, on the caller's goroutine, together with a Conn that sends to its
// sender. msg is each's to Release; each must not block. The peer's Close and
// Abort do nothing, and its Serve returns net.ErrClosed: what it sends comes
// from here. It returns net.ErrClosed when pc was closed.
func ServePackets(pc net.PacketConn, each func(peer Conn, msg *Buffer)) error {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := pc.ReadFrom(buf)
		if isRefused(err) {
			continue
		}
		if err != nil {
			return err
		}
		if n < minMessage {
			continue
		}
		m := NewBuffer(n)
		copy(m.Bytes(), buf)
		each(&packetPeer{pc: pc, to: from}, m)
	}
}

// packetPeer answers one sender of datagrams.
type packetPeer struct {
	pc net.PacketConn
	to net.Addr
}

// Send implements Conn.
func (p *packetPeer) Send(head, payload []byte, cancel <-chan struct{}) error {
	m, err := datagram(head, payload, maxDatagram)
	if err != nil {
		return err
	}
	defer m.Release()
	_, err = p.pc.WriteTo(m.Bytes(), p.to)
	return err
}

// Serve implements Conn: nothing is to be read here.
func (p *packetPeer) Serve(Receiver) error { return net.ErrClosed }

// Close implements Conn: the socket belongs to ServePackets.
func (p *packetPeer) Close() error { return nil }

// Abort implements Conn: the socket belongs to ServePackets.
func (p *packetPeer) Abort() error { return nil }

// LocalAddr implements Conn.
func (p *packetPeer) LocalAddr() net.Addr { return p.pc.LocalAddr() }

// RemoteAddr implements Conn.
func (p *packetPeer) RemoteAddr() net.Addr { return p.to }
