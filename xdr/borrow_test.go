package xdr_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

func TestABorrowedPayloadIsReferredToAndEndsTheMessage(t *testing.T) {
	data := []byte("payload")
	c := xdr.NewEncoder(nil)
	c.Borrow(&data, 100)
	if !bytes.Equal(c.Bytes(), []byte{0, 0, 0, 7}) || &c.Payload()[0] != &data[0] {
		t.Fatalf("head %x, payload %q", c.Bytes(), c.Payload())
	}
	var u uint32
	c.Uint32(&u)
	var e *xdr.Error
	if !errors.As(c.Err(), &e) || e.Kind != xdr.AfterPayload {
		t.Fatalf("an item after the payload: %v", c.Err())
	}
}

func TestADecoderPutsThePayloadWhereItIsTold(t *testing.T) {
	msg := append([]byte{0, 0, 0, 5}, "hello\x00\x00\x00"...)
	var got []byte

	d := xdr.NewDecoder(msg)
	d.Borrow(&got, 100)
	if d.Err() != nil || string(got) != "hello" || &got[0] != &msg[4] {
		t.Fatalf("alias: %q %v", got, d.Err())
	}

	d = xdr.NewDecoder(msg)
	d.SetSink(nil, false)
	d.Borrow(&got, 100)
	if d.Err() != nil || string(got) != "hello" || &got[0] == &msg[4] {
		t.Fatalf("own memory: %q %v", got, d.Err())
	}

	sink := make([]byte, 8)
	d = xdr.NewDecoder(msg)
	d.SetSink(sink, false)
	d.Borrow(&got, 100)
	if d.Err() != nil || string(got) != "hello" || &got[0] != &sink[0] {
		t.Fatalf("sink: %q %v", got, d.Err())
	}

	copy(sink, "world")
	d = xdr.NewDecoder(msg[:4])
	d.SetSink(sink, true)
	d.Borrow(&got, 100)
	if d.Err() != nil || string(got) != "world" || d.Remaining() != 0 {
		t.Fatalf("detached: %q %v", got, d.Err())
	}

	d = xdr.NewDecoder(msg)
	d.SetSink(sink[:3], false)
	d.Borrow(&got, 100)
	var e *xdr.Error
	if !errors.As(d.Err(), &e) || e.Kind != xdr.TooLong {
		t.Fatalf("a sink that is too small: %v", d.Err())
	}
}
