package rpc

import (
	"context"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// Call is one remote procedure call. The caller owns it and everything that it
// points to; Client.Call touches nothing of it after it returned. It may be
// reused then.
type Call struct {
	Proc uint32
	// Args is encoded at each transmission, always to the same bytes; nil is
	// void.
	Args xdr.Value
	// Reply is decoded into when the call was accepted with SUCCESS; nil is
	// void. Decoding must not wait: others' replies may have to wait for it,
	// and so does Client.Close.
	Reply xdr.Value
	// Cred is on whose behalf the call is made; nil is the client's own.
	Cred *Cred
	// Sink is memory for the results' borrowed payload (the data of READ).
	// With a nil Sink a payload is copied into fresh memory.
	Sink []byte
	// Scatter is memory for the payload in place of Sink, of several slices, which
	// Reply decodes with xdr.Codec.Scatter. Slices may be dropped from it during
	// the call; it is canceled when Client.Call returns.
	Scatter *transport.Sink
	// Place finds the payload in the results of a SUCCESS: it returns the
	// offset of the first payload byte and the payload's length, or ok false
	// when there is none or the head is too short to tell. It is needed for
	// Sink or Scatter to be read into straight from the socket; without it the
	// payload is copied. It is called by the connection's reader, maybe more than
	// once, and must be quick and not block.
	Place func(results []byte) (offset, length int, ok bool)
	// Idempotent says that executing the call twice does no harm. Other calls
	// that were sent are not sent again from another source address: they end
	// in a ReplayError.
	Idempotent bool
	// Class is the class of the RTT estimator on UDP, 1–5; 0 uses the fixed
	// timeout.
	Class uint8
	// Urgent calls find a slot when all others wait for one: probes, and what
	// unmounting needs.
	Urgent bool
	// Background calls (write-behind, read-ahead) use half of the slots at
	// most, so that a person's calls get through.
	Background bool

	// Detach, if not nil, is called by Client.Call when the caller has given up
	// and the call may have been sent, or will be when it has a slot. The call
	// goes on as what it returns; with nil it is over. Such a call has no Sink.
	Detach func() *Detached

	// Transmissions is set by Client.Call: how often the call was sent.
	Transmissions int
}

// class returns what the call is to the slot table.
func (k *Call) class() class {
	switch {
	case k.Urgent:
		return urgent
	case k.Background:
		return background
	}
	return normal
}

// placed reports whether a payload may go from the socket to the caller's memory.
func (k *Call) placed() bool { return (k.Sink != nil || k.Scatter != nil) && k.Place != nil }

// GiveUpper may be implemented by the ctx of a call. When ctx is done, and
// each 200 ms from then on, GiveUp is asked whether the caller really stops
// waiting: a hard mount ignores SIGALRM, but obeys SIGKILL. A ctx without the
// method gives up at once. GiveUp may be called from any goroutine, one at a
// time, until Client.Call returns.
type GiveUpper interface {
	context.Context
	GiveUp() bool
}
