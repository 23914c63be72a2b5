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

func TestScatter(t *testing.T) {
	hello := []byte("\x00\x00\x00\x05hello\x00\x00\x00")
	for _, tt := range []struct {
		name     string
		msg      []byte
		limit    uint32
		sizes    []int
		detached bool
		placed   int
		want     string // the slices, with commas
		n        uint32
		kind     xdr.Kind // of the error, if n is 0
	}{
		{"copied", hello, 100, []int{2, 3}, false, 0, "he,llo", 5, 0},
		{"room is left", hello, 100, []int{2, 0, 4}, false, 0, "he,,llo.", 5, 0},
		{"no room", hello, 100, []int{2, 2}, false, 0, "", 0, xdr.TooLong},
		{"over the limit", hello, 4, []int{2, 4}, false, 0, "", 0, xdr.TooLong},
		{"the message is short", hello[:8], 100, []int{9}, false, 0, "", 0, xdr.Short},
		{"it is there already", hello[:4], 100, []int{2, 4}, true, 5, "..,....", 5, 0},
		{"fewer are there", hello[:4], 100, []int{2, 4}, true, 4, "", 0, xdr.TooLong},
		{"it is there, and over the limit", hello[:4], 4, []int{2, 4}, true, 5, "", 0, xdr.TooLong},
		{"it is there, and nobody says how much", hello[:3], 100, []int{2, 4}, true, 5, "", 0, xdr.Short},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var dst [][]byte
			for _, n := range tt.sizes {
				dst = append(dst, bytes.Repeat([]byte{'.'}, n))
			}
			d := xdr.NewDecoder(tt.msg)
			d.SetScatter(dst, tt.detached, tt.placed)
			var n uint32
			d.Scatter(&n, tt.limit)
			var e *xdr.Error
			switch {
			case tt.n == 0:
				if !errors.As(d.Err(), &e) || e.Kind != tt.kind {
					t.Errorf("got %v", d.Err())
				}
			case d.Err() != nil || n != tt.n || string(bytes.Join(dst, []byte(","))) != tt.want || d.Remaining() != 0:
				t.Errorf("got %q, %d bytes, %v", dst, n, d.Err())
			}
		})
	}
	e, n := xdr.NewEncoder(nil), uint32(0)
	if e.Scatter(&n, 1); e.Err() == nil {
		t.Error("it encodes")
	}
}
