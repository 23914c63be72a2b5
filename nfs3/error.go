package nfs3

import "fmt"

// Error is a server's refusal: a reply whose status is not OK. It unwraps to
// its Status.
type Error struct {
	Proc   uint32 // the procedure
	Status Status // never OK
	// Transmissions is how often the call was sent. After more than one, an
	// ErrExist or ErrNoent may be the answer to our own retransmission.
	Transmissions int
}

// Error implements error: "nfs3: LOOKUP: NFS3ERR_NOENT: no such file or
// directory".
func (e *Error) Error() string {
	return "nfs3: " + procName(e.Proc) + ": " + e.Status.Error()
}

// Unwrap returns the Status.
func (e *Error) Unwrap() error { return e.Status }

// ValueError tells that a field of a message has a value that the protocol
// does not allow.
type ValueError struct {
	Field  string
	Offset int    // bytes from the start of the RPC message
	Value  uint64 // what was found
}

// Error implements error.
func (e *ValueError) Error() string {
	return fmt.Sprintf("nfs3: %s at byte %d is %d, which RFC 1813 does not allow", e.Field, e.Offset, e.Value)
}

// ReplyError tells that a reply does not fit its call: a server that answers
// more than it was asked for.
type ReplyError struct {
	Proc  uint32
	Field string
	Value uint64 // what the server sent
	Limit uint64 // the most that the call allowed
}

// Error implements error.
func (e *ReplyError) Error() string {
	return fmt.Sprintf("nfs3: %s: server sent a %s of %d where %d is the most",
		procName(e.Proc), e.Field, e.Value, e.Limit)
}

// ArgsError tells that a caller's arguments do not fit together. The call was
// not sent.
type ArgsError struct {
	Proc uint32
	Msg  string
}

// Error implements error.
func (e *ArgsError) Error() string { return "nfs3: " + procName(e.Proc) + ": " + e.Msg }
