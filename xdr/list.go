package xdr

// Slice is T<limit>, a variable-length array (RFC 4506 section 4.13). size is
// the least number of bytes that one element takes on the wire, at least 4: a
// count that the message cannot hold is refused before anything is allocated.
func Slice[T any](c *Codec, s *[]T, limit uint32, size int, each func(*Codec, *T)) {
	n, ok := c.length(len(*s), limit, size)
	if !ok {
		return
	}
	if c.decoding {
		if cap(*s) >= n {
			*s = (*s)[:n]
		} else {
			*s = make([]T, n)
		}
	}
	for i := range *s {
		if c.err != nil {
			return
		}
		each(c, &(*s)[i])
	}
}

// Optional is a bool and, if it is true, the value: T * (RFC 4506 section
// 4.19). It returns whether the value is there.
func (c *Codec) Optional(present *bool, v Value) bool {
	c.Bool(present)
	if c.err != nil || !*present {
		return false
	}
	v.XDR(c)
	return c.err == nil
}

// List is the linked list that XDR spells as an optional element which holds
// the next one. It is read and written with a loop, never by recursion, and
// ends with an error after limit elements.
func List[T any](c *Codec, s *[]T, limit int, each func(*Codec, *T)) {
	if !c.decoding {
		if len(*s) > limit {
			c.Fail(&Error{Kind: TooLong, Offset: len(c.buf), Length: uint32(len(*s)), Limit: uint32(limit)})
			return
		}
		more := true
		for i := range *s {
			c.Bool(&more)
			each(c, &(*s)[i])
		}
		more = false
		c.Bool(&more)
		return
	}
	*s = (*s)[:0]
	for {
		var more bool
		at := c.off
		c.Bool(&more)
		if c.err != nil || !more {
			return
		}
		if len(*s) >= limit {
			c.err = &Error{Kind: TooLong, Offset: at, Length: uint32(len(*s) + 1), Limit: uint32(limit)}
			return
		}
		var zero T
		*s = append(*s, zero)
		last := len(*s) - 1
		if each(c, &(*s)[last]); c.err != nil { // in place: a variable of its own would be allocated
			*s = (*s)[:last]
			return
		}
	}
}
