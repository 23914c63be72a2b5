package transport

import (
	"net"
	"sync"
)

// tap is a net.Conn and the wire over it. It takes as many bytes as it is
// opened for, and keeps them: either like a socket, which takes what it can, or
// like any net.Conn, whose Write waits for the peer.
type tap struct {
	net.Conn
	waiting bool

	mu    sync.Mutex // guards what follows
	more  sync.Cond  // room or err has changed
	room  int        // for bytes
	err   error      // what comes when there is no more room
	taken []byte
}

// newTapped returns a stream through a tap.
func newTapped(waits bool, room int) (*stream, *tap) {
	p := &tap{waiting: waits, room: room}
	p.more.L = &p.mu
	s := newStream(p, 0)
	s.wire = p
	return s, p
}

// open lets n more bytes through; then comes err, if it is not nil.
func (p *tap) open(n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.room += n
	if p.err == nil {
		p.err = err
	}
	p.more.Broadcast()
}

func (p *tap) got() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.taken)
}

func (p *tap) write(segments [][]byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range segments {
		for len(s) > 0 {
			for p.waiting && p.room == 0 && p.err == nil {
				p.more.Wait()
			}
			k := min(p.room, len(s))
			p.taken = append(p.taken, s[:k]...)
			p.room -= k
			n += k
			switch s = s[k:]; {
			case len(s) == 0 || p.waiting && k > 0:
			case p.err != nil && (p.waiting || n == 0):
				return n, p.err
			case n == 0:
				return 0, errAgain
			default:
				return n, nil
			}
		}
	}
	return n, nil
}

func (p *tap) writing(step func() bool) error {
	for !step() {
		p.mu.Lock()
		for p.room == 0 && p.err == nil {
			p.more.Wait()
		}
		p.mu.Unlock()
	}
	return nil
}

func (p *tap) waits() bool  { return p.waiting }
func (p *tap) direct() bool { return !p.waiting }

func (p *tap) pausing(func() <-chan struct{}) {}

func (p *tap) read(*Sink, uint32, int, []byte) (int, int, error) { return 0, 0, net.ErrClosed }

// Close ends a write that waits.
func (p *tap) Close() error {
	p.mu.Lock()
	p.room = 0
	p.mu.Unlock()
	p.open(0, net.ErrClosed)
	return nil
}

func (p *tap) LocalAddr() net.Addr  { return pipeAddr("test") }
func (p *tap) RemoteAddr() net.Addr { return pipeAddr("tap") }
