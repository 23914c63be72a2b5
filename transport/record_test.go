package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// feeds are the ways in which bytes may reach a stream.
var feeds = []struct {
	name string
	open func(t *testing.T, b string) net.Conn
}{
	{"in one piece", func(t *testing.T, b string) net.Conn { return &script{Reader: strings.NewReader(b)} }},
	{"byte by byte", func(t *testing.T, b string) net.Conn {
		return &script{Reader: iotest.OneByteReader(strings.NewReader(b))}
	}},
	{"half of what is asked for", func(t *testing.T, b string) net.Conn {
		return &script{Reader: iotest.HalfReader(strings.NewReader(b))}
	}},
	{"with the end in the last read", func(t *testing.T, b string) net.Conn {
		return &script{Reader: iotest.DataErrReader(strings.NewReader(b))}
	}},
	{"over TCP", func(t *testing.T, b string) net.Conn {
		x, y := tcpPair(t)
		go func() {
			io.WriteString(y, b)
			y.Close()
		}()
		return x
	}},
	{"over TCP in drops", func(t *testing.T, b string) net.Conn {
		x, y := tcpPair(t)
		go func() {
			for i := 0; i < len(b); {
				n := min(1+i%37*i%1461, len(b)-i)
				io.WriteString(y, b[i:i+n])
				i += n
			}
			y.Close()
		}()
		return x
	}},
}

// script is a net.Conn to read from.
type script struct {
	net.Conn
	io.Reader
	closed bool
}

func (s *script) Read(b []byte) (int, error) { return s.Reader.Read(b) }
func (s *script) Close() error               { s.closed = true; return nil }
func (s *script) RemoteAddr() net.Addr       { return pipeAddr("script") }
func (s *script) LocalAddr() net.Addr        { return pipeAddr("test") }

// cut returns a record of fragments of n bytes.
func cut(n int, body string) string {
	var b strings.Builder
	for len(body) > n {
		b.WriteString(fragment(false, body[:n]))
		body = body[n:]
	}
	b.WriteString(fragment(true, body))
	return b.String()
}

func TestRecords(t *testing.T) {
	big, odd := pattern(300_000, 1), pattern(70_001, 2)
	far := "SINK\xff\x00\x00\x50" + pattern(992, 3) + pattern(80, 4) + "tail"
	for _, tt := range []struct {
		name string
		in   string
		want []received
		err  error
	}{
		{"nothing at all is an orderly end", "", nil, io.EOF},
		{"one small record", fragment(true, "abcdefgh"), []received{{msg: "abcdefgh"}}, io.EOF},
		{"an empty record", fragment(true, ""), []received{{}}, io.EOF},
		{"several records", fragment(true, "abcd") + fragment(true, "efgh") + fragment(true, "ijkl"),
			[]received{{msg: "abcd"}, {msg: "efgh"}, {msg: "ijkl"}}, io.EOF},
		{"a record longer than the scratch buffer", fragment(true, big) + fragment(true, "next"),
			[]received{{msg: big}, {msg: "next"}}, io.EOF},
		{"a payload for a sink", fragment(true, sinkMessage("payload")) + fragment(true, "next"),
			[]received{{"SINK\x00\x00\x00\x07", "payload"}, {msg: "next"}}, io.EOF},
		{"an empty payload for a sink", fragment(true, sinkMessage("")) + fragment(true, "next"),
			[]received{{"SINK\x00\x00\x00\x00", ""}, {msg: "next"}}, io.EOF},
		{"a long payload", fragment(true, sinkMessage(big)) + fragment(true, sinkMessage(odd)) + fragment(true, "next"),
			[]received{{sinkMessage(big)[:8], big}, {sinkMessage(odd)[:8], odd}, {msg: "next"}}, io.EOF},
		{"a payload that begins beyond the head", fragment(true, far) + fragment(true, "next"),
			[]received{{far[:1000], far[1000:1080]}, {msg: "next"}}, io.EOF},
		{"fragments", cut(3, "abcdefghij") + cut(1, "next"), []received{{msg: "abcdefghij"}, {msg: "next"}}, io.EOF},
		{"empty fragments in between", fragment(false, "") + fragment(false, "ab") + fragment(false, "") + fragment(false, "cd") + fragment(true, ""),
			[]received{{msg: "abcd"}}, io.EOF},
		{"long fragments", cut(70_000, big) + fragment(true, "next"), []received{{msg: big}, {msg: "next"}}, io.EOF},
		{"a payload over long fragments", cut(70_000, sinkMessage(big)) + fragment(true, "next"),
			[]received{{sinkMessage(big)[:8], big}, {msg: "next"}}, io.EOF},
		{"a payload over short fragments", cut(100, sinkMessage(odd)) + fragment(true, "next"),
			[]received{{sinkMessage(odd)[:8], odd}, {msg: "next"}}, io.EOF},
		{"a payload whole in the last fragment", fragment(false, sinkMessage(odd)[:8]) + fragment(true, sinkMessage(odd)[8:]) + fragment(true, "next"),
			[]received{{sinkMessage(odd)[:8], odd}, {msg: "next"}}, io.EOF},
		{"a payload far behind over fragments", cut(90, far) + fragment(true, "next"),
			[]received{{far[:1000], far[1000:1080]}, {msg: "next"}}, io.EOF},
		{"a payload whose padding is in the last fragment", fragment(false, sinkMessage("abcde")[:13]) + fragment(true, "\x00\x00\x00") + fragment(true, "next"),
			[]received{{"SINK\x00\x00\x00\x05", "abcde"}, {msg: "next"}}, io.EOF},
		{"half a mark", fragment(true, "abcd") + "\x80\x00", []received{{msg: "abcd"}}, io.ErrUnexpectedEOF},
		{"a record cut short", fragment(true, "abcdefgh")[:9], nil, io.ErrUnexpectedEOF},
		{"a record without its last fragment", fragment(false, "abcd"), nil, io.ErrUnexpectedEOF},
		{"a payload cut short", fragment(true, sinkMessage(odd))[:70_000], nil, io.ErrUnexpectedEOF},
	} {
		for _, feed := range feeds {
			if feed.name == "over TCP in drops" && len(tt.in) > 1000 && testing.Short() {
				continue
			}
			t.Run(tt.name+", "+feed.name, func(t *testing.T) {
				noLeak(t)
				s := NewStream(feed.open(t, tt.in), 0)
				var c collector
				var err error
				within(t, "Serve", func() { err = s.Serve(&c) })
				if err != tt.err {
					t.Errorf("Serve: %v, want %v", err, tt.err)
				}
				if d := cmp.Diff(tt.want, c.messages(), cmp.AllowUnexported(received{})); d != "" {
					t.Errorf("messages (-want +got):\n%.2000s", d)
				}
				s.Abort()
			})
		}
	}
}

