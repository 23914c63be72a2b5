package xdr

import (
	"encoding/binary"
	"io"
	"math"
)

// Value is anything that can be written to and read from a Codec. XDR must
// treat the value as read-only while c.Encoding() is true.
type Value interface{ XDR(c *Codec) }

// Codec encodes or decodes one message. The zero Codec is an empty encoder.
// A Codec is not safe for concurrent use; Reset makes it reusable.
type Codec struct {
	buf      []byte // encoding: what was written; decoding: the message
	off      int    // decoding: next byte to read
	decoding bool
	own      bool      // decoding: Borrow must not alias buf
	detached bool      // decoding: the borrowed payload came by another way than buf
	payload  []byte    // encoding: the borrowed payload; decoding: where Borrow puts it
	scatter  Scatterer // decoding: where Scatter puts it
	placed   int       // bytes of it that are there already, if detached
	err      error
}

// ResetEncode makes c an empty encoder that appends to buf. The Codec owns buf
// until the next Reset.
func (c *Codec) ResetEncode(buf []byte) { *c = Codec{buf: buf} }

// ResetDecode makes c a decoder of msg, which must not change while c or a
// slice that Borrow returned is in use.
func (c *Codec) ResetDecode(msg []byte) { *c = Codec{buf: msg, decoding: true} }

// NewEncoder returns an encoder that appends to buf, which may be nil.
func NewEncoder(buf []byte) *Codec { return &Codec{buf: buf} }

// NewDecoder returns a decoder of msg. See ResetDecode.
func NewDecoder(msg []byte) *Codec { return &Codec{buf: msg, decoding: true} }

// SetSink tells a decoder where Borrow shall put its bytes: with detached
// false it copies them there, with detached true they are there already (they
// went from the socket straight to dst, and the message ends after the length
// word). A nil dst makes Borrow allocate, but never more than the message
// holds. Without SetSink, Borrow aliases the message.
func (c *Codec) SetSink(dst []byte, detached bool) {
	c.own, c.payload, c.detached = true, dst, detached
}

// Scatterer is memory in several places. Room is how many bytes it takes, and Write
// gets a whole payload, of so many at most.
type Scatterer interface {
	io.Writer
	Room() int
}

// SetScatter is SetSink for Scatter. With detached true placed bytes are in dst
// already.
func (c *Codec) SetScatter(dst Scatterer, detached bool, placed int) {
	c.scatter, c.detached, c.placed = dst, detached, placed
}

// Encoding reports whether c writes; otherwise it reads.
func (c *Codec) Encoding() bool { return !c.decoding }

// Err returns the first error, or nil.
func (c *Codec) Err() error { return c.err }

// Fail records err if it is the first one. Later calls on c do nothing.
func (c *Codec) Fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Bytes returns what an encoder wrote, without the borrowed payload, or the
// whole message of a decoder. It is valid until the next Reset.
func (c *Codec) Bytes() []byte { return c.buf }

// Payload returns the bytes that an encoder was lent by Borrow, or nil. They
// follow Bytes on the wire, with zero padding up to a multiple of four.
func (c *Codec) Payload() []byte {
	if c.decoding {
		return nil
	}
	return c.payload
}

// Remaining returns how many bytes of the message a decoder has not read yet.
func (c *Codec) Remaining() int { return len(c.buf) - c.off }

// Rest returns a decoder's unread bytes, aliasing the message, and consumes
// them.
func (c *Codec) Rest() []byte {
	b := c.buf[c.off:]
	c.off = len(c.buf)
	return b
}

// next returns the next n bytes to read. ok is false at the end of the message
// or after an error.
func (c *Codec) next(n int) (b []byte, ok bool) {
	if c.err != nil {
		return nil, false
	}
	if n > len(c.buf)-c.off {
		c.err = &Error{Kind: Short, Offset: c.off, Length: uint32(n), Limit: uint32(len(c.buf) - c.off)}
		return nil, false
	}
	b = c.buf[c.off : c.off+n : c.off+n]
	c.off += n
	return b, true
}

// grow returns n fresh bytes at the end of the output. After Borrow nothing
// may follow: the payload is the tail of the message.
func (c *Codec) grow(n int) ([]byte, bool) {
	if c.err != nil {
		return nil, false
	}
	if c.payload != nil {
		c.err = &Error{Kind: AfterPayload, Offset: len(c.buf)}
		return nil, false
	}
	old := len(c.buf)
	if cap(c.buf)-old < n {
		nb := make([]byte, old, max(2*cap(c.buf), old+n, 256))
		copy(nb, c.buf)
		c.buf = nb
	}
	c.buf = c.buf[:old+n]
	return c.buf[old:], true
}

// Uint32 is an unsigned integer (RFC 4506 section 4.2).
func (c *Codec) Uint32(v *uint32) {
	if c.decoding {
		if b, ok := c.next(4); ok {
			*v = binary.BigEndian.Uint32(b)
		}
		return
	}
	if b, ok := c.grow(4); ok {
		binary.BigEndian.PutUint32(b, *v)
	}
}

