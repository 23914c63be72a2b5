package rpc

import (
	"bytes"
	"context"
	"errors"
	"testing"
)

func TestCallGetsItsReply(t *testing.T) {
	h := newHouse(t)
	c := h.client(t, Policy{})
	if err := c.Call(context.Background(), &Call{Proc: procNull}); err != nil {
		t.Fatal(err)
	}
	in, out := opaque{[]byte("hello")}, opaque{}
	sink := make([]byte, 16)
	k := &Call{Proc: procEcho, Args: &in, Reply: &out, Sink: sink, Place: placeOpaque}
	if err := c.Call(context.Background(), k); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.b, in.b) || &out.b[0] != &sink[0] || k.Transmissions != 1 {
		t.Errorf("got %q, transmissions %d", out.b, k.Transmissions)
	}
	err := c.Call(context.Background(), &Call{Proc: 99})
	var ae *AcceptError
	if !errors.As(err, &ae) || ae.Stat != ProcUnavail {
		t.Errorf("got %v", err)
	}
}
