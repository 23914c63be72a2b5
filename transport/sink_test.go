package transport

import (
	"strings"
	"testing"
)

func TestSink(t *testing.T) {
	var s Sink
	if s.Begin(1) {
		t.Error("an empty sink takes a byte")
	}
	dst := []byte("........")
	s.Reset(dst)
	for _, n := range []int{9, -1, 1 << 30} {
		if s.Begin(n) {
			t.Errorf("8 bytes take %d", n)
		}
	}
	if !s.Begin(8) || s.Len() != 8 {
		t.Error("8 bytes do not take 8")
	}
	n, ticket := s.open()
	if n != 8 {
		t.Error(n)
	}
	s.put(ticket, []byte("ab"))
	s.put(ticket, []byte("cde"))
	if string(dst) != "abcde..." {
		t.Errorf("%q", dst)
	}

	// The next connection starts again; the old one's reader is ignored.
	if !s.Begin(6) || s.Len() != 6 {
		t.Error("a second Begin")
	}
	s.put(ticket, []byte("xxx"))
	_, ticket = s.open()
	s.put(ticket, []byte("ABCDEFGHIJ"))
	if string(dst) != "ABCDEF.." {
		t.Errorf("%q", dst)
	}

	s.Begin(8)
	_, ticket = s.open()
	s.Cancel()
	s.put(ticket, []byte("xxx"))
	if string(dst) != "ABCDEF.." || s.Len() != 8 {
		t.Errorf("after Cancel: %q", dst)
	}
	if s.Begin(1) {
		t.Error("a canceled sink takes a byte")
	}
}

func TestErrorsNameTheThingAndTheValue(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&SizeError{Size: 70000, Max: 65507}, "70000 bytes is over the limit of 65507"},
		{&RecordError{Remote: pipeAddr("x"), Size: 5000, Max: 4000}, "pipe:x sent a record of 5000 bytes or more, over the limit of 4000"},
		{&RecordError{Remote: pipeAddr("x"), Size: 500, Fragments: 1025, Max: 1024}, "pipe:x sent a record of more than 1024 fragments"},
		{&PortError{Remote: "h:1", Tried: 512, Err: errSelf}, "none of the 512 reserved ports can be used to reach h:1"},
		{&RefusedError{Remote: pipeAddr("x"), Err: errSelf}, "datagram to pipe:x turned back"},
	} {
		if got := tt.err.Error(); !strings.Contains(got, tt.want) {
			t.Errorf("%q does not say %q", got, tt.want)
		}
	}
}