// Uint64 is an unsigned hyper integer (RFC 4506 section 4.5).
func (c *Codec) Uint64(v *uint64) {
	if c.decoding {
		if b, ok := c.next(8); ok {
			*v = binary.BigEndian.Uint64(b)
		}
		return
	}
	if b, ok := c.grow(8); ok {
		binary.BigEndian.PutUint64(b, *v)
	}
}

// Int32 is an integer (RFC 4506 section 4.1).
func (c *Codec) Int32(v *int32) {
	u := uint32(*v)
	c.Uint32(&u)
	if c.decoding { // encoding must not write: the value may be shared
		*v = int32(u)
	}
}

// Int64 is a hyper integer (RFC 4506 section 4.5).
func (c *Codec) Int64(v *int64) {
	u := uint64(*v)
	c.Uint64(&u)
	if c.decoding {
		*v = int64(u)
	}
}

// Bool is a boolean (RFC 4506 section 4.4). A word other than 0 and 1 is an
// error.
func (c *Codec) Bool(v *bool) {
	var u uint32
	if *v {
		u = 1
	}
	at := c.off
	c.Uint32(&u)
	if c.decoding && c.err == nil {
		if u > 1 {
			c.err = &Error{Kind: BadBool, Offset: at, Length: u}
			return
		}
		*v = u == 1
	}
}

// Enum is an enum or any other word with a Go type of its own (RFC 4506
// section 4.3). Which values are valid is for the caller to say.
func Enum[T ~uint32 | ~int32](c *Codec, v *T) {
	u := uint32(*v)
	c.Uint32(&u)
	if c.decoding {
		*v = T(u)
	}
}

// Fixed is opaque[n] with n = len(b) (RFC 4506 section 4.9). Decoding fills b.
func (c *Codec) Fixed(b []byte) {
	n := len(b)
	if c.decoding {
		if s, ok := c.next(n + pad(n)); ok {
			copy(b, s)
		}
		return
	}
	if s, ok := c.grow(n + pad(n)); ok {
		copy(s, b)
		clear(s[n:])
	}
}

// length writes or reads the length word of a variable-length item of unit
// bytes each, refusing what is over limit or cannot be in the message.
func (c *Codec) length(n int, limit uint32, unit int) (int, bool) {
	if c.err != nil {
		return 0, false
	}
	if !c.decoding {
		if uint64(n) > uint64(limit) {
			c.err = &Error{Kind: TooLong, Offset: len(c.buf), Length: uint32(min(uint64(n), math.MaxUint32)), Limit: limit}
			return 0, false
		}
		u := uint32(n)
		c.Uint32(&u)
		return n, c.err == nil
	}
	at := c.off
	var u uint32
	c.Uint32(&u)
	if c.err != nil {
		return 0, false
	}
	if u > limit {
		c.err = &Error{Kind: TooLong, Offset: at, Length: u, Limit: limit}
		return 0, false
	}
	if left := uint64(len(c.buf) - c.off); uint64(u)*uint64(unit) > left {
		c.err = &Error{Kind: Short, Offset: at, Length: u, Limit: uint32(left)}
		return 0, false
	}
	return int(u), true
}

// Opaque is opaque<limit> (RFC 4506 section 4.10). Decoding copies into *b,
// reusing its capacity.
func (c *Codec) Opaque(b *[]byte, limit uint32) {
	n, ok := c.length(len(*b), limit, 1)
	if !ok {
		return
	}
	if !c.decoding {
		c.Fixed(*b)
		return
	}
	if s, ok := c.next(n + pad(n)); ok {
		*b = append((*b)[:0], s[:n]...)
	}
}

// String is string<limit> (RFC 4506 section 4.11). The bytes are kept as they
// are: NFS names are bytes, not necessarily UTF-8.
func (c *Codec) String(v *string, limit uint32) {
	n, ok := c.length(len(*v), limit, 1)
	if !ok {
		return
	}
	if c.decoding {
		if s, ok := c.next(n + pad(n)); ok {
			*v = string(s[:n])
		}
		return
	}
	if s, ok := c.grow(n + pad(n)); ok {
		copy(s, *v)
		clear(s[n:])
	}
}

// StringIn is String, with the decoded bytes kept in a: it is for many short
// strings that are used together, and are not to be allocated one by one.
func (c *Codec) StringIn(v *string, limit uint32, a *Arena) {
	if !c.decoding {
		c.String(v, limit)
		return
	}
	n, ok := c.length(0, limit, 1)
	if !ok {
		return
	}
	if s, ok := c.next(n + pad(n)); ok {
		*v = a.add(s[:n])
	}
}

// pad returns how many zero bytes follow n bytes of data.
func pad(n int) int { return -n & 3 }
