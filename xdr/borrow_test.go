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

// small takes a payload of so many bytes at most.
type small struct {
	bytes.Buffer
	room int
}

func (s *small) Room() int { return s.room }

func TestScatter(t *testing.T) {
	hello := []byte("\x00\x00\x00\x05hello\x00\x00\x00")
	for _, tt := range []struct {
		name     string
		msg      []byte
		limit    uint32
		room     int
		detached bool
		placed   int
		want     string // what was written
		n        uint32
		kind     xdr.Kind // of the error, if n is 0
	}{
		{"copied", hello, 100, 6, false, 0, "hello", 5, 0},
		{"no room", hello, 100, 4, false, 0, "", 0, xdr.TooLong},
		{"over the limit", hello, 4, 6, false, 0, "", 0, xdr.TooLong},
		{"the message is short", hello[:8], 100, 9, false, 0, "", 0, xdr.Short},
		{"it is there already", hello[:4], 100, 6, true, 5, "", 5, 0},
		{"fewer are there", hello[:4], 100, 6, true, 4, "", 0, xdr.TooLong},
		{"it is there, and over the limit", hello[:4], 4, 6, true, 5, "", 0, xdr.TooLong},
		{"it is there, and nobody says how much", hello[:3], 100, 6, true, 5, "", 0, xdr.Short},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, w, n := xdr.NewDecoder(tt.msg), &small{room: tt.room}, uint32(0)
			d.SetScatter(w, tt.detached, tt.placed)
			d.Scatter(&n, tt.limit)
			var e *xdr.Error
			switch {
			case tt.n == 0:
				if !errors.As(d.Err(), &e) || e.Kind != tt.kind {
					t.Errorf("got %v", d.Err())
				}
			case d.Err() != nil || n != tt.n || d.Remaining() != 0:
				t.Errorf("%d bytes, %v", n, d.Err())
			}
			if w.String() != tt.want {
				t.Errorf("got %q, want %q", w, tt.want)
			}
		})
	}
	e, n := xdr.NewEncoder(nil), uint32(0)
	if e.Scatter(&n, 1); e.Err() == nil {
		t.Error("it encodes")
	}
	d := xdr.NewDecoder(hello)
	if d.Scatter(&n, 100); d.Err() == nil {
		t.Error("it decodes to nowhere")
	}
}
