package transport

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
)

// chop returns reads of random sizes, as a network does.
type chop struct {
	b []byte
	r *rand.Rand
}

func (c *chop) Read(b []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := min(1+c.r.IntN(1<<c.r.IntN(12)), len(b))
	n = copy(b[:n], c.b)
	c.b = c.b[n:]
	return n, nil
}

// reference reads records as RFC 5531 section 11 puts it, without any tricks.
func reference(b []byte, limit int) (msgs [][]byte, err error) {
	for {
		var m []byte
		for fragments := 1; ; fragments++ {
			if len(b) == 0 && fragments == 1 {
				return msgs, io.EOF
			}
			if len(b) < 4 {
				return msgs, io.ErrUnexpectedEOF
			}
			last := b[0]&0x80 != 0
			n := int(b[0]&0x7f)<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
			b = b[4:]
			if len(m)+n > limit || fragments > 1024 || fragments == 1024 && !last {
				return msgs, &RecordError{}
			}
			if len(b) < n {
				return msgs, io.ErrUnexpectedEOF
			}
			m, b = append(m, b[:n]...), b[n:]
			if last {
				break
			}
		}
		msgs = append(msgs, m)
	}
}

// checkRecords serves what comes from nc, and compares it with the plain
// reading of in, which is what nc brings.
func checkRecords(t *testing.T, nc net.Conn, in []byte) {
	const limit = 2000
	before := Outstanding()
	want, wantErr := reference(in, limit)
	s := NewStream(nc, limit)
	c := &collector{}
	err := s.Serve(c)
	s.Abort()
	var re *RecordError
	if errors.As(wantErr, &re) != errors.As(err, &re) || !errors.As(err, &re) && err != wantErr {
		t.Errorf("Serve: %v, want %v", err, wantErr)
	}
	got := c.messages()
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
	for i, g := range got {
		whole := string(want[i])
		if g.msg != whole && !strings.HasPrefix(whole, g.msg+g.sunk) {
			t.Errorf("message %d: %q + %q, want %q", i, g.msg, g.sunk, whole)
		}
	}
	if n := Outstanding() - before; n != 0 {
		t.Errorf("%d buffers were not released", n)
	}
}

var recordSeeds = []string{
	"", fragment(true, "abcdefgh"), fragment(true, ""), cut(3, "abcdefghij"),
	fragment(true, sinkMessage("payload")), cut(5, sinkMessage("another payload")) + fragment(true, "next"),
	fragment(false, "") + fragment(true, "abcd"), "\xff\xff\xff\xff", "\x00\x00\x00\x00", "\x80\x00\x00\x05abc",
	fragment(true, sinkMessage(pattern(700, 1))) + fragment(true, sinkMessage(pattern(1500, 2))),
	fragment(true, "SINK\x00\x00\x01\x00"+pattern(1100, 3)),
}

// FuzzRecordReader feeds Serve any bytes, in pieces of any size.
func FuzzRecordReader(f *testing.F) {
	for i, s := range recordSeeds {
		f.Add([]byte(s), uint64(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		checkRecords(t, &script{Reader: &chop{in, rand.New(rand.NewPCG(seed, 2))}}, in)
	})
}

// TestRandomRecordsOverTCP does what FuzzRecordReader does, but over TCP, whose
// timing would confuse the fuzzer.
func TestRandomRecordsOverTCP(t *testing.T) {
	for i := range uint64(300) {
		r := rand.New(rand.NewPCG(i, 3))
		var in []byte
		for range 1 + r.IntN(8) {
			switch s := recordSeeds[r.IntN(len(recordSeeds))]; r.IntN(4) {
			case 0:
				in = append(in, cut(1+r.IntN(300), sinkMessage(pattern(r.IntN(1900), uint32(i))))...)
			case 1:
				in = append(in, s[:r.IntN(len(s)+1)]...)
			default:
				in = append(in, s...)
			}
		}
		x, y := tcpPair(t)
		go func() {
			io.Copy(y, &chop{in, r})
			y.Close()
		}()
		checkRecords(t, x, in)
	}
}

// FuzzOutQueue adds, writes, cancels and compares what leaves with what was
// added.
func FuzzOutQueue(f *testing.F) {
	f.Add([]byte("aaaabbbbccccddddeeee"))
	f.Add([]byte{0, 10, 1, 200, 2, 3, 3, 0, 4, 255, 2, 255, 1, 3, 3, 1, 2, 9})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var q outQueue
		var want, got []byte // what shall leave; what left
		type lent struct {
			done  chan error
			bytes int // of want, up to the record's end
			size  int
		}
		var lents []lent
		var taken [][]byte
		serial := byte(0)
		for ; len(ops) >= 2; ops = ops[2:] {
			n := int(ops[1])
			switch op := ops[0] % 6; op {
			case 0, 1: // add, with a loan or without
				serial++
				mark := [4]byte{serial, 'm', byte(n), 0}
				head, payload := slices.Repeat([]byte{serial}, n/3), slices.Repeat([]byte{^serial}, 1+n)
				was := len(want)
				want = append(append(append(want, mark[:]...), head...), payload...)
				want = append(want, make([]byte, -len(payload)&3)...)
				if op == 0 {
					q.add(mark, head, payload)
					continue
				}
				done := make(chan error, 1)
				q.lend(mark, head, payload, done)
				lents = append(lents, lent{done, len(want), len(want) - was})
			case 2, 3: // write
				segments := taken
				if segments == nil {
					segments = q.take(nil, 1+n%4)
				}
				taken = nil
				left := n * n / 16
				wrote := 0
				for _, s := range segments {
					k := min(left, len(s))
					got = append(got, s[:k]...)
					left -= k
					wrote += k
				}
				q.wrote(wrote)
			case 4: // leave a write in progress
				if taken == nil {
					taken = q.take(nil, 4)
				}
			case 5: // cancel
				if len(lents) == 0 {
					continue
				}
				i := n % len(lents)
				l := lents[i]
				if !q.remove(l.done) {
					continue
				}
				if begun := l.bytes - l.size; len(got) > begun {
					t.Fatal("removed a record that has begun to leave")
				}
				want = slices.Delete(want, l.bytes-l.size, l.bytes)
				lents = slices.Delete(lents, i, i+1)
				for j := i; j < len(lents); j++ {
					lents[j].bytes -= l.size
				}
			}
			if n := len(got); n > len(want) || string(got) != string(want[:n]) {
				t.Fatalf("left %q\nwant %q", got, want)
			}
			for _, l := range lents {
				pad := 3 // at most
				if len(l.done) == 1 && len(got) < l.bytes-pad {
					t.Fatal("a loan came back too early")
				}
				if len(l.done) == 0 && len(got) >= l.bytes {
					t.Fatal("a loan did not come back")
				}
			}
		}
		if taken != nil {
			q.wrote(0)
		}
		for !q.empty() {
			n := 0
			segments := q.take(nil, 4)
			if len(segments) == 0 || len(segments) > maxSegments {
				t.Fatalf("%d segments", len(segments))
			}
			for _, s := range segments {
				got = append(got, s...)
				n += len(s)
			}
			q.wrote(n)
		}
		if string(got) != string(want) {
			t.Fatalf("left %q\nwant %q", got, want)
		}
	})
}
