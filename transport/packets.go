package transport

import (
	"errors"
	"net"
)

// ServePackets reads datagrams from pc until it is closed, and hands each to
// each, on the caller's goroutine, together with a Conn that sends to where it
// came from. msg is each's to Release; each must not block, and may keep peer.
// Datagrams of fewer than 4 bytes are dropped. The peer's Close and Abort do
// nothing, as the socket is pc's, and its Serve returns net.ErrClosed, as what
// it sends comes from here.
//
// ServePackets returns net.ErrClosed when pc was closed.
func ServePackets(pc net.PacketConn, each func(peer Conn, msg *Buffer)) error {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := pc.ReadFrom(buf)
		switch {
		case err == nil:
			if n >= minMessage {
				m := NewBuffer(n)
				copy(m.Bytes(), buf)
				each(&packetPeer{pc: pc, to: from}, m)
			}
		case errors.Is(err, net.ErrClosed):
			return net.ErrClosed
		case !isICMP(err):
			return err
		}
	}
}

// packetPeer answers one sender of datagrams.
type packetPeer struct {
	pc net.PacketConn
	to net.Addr
}

// Send implements Conn. An error concerns this datagram only.
func (p *packetPeer) Send(head, payload []byte, _ <-chan struct{}) error {
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
