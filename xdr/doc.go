// Package xdr reads and writes External Data Representation (RFC 4506), the
// encoding of every ONC RPC message.
//
// XDR is big-endian, has no type tags, and pads everything to four bytes. The
// words of the RFC are used as they are: a bool is a word of 0 or 1, an enum a
// signed word, an opaque is raw bytes (fixed or with a length in front), an
// optional ("pointer") is a bool and then the value if it is true, a union is
// a discriminant and the arm that it selects.
//
// # One method, both ways
//
// A type that holds a union or a list, or that sits on the data path, has one
// method, XDR, which is the .x declaration line for line and serves both
// encoding and decoding:
//
//	type ReadArgs struct {
//		File   FH
//		Offset uint64
//		Count  uint32
//	}
//
//	func (a *ReadArgs) XDR(c *xdr.Codec) {
//		a.File.XDR(c)
//		c.Uint64(&a.Offset)
//		c.Uint32(&a.Count)
//	}
//
// A cold type that is nothing but a plain struct needs no method at all:
// [Reflect] adapts github.com/davecgh/go-xdr to it.
//
// # What the peer sends is hostile
//
// Each variable-length item names its limit, and the length word is checked
// against that limit and against the bytes that remain before anything is
// allocated. The first error sticks: later calls do nothing, and [Codec.Err]
// tells it. Padding is written as zeros; a peer's non-zero padding is accepted.
package xdr