func TestRecordCaps(t *testing.T) {
	const limit = 1000
	for _, tt := range []struct {
		name string
		in   string
		want *RecordError
		msgs int
	}{
		{"a record of the greatest length passes", fragment(true, pattern(limit, 1)), nil, 1},
		{"one byte more does not", fragment(true, pattern(limit+1, 1)), &RecordError{Size: limit + 1, Fragments: 1, Max: limit}, 0},
		{"the greatest length of all", "\xff\xff\xff\xff", &RecordError{Size: 1<<31 - 1, Fragments: 1, Max: limit}, 0},
		{"fragments that add up to too much", cut(600, pattern(limit+1, 1)), &RecordError{Size: limit + 1, Fragments: 2, Max: limit}, 0},
		{"a fragment that is too long but not the last", "\x7f\xff\xff\xff", &RecordError{Size: 1<<31 - 1, Fragments: 1, Max: limit}, 0},
		{"1024 fragments pass", strings.Repeat(fragment(false, ""), 1023) + fragment(true, "abcd"), nil, 1},
		{"1025 fragments do not", strings.Repeat(fragment(false, ""), 1024) + fragment(true, "abcd"),
			&RecordError{Size: 0, Fragments: 1025, Max: 1024}, 0},
		{"the record before is delivered", fragment(true, "abcd") + "\xff\xff\xff\xff", &RecordError{Size: 1<<31 - 1, Fragments: 1, Max: limit}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeak(t)
			nc := &script{Reader: strings.NewReader(tt.in)}
			s := NewStream(nc, limit)
			var c collector
			err := s.Serve(&c)
			var re *RecordError
			if tt.want == nil {
				if err != io.EOF {
					t.Errorf("Serve: %v", err)
				}
			} else {
				if !errors.As(err, &re) {
					t.Fatalf("Serve: %v, want a RecordError", err)
				}
				tt.want.Remote = pipeAddr("script")
				if *re != *tt.want {
					t.Errorf("Serve: %+v, want %+v", *re, *tt.want)
				}
				if !nc.closed {
					t.Error("the connection was not closed")
				}
				if e := s.Send([]byte("abcd"), nil, nil); e != err {
					t.Errorf("Send afterwards: %v", e)
				}
			}
			if n := len(c.messages()); n != tt.msgs {
				t.Errorf("%d messages, want %d", n, tt.msgs)
			}
		})
	}
}

func TestPeerDiesAtEachByte(t *testing.T) {
	noLeak(t)
	stream := fragment(true, "abcdefgh") + fragment(true, sinkMessage("the payload")) + cut(5, sinkMessage("another one")) + fragment(true, "last")
	ends := map[int]bool{0: true, 12: true, 12 + 24: true, len(stream) - 8: true, len(stream): true}
	for i := range len(stream) + 1 {
		for _, over := range []int{0, 4} {
			s := NewStream(feeds[over].open(t, stream[:i]), 0)
			var c collector
			want := io.ErrUnexpectedEOF
			if ends[i] {
				want = io.EOF
			}
			if err := s.Serve(&c); err != want {
				t.Errorf("%s, dead after %d bytes: %v, want %v", feeds[over].name, i, err, want)
			}
			s.Abort()
		}
	}
}

