package nfstest

import (
	"encoding/binary"
	"net"
	"slices"
	"time"
)

// heldReply is a reply that waits until another one has overtaken it.
type heldReply struct{ rec []byte }

// answer sends the reply of a call, in whatever shape its faults want.
func (l *link) answer(c *Call, r reply) {
	p := &c.faults
	if p.dropReply || l.silent.Load() {
		return
	}
	l.strict.answered(c)
	l.s.lockAnswered(c)
	if p.plain() {
		l.write(r)
		return
	}
	msg := r.bytes()
	for _, f := range p.message {
		msg = f(msg)
	}
	rec := msg
	if !l.datagrams() {
		rec = record(msg, p.fragment)
	}
	for _, f := range p.record {
		rec = f(rec)
	}
	switch {
	case p.resetAt != nil:
		l.writeThen(rec, *p.resetAt, l.abort)
	case p.finAt != nil:
		l.writeThen(rec, *p.finAt, l.finish)
	case p.reorder > 0:
		l.hold(rec, p.reorder)
	case p.gather > 0:
		l.gather(rec, p.gather, p.gatherFor)
	default:
		for range 1 + p.dupReply {
			l.writeBytes(rec)
		}
	}
}

// plain reports whether a reply goes out as it is.
func (p *plan) plain() bool {
	return len(p.message) == 0 && len(p.record) == 0 && p.fragment == 0 &&
		p.resetAt == nil && p.finAt == nil && p.reorder == 0 && p.gather == 0 && p.dupReply == 0
}

// record puts msg into fragments of size bytes (0: one fragment), each behind
// its mark.
func record(msg []byte, size int) []byte {
	if size <= 0 {
		size = max(1, len(msg))
	}
	var rec []byte
	for {
		n := min(size, len(msg))
		mark := uint32(n)
		if n == len(msg) {
			mark |= 1 << 31
		}
		rec = append(binary.BigEndian.AppendUint32(rec, mark), msg[:n]...)
		if msg = msg[n:]; len(msg) == 0 {
			return rec
		}
	}
}

// write sends a reply without copying its payload.
func (l *link) write(r reply) {
	if l.datagrams() {
		l.writeBytes(r.bytes())
		return
	}
	pad := -len(r.payload) & 3
	mark := binary.BigEndian.AppendUint32(nil, uint32(len(r.head)+len(r.payload)+pad)|1<<31)
	l.wmu.Lock()
	defer l.wmu.Unlock()
	bufs := net.Buffers{append(mark, r.head...), r.payload, make([]byte, pad)}
	// An error means that the client is gone, which the reader sees too.
	if _, err := bufs.WriteTo(l.nc); err == nil {
		l.releaseLocked()
	}
}

// writeBytes sends what is a record, or a datagram.
func (l *link) writeBytes(rec []byte) {
	l.wmu.Lock()
	defer l.wmu.Unlock()
	if l.putLocked(rec) {
		l.releaseLocked()
	}
}

// putLocked writes rec and reports whether that was possible. A datagram that
// is too long is lost, as it is with real servers.
func (l *link) putLocked(rec []byte) bool {
	var err error
	if l.pc != nil {
		_, err = l.pc.WriteTo(rec, l.remote)
	} else {
		_, err = l.nc.Write(rec)
	}
	return err == nil
}

// writeThen writes the first n bytes of rec and ends the connection. Over UDP
// the datagram is lost.
func (l *link) writeThen(rec []byte, n int, end func()) {
	if l.datagrams() {
		return
	}
	l.wmu.Lock()
	defer l.wmu.Unlock()
	l.silent.Store(true)
	l.putLocked(rec[:min(max(n, 0), len(rec))])
	end()
}

// finish sends FIN and leaves the other direction open.
func (l *link) finish() {
	if c, ok := l.nc.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
}

// hold keeps rec until another reply was sent on the link, or until d is over.
func (l *link) hold(rec []byte, d time.Duration) {
	h := &heldReply{rec}
	l.wmu.Lock()
	l.held = append(l.held, h)
	l.wmu.Unlock()
	// Ends after d, or when the server is closed.
	l.s.wg.Go(func() {
		if !l.s.sleep(d) {
			return
		}
		l.wmu.Lock()
		defer l.wmu.Unlock()
		if i := slices.Index(l.held, h); i >= 0 {
			l.held = slices.Delete(l.held, i, i+1)
			l.putLocked(h.rec)
		}
	})
}

// releaseLocked sends the replies that have been overtaken, the latest first.
func (l *link) releaseLocked() {
	held := l.held
	l.held = nil
	for _, h := range slices.Backward(held) {
		l.putLocked(h.rec)
	}
}
