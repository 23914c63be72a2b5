package rpc

// The numbers of the slot table. They are our own choice: 256 calls fill any
// path that NFS runs over, and an XID that is a slot's number in its low byte
// is found without hashing.
const (
	slotCount = 256
	// keptSlots are left to urgent calls: a probe or an unmount must get
	// through when everything else is stuck.
	keptSlots = 8
)

// class is what a call is to the slot table.
type class uint8

const (
	urgent     class = iota // may use all slots
	normal                  // all but the kept ones
	background              // half of those at most
	classes
)

// slots is an endpoint's table of calls outstanding. A call has a slot from
// before it is first sent until Call returns; its XID modulo 256 is the slot's
// number. The endpoint's mutex guards it.
type slots struct {
	calls  [slotCount]*pending
	xid    uint32 // the counter: the last XID given out
	used   [classes]int
	queue  [classes]queue
	ticket uint64
	// window is how many calls that are not urgent may be outstanding.
	window int
}

// takenLocked returns how many calls have a slot.
func (s *slots) takenLocked() int { return s.used[urgent] + s.used[normal] + s.used[background] }

// roomLocked reports whether a call of class c may have a slot now.
func (s *slots) roomLocked(c class) bool {
	others := s.used[normal] + s.used[background]
	switch {
	case s.takenLocked() >= slotCount:
		return false
	case c == urgent:
		return true
	case c == background && s.used[background] >= max(s.window/2, 1):
		return false
	}
	return others < s.window
}

// takeLocked gives p a slot and its XID if it is p's turn, and queues it if
// not.
func (s *slots) takeLocked(p *pending) bool {
	if s.queue[p.class].head == nil && s.roomLocked(p.class) {
		s.giveLocked(p)
		return true
	}
	s.ticket++
	p.ticket = s.ticket
	s.queue[p.class].push(p)
	return false
}

// giveLocked gives p the next XID whose slot is free. There is one.
func (s *slots) giveLocked(p *pending) {
	for {
		s.xid++
		if at := &s.calls[s.xid%slotCount]; *at == nil {
			*at = p
			p.xid, p.slotted = s.xid, true
			s.used[p.class]++
			return
		}
	}
}

// findLocked returns the call that has this XID, or nil.
func (s *slots) findLocked(xid uint32) *pending {
	if p := s.calls[xid%slotCount]; p != nil && p.xid == xid {
		return p
	}
	return nil
}

// leaveLocked takes p out of its slot, or out of the queue for one if it is
// there, and wakes whom that lets in.
func (s *slots) leaveLocked(p *pending) {
	if !p.slotted {
		if p.ticket > 0 {
			s.queue[p.class].remove(p)
		}
		return
	}
	s.calls[p.xid%slotCount] = nil
	p.slotted = false
	s.used[p.class]--
	s.admitLocked()
}

// admitLocked gives slots to those who wait: urgent calls first, then in the
// order of arrival, whether background or not.
func (s *slots) admitLocked() {
	for {
		c := urgent
		if s.queue[c].head == nil || !s.roomLocked(c) {
			n, b := s.queue[normal].head, s.queue[background].head
			if n != nil && !s.roomLocked(normal) {
				n = nil
			}
			if b != nil && !s.roomLocked(background) {
				b = nil
			}
			switch {
			case n == nil && b == nil:
				return
			case b == nil || n != nil && n.ticket < b.ticket:
				c = normal
			default:
				c = background
			}
		}
		p := s.queue[c].head
		s.queue[c].remove(p)
		s.giveLocked(p)
		p.signal()
	}
}

// busyLocked reports whether any call is outstanding or wants to be.
func (s *slots) busyLocked() bool {
	for c := range classes {
		if s.used[c] > 0 || s.queue[c].head != nil {
			return true
		}
	}
	return false
}

// countLocked returns how many calls have a slot or wait for one.
func (s *slots) countLocked() (n int) {
	for c := range classes {
		n += s.used[c]
		for p := s.queue[c].head; p != nil; p = p.next {
			n++
		}
	}
	return n
}

// queue is a list of calls that wait for a slot, linked through them.
type queue struct{ head, tail *pending }

func (q *queue) push(p *pending) {
	p.prev, p.next = q.tail, nil
	if q.tail == nil {
		q.head = p
	} else {
		q.tail.next = p
	}
	q.tail = p
}

func (q *queue) remove(p *pending) {
	if p.prev == nil {
		q.head = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		q.tail = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.prev, p.next = nil, nil
}
