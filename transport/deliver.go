package transport

// deliver hands over a message that came in one piece: b, which is m's bytes,
// or, if m is nil, memory that the caller uses again.
func deliver(r Receiver, b []byte, m *Buffer) {
	off, sink := r.Place(b[:min(len(b), HeadMax)], len(b))
	keep := len(b)
	if sink != nil {
		n, ticket := sink.open()
		if fits(off, n, len(b)) {
			sink.put(ticket, b[off:off+n])
			keep = off
		} else {
			sink = nil
		}
	}
	if m == nil {
		m = NewBuffer(keep)
		copy(m.Bytes(), b)
	}
	m.Truncate(keep)
	r.Message(m, sink)
}

// fits reports whether a sink of n bytes at offset off lies within a message.
// One that does not is left alone, and the message handed over whole.
func fits(off, n, length int) bool {
	return off >= 0 && n >= 0 && off <= length && n <= length-off
}
