package transport

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
	"weak"
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

func TestSinkScatters(t *testing.T) {
	slices := func(n ...int) (l [][]byte) {
		for _, n := range n {
			l = append(l, bytes.Repeat([]byte{'.'}, n))
		}
		return l
	}
	for _, tt := range []struct {
		name string
		dst  [][]byte
		want int
		puts []string
		then string // the slices, with commas
	}{
		{"all at once", slices(3, 4, 2), 9, []string{"abcdefghi"}, "abc,defg,hi"},
		{"byte by byte", slices(2, 2), 4, []string{"a", "b", "c", "d"}, "ab,cd"},
		{"across a border", slices(3, 3), 6, []string{"ab", "cd", "ef"}, "abc,def"},
		{"no more than belongs there", slices(3, 3), 4, []string{"ab", "cdef", "g"}, "abc,d.."},
		{"empty slices", slices(0, 2, 0, 0, 1, 0), 3, []string{"a", "bc"}, ",ab,,,c,"},
		{"more slices than one read fills", slices(1, 1, 1, 1, 1, 1, 1, 1, 1, 2), 11, []string{"abcdefghijk"}, "a,b,c,d,e,f,g,h,i,jk"},
		{"nothing", slices(2), 0, []string{"a"}, ".."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s Sink
			s.Reset(tt.dst[0])
			for _, d := range tt.dst[1:] {
				s.Add(d)
			}
			if !s.Begin(tt.want) {
				t.Fatal("it does not fit")
			}
			_, ticket := s.open()
			for _, p := range tt.puts {
				s.put(ticket, []byte(p))
			}
			if got := string(bytes.Join(tt.dst, []byte(","))); got != tt.then {
				t.Errorf("got %q, want %q", got, tt.then)
			}
			s.Cancel()
			s.put(ticket, []byte("x"))
			if got := string(bytes.Join(tt.dst, []byte(","))); got != tt.then || s.Begin(1) {
				t.Errorf("after Cancel: %q", got)
			}
		})
	}
}

func TestOneSliceOfASinkMayLeave(t *testing.T) {
	a, b, c := []byte("..."), []byte("..."), []byte("...")
	var s Sink
	s.Reset(a)
	s.Add(b)
	s.Add(c)
	if s.Room() != 9 || s.Begin(10) || !s.Begin(8) {
		t.Error("the room is not the sum of the slices'")
	}
	_, ticket := s.open()
	s.put(ticket, []byte("abcd"))
	s.Drop(1)
	s.put(ticket, []byte("efgh"))
	if string(a) != "abc" || string(b) != "d.." || string(c) != "gh." {
		t.Errorf("%s %s %s", a, b, c)
	}
	if n, err := s.Write([]byte("ABCDEFGHI")); n != 9 || err != nil || string(a) != "ABC" || string(b) != "d.." || string(c) != "GHI" {
		t.Errorf("%s %s %s: %d, %v", a, b, c, n, err)
	}
	s.put(ticket, []byte("x"))
	if _, err := s.Write([]byte("0123456789")); err != io.ErrShortBuffer || string(a) != "ABC" {
		t.Errorf("ten bytes in nine: %v, %s", err, a)
	}
	s.Cancel()
	s.Drop(1)
	if _, err := s.Write([]byte("0")); err == nil || s.Room() != 0 {
		t.Error("a canceled sink has room")
	}
}

func TestACanceledSinkKeepsNothing(t *testing.T) {
	var s Sink
	kept := func() (l [2]weak.Pointer[[4096]byte]) {
		a, b := new([4096]byte), new([4096]byte)
		s.Reset(a[:])
		s.Add(b[:])
		s.Cancel()
		return [2]weak.Pointer[[4096]byte]{weak.Make(a), weak.Make(b)}
	}()
	runtime.GC()
	if kept[0].Value() != nil || kept[1].Value() != nil {
		t.Error("it keeps memory that is its owner's again")
	}
	runtime.KeepAlive(&s)
}

func TestAWriteEndsAReadersUse(t *testing.T) {
	var s Sink
	dst := []byte("........")
	s.Reset(dst)
	s.Begin(8)
	_, old := s.open()
	if _, err := s.Write([]byte("whole")); err != nil {
		t.Fatal(err)
	}
	s.put(old, []byte("xxx"))
	s.mu.Lock()
	_, n := s.restLocked(old, make([][]byte, 0, 8))
	s.mu.Unlock()
	if n != 0 || string(dst) != "whole..." {
		t.Errorf("%d bytes are left for a reader from before, %q", n, dst)
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
		{&RecordError{Remote: pipeAddr("x"), Size: 5000, Fragments: 1025, Max: 1024}, "pipe:x sent a record of more than 1024 fragments"},
		{&RecordError{Remote: pipeAddr("x"), Size: 5000, Fragments: 1024, Max: 4000}, "over the limit of 4000"},
		{&PortError{Remote: "h:1", Tried: 512, Err: errSelf}, "none of the 512 reserved ports can be used to reach h:1"},
		{&RefusedError{Remote: pipeAddr("x"), Err: errSelf}, "datagram to pipe:x turned back"},
	} {
		if got := tt.err.Error(); !strings.Contains(got, tt.want) {
			t.Errorf("%q does not say %q", got, tt.want)
		}
	}
}
