package transport

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

// MaxMessage is the longest message that is accepted where no other limit is
// given: the data of the largest READ, and room for its header.
const MaxMessage = 1<<20 + 64<<10

const (
	lastFragment = 1 << 31
	maxFragments = 1024
)

// NewStream returns a Conn that sends and receives records (RFC 5531 section
// 11) over nc, and owns nc from now on. Records longer than maxMessage bytes
// end the connection; 0 means MaxMessage.
func NewStream(nc net.Conn, maxMessage int) Conn {
	if maxMessage <= 0 {
		maxMessage = MaxMessage
	}
	return &stream{nc: nc, max: maxMessage}
}

type stream struct {
	nc  net.Conn
	max int
	mu  sync.Mutex
	err error
}

func (s *stream) Send(head, payload []byte, cancel <-chan struct{}) error {
	pad := -len(payload) & 3
	n := len(head) + len(payload) + pad
	b := binary.BigEndian.AppendUint32(nil, lastFragment|uint32(n))
	b = append(b, head...)
	b = append(b, payload...)
	b = append(b, make([]byte, pad)...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if _, err := s.nc.Write(b); err != nil {
		s.err = err
		s.nc.Close()
		return err
	}
	return nil
}

func (s *stream) Serve(r Receiver) error {
	br := bufio.NewReaderSize(s.nc, 64<<10)
	for {
		m := NewBuffer(0)
		for frags := 1; ; frags++ {
			var mark [4]byte
			if _, err := io.ReadFull(br, mark[:]); err != nil {
				m.Release()
				if err == io.EOF && frags > 1 {
					err = io.ErrUnexpectedEOF
				}
				if errors.Is(err, net.ErrClosed) {
					err = net.ErrClosed
				}
				return err
			}
			w := binary.BigEndian.Uint32(mark[:])
			last, n := w&lastFragment != 0, int(w&^lastFragment)
			old := len(m.Bytes())
			if n > s.max-old || frags > maxFragments {
				m.Release()
				s.nc.Close()
				return &RecordError{Remote: s.nc.RemoteAddr(), Size: old + n, Fragments: frags, Max: s.max}
			}
			nm := NewBuffer(old + n)
			copy(nm.Bytes(), m.Bytes())
			m.Release()
			m = nm
			if _, err := io.ReadFull(br, m.Bytes()[old:]); err != nil {
				m.Release()
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return err
			}
			if last {
				break
			}
		}
		deliver(r, m)
	}
}

func (s *stream) Close() error { return s.nc.Close() }

func (s *stream) Abort() error {
	if c, ok := s.nc.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
	return s.nc.Close()
}

func (s *stream) LocalAddr() net.Addr { return s.nc.LocalAddr() }

func (s *stream) RemoteAddr() net.Addr { return s.nc.RemoteAddr() }
