package xdr

import "errors"

var errScatter = errors.New("xdr: Scatter decodes into what SetScatter named, and cannot encode")

// Borrow is opaque<limit> as Opaque is, but without the copy: for the data of
// READ and WRITE.
//
// An encoder keeps a reference to *b, which must not change until the message
// was sent; the payload must be the last item of the message, and Payload
// returns it. A decoder makes *b alias the message, or, after SetSink, the
// sink; a payload longer than the sink is an error.
func (c *Codec) Borrow(b *[]byte, limit uint32) {
	if c.decoding && c.detached {
		c.borrowDetached(b, limit)
		return
	}
	n, ok := c.length(len(*b), limit, 1)
	if !ok {
		return
	}
	if !c.decoding {
		if n > 0 {
			c.payload = *b
		}
		return
	}
	at := c.off
	s, ok := c.next(n + pad(n))
	if !ok {
		return
	}
	switch {
	case !c.own:
		*b = s[:n:n]
	case c.payload == nil:
		*b = append([]byte(nil), s[:n]...)
	case n > len(c.payload):
		c.err = &Error{Kind: TooLong, Offset: at, Length: uint32(n), Limit: uint32(len(c.payload))}
	default:
		copy(c.payload, s[:n])
		*b = c.payload[:n]
	}
}

// borrowDetached reads the length word of a payload that is in the sink
// already.
func (c *Codec) borrowDetached(b *[]byte, limit uint32) {
	at := c.off
	var n uint32
	c.Uint32(&n)
	if c.err != nil {
		return
	}
	if n > limit || uint64(n) > uint64(len(c.payload)) {
		c.err = &Error{Kind: TooLong, Offset: at, Length: n, Limit: min(limit, uint32(len(c.payload)))}
		return
	}
	*b = c.payload[:n]
}

// Scatter decodes opaque<limit> as Borrow does, into what SetScatter named, and
// sets n to its length; what that does not take is an error. It cannot encode.
func (c *Codec) Scatter(n *uint32, limit uint32) {
	if !c.decoding || c.scatter == nil {
		c.Fail(errScatter)
		return
	}
	at := c.off
	if c.detached {
		c.Uint32(n)
		if c.err == nil && (*n > limit || uint64(*n) > uint64(c.placed)) {
			c.err = &Error{Kind: TooLong, Offset: at, Length: *n, Limit: min(limit, uint32(c.placed))}
		}
		return
	}
	var b []byte
	if c.Borrow(&b, limit); c.err != nil {
		return
	}
	if room := c.scatter.Room(); len(b) > room {
		c.err = &Error{Kind: TooLong, Offset: at, Length: uint32(len(b)), Limit: uint32(room)}
		return
	}
	*n = uint32(len(b))
	_, c.err = c.scatter.Write(b)
}
