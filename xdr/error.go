package xdr

import "fmt"

// Kind says what was wrong with a message.
type Kind uint8

// The kinds of Error.
const (
	Short        Kind = iota + 1 // the message ends before the item does
	TooLong                      // a length word is over its limit
	BadBool                      // a bool is neither 0 nor 1
	BadUnion                     // a discriminant selects no arm
	AfterPayload                 // an item was encoded after the borrowed payload
)

// Error tells what was wrong, and where in the message.
type Error struct {
	Kind   Kind
	Offset int    // bytes from the start of the message
	Length uint32 // the length, bool or discriminant that was found
	Limit  uint32 // what was allowed, or how many bytes were left
}

// Error implements error.
func (e *Error) Error() string {
	switch e.Kind {
	case Short:
		return fmt.Sprintf("xdr: message ends at byte %d: %d needed, %d left", e.Offset, e.Length, e.Limit)
	case TooLong:
		return fmt.Sprintf("xdr: length %d at byte %d is over the limit of %d", e.Length, e.Offset, e.Limit)
	case BadBool:
		return fmt.Sprintf("xdr: bool at byte %d is %d", e.Offset, e.Length)
	case BadUnion:
		return fmt.Sprintf("xdr: union at byte %d has no arm for %d", e.Offset, e.Length)
	case AfterPayload:
		return fmt.Sprintf("xdr: item at byte %d follows the borrowed payload", e.Offset)
	}
	return fmt.Sprintf("xdr: error %d at byte %d", e.Kind, e.Offset)
}

// Offset returns where the codec is, in bytes from the start of the message:
// for errors that callers make.
func (c *Codec) Offset() int {
	if c.decoding {
		return c.off
	}
	return len(c.buf)
}
