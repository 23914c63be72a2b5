package xdr

import (
	"bytes"

	xdr2 "github.com/davecgh/go-xdr/xdr2"
)

// Reflect makes a Value of a pointer to a plain struct, for types that are off
// the data path and hold neither a union nor an optional list: mappings of
// rpcbind, holders of NLM, states of NSM. The encoding is that of
// github.com/davecgh/go-xdr; its decoder is limited to the bytes that remain
// in the message, so that no length word can make it allocate more than the
// message warrants. It costs 30 times a method's price.
func Reflect(v any) Value { return reflected{v} }

type reflected struct{ v any }

func (r reflected) XDR(c *Codec) {
	if c.err != nil {
		return
	}
	if !c.decoding {
		var b bytes.Buffer
		if _, err := xdr2.NewEncoder(&b).Encode(r.v); err != nil {
			c.err = err
			return
		}
		if s, ok := c.grow(b.Len()); ok {
			copy(s, b.Bytes())
		}
		return
	}
	left := c.buf[c.off:]
	n, err := xdr2.NewDecoderLimited(bytes.NewReader(left), uint(len(left))).Decode(r.v)
	if err != nil {
		c.err = err
		return
	}
	c.off += n
}