// TestCancelAtEachByte cancels the sink when k bytes of the stream have come:
// what came before is in the sink, nothing is written there any more, and the
// next message is whole.
func TestCancelAtEachByte(t *testing.T) {
	payload := pattern(900, 9)
	in := fragment(true, sinkMessage(payload)) + fragment(true, "next")
	for _, tcp := range []bool{false, true} {
		for k := markSize + HeadMax; k <= len(in); k++ {
			noLeak(t)
			var near, far net.Conn
			if tcp {
				far, near = tcpPair(t)
			} else {
				far, near = net.Pipe()
			}
			s := NewStream(near, 0)
			c := &collector{}
			done := make(chan error)
			go func() { done <- s.Serve(c) }()
			if _, err := io.WriteString(far, in[:k]); err != nil {
				t.Fatal(err)
			}
			sink, dst := c.waitSunk(t, min(k-12, len(payload)))
			sink.Cancel()
			before := string(dst)
			if want := payload[:min(k-12, len(payload))]; !strings.HasPrefix(before, want) {
				t.Fatalf("after %d bytes the sink does not hold what came", k)
			}
			if _, err := io.WriteString(far, in[k:]); err != nil {
				t.Fatal(err)
			}
			far.Close()
			if err := <-done; err != io.EOF {
				t.Fatalf("Serve: %v", err)
			}
			if string(dst) != before {
				t.Fatalf("canceled after %d bytes: the sink was written afterwards", k)
			}
			if got := c.messages(); len(got) != 2 || got[1].msg != "next" {
				t.Fatalf("canceled after %d bytes: %q", k, got)
			}
			s.Close()
		}
	}
}

// waitSunk waits until n bytes are in the first sink.
func (c *collector) waitSunk(t *testing.T, n int) (sink *Sink, dst []byte) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); runtime.Gosched() {
		c.mu.Lock()
		if len(c.sinks) > 0 {
			sink, dst = c.sinks[0], c.dst[0]
		}
		c.mu.Unlock()
		if sink == nil {
			continue
		}
		sink.mu.Lock()
		got := sink.got
		sink.mu.Unlock()
		if got >= n {
			return sink, dst
		}
	}
	t.Fatalf("the sink did not get %d bytes", n)
	return nil, nil
}

func TestSinkCanceledAndUsedAgainGetsNothingFromTheOldReader(t *testing.T) {
	noLeak(t)
	payload := pattern(2000, 9)
	in := fragment(true, sinkMessage(payload)) + fragment(true, "next")
	far, near := tcpPair(t)
	s := NewStream(near, 0)
	c := &collector{}
	done := make(chan error)
	go func() { done <- s.Serve(c) }()
	io.WriteString(far, in[:1000])
	sink, _ := c.waitSunk(t, 1000-12)
	sink.Cancel()
	other := make([]byte, 4000)
	sink.Reset(other)
	sink.Begin(4000)
	io.WriteString(far, in[1000:])
	far.Close()
	<-done
	if string(other) != string(make([]byte, 4000)) {
		t.Error("the old reader wrote to the new memory")
	}
	if got := c.messages(); len(got) != 2 || got[1].msg != "next" {
		t.Errorf("%q", got)
	}
	s.Close()
}

func TestPlacesOutsideTheMessageAreNotUsed(t *testing.T) {
	for _, tt := range []struct{ off, n int }{{-1, 1}, {0, 9}, {8, 1}, {9, 0}, {1 << 30, 1}, {7, 2}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			noLeak(t)
			s := NewStream(&script{Reader: strings.NewReader(fragment(true, "abcdefgh"))}, 0)
			p := &placer{off: tt.off, n: tt.n}
			if err := s.Serve(p); err != io.EOF {
				t.Error(err)
			}
			q := &placer{off: tt.off, n: tt.n}
			deliver(q, []byte("abcdefgh"), nil) // as Pipe and UDP do
			for _, p := range []*placer{p, q} {
				if p.msg != "abcdefgh" || p.sink != nil || string(p.dst[:]) != string(make([]byte, 16)) {
					t.Errorf("message %q, sink %v, memory %q", p.msg, p.sink, p.dst)
				}
			}
		})
	}
}

// placer asks for a place without looking.
type placer struct {
	off, n int
	dst    [16]byte
	msg    string
	sink   *Sink
}

func (p *placer) Place([]byte, int) (int, *Sink) {
	s := new(Sink)
	s.Reset(p.dst[:])
	s.Begin(p.n)
	return p.off, s
}

func (p *placer) Message(m *Buffer, sink *Sink) {
	p.msg, p.sink = string(m.Bytes()), sink
	m.Release()
}
