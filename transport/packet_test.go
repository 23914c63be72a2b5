package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// echo serves datagrams by sending them back, those with a sink's payload in
// two parts, until pc is closed.
func echo(t *testing.T, pc net.PacketConn) (stop func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		err := ServePackets(pc, func(peer Conn, m *Buffer) {
			b := m.Bytes()
			n := min(len(b), 8)
			if err := peer.Send(b[:n], b[n:], nil); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Errorf("reply: %v", err)
			}
			m.Release()
			if peer.LocalAddr() == nil || peer.RemoteAddr() == nil || peer.Close() != nil || peer.Abort() != nil || peer.Serve(nil) != net.ErrClosed {
				t.Error("the peer is more than an address")
			}
		})
		if err != net.ErrClosed {
			t.Errorf("ServePackets: %v", err)
		}
	})
	return func() { pc.Close(); wg.Wait() }
}

func TestDatagrams(t *testing.T) {
	for _, netid := range []string{"udp", "udp6"} {
		t.Run(netid, func(t *testing.T) {
			noLeak(t)
			listen := map[string]string{"udp": "127.0.0.1:0", "udp6": "[::1]:0"}[netid]
			pc, err := net.ListenPacket("udp", listen)
			if err != nil {
				t.Fatal(err)
			}
			defer echo(t, pc)()
			var d Dialer
			c, err := d.Dial(context.Background(), netid, pc.LocalAddr().String(), netip.AddrPort{})
			if err != nil {
				t.Fatal(err)
			}
			var got collector
			done := make(chan error)
			go func() { done <- c.Serve(&got) }()

			long, sunk := pattern(maxDatagram-3, 1), pattern(60_000, 2)
			want := []received{{msg: "abcd"}, {msg: "head" + long[4:]}, {sinkMessage(sunk)[:8], sunk}}
			for i, m := range []string{"abcd", "head" + long[4:], sinkMessage(sunk)} {
				// A payload that is no multiple of four is padded.
				if err := c.Send([]byte(m[:4]), []byte(m[4:]), nil); err != nil {
					t.Fatal(err)
				}
				waitFor(t, "the echo", func() bool { return len(got.messages()) > i })
			}
			if d := cmp.Diff(want, got.messages(), cmp.AllowUnexported(received{})); d != "" {
				t.Errorf("%.1000s", d)
			}
			for _, n := range []int{maxDatagram - 3, maxDatagram + 1, 1 << 20} {
				var se *SizeError
				if err := c.Send([]byte("head"), make([]byte, n), nil); !errors.As(err, &se) || se.Max != maxDatagram || se.Size != 4+(n+3)&^3 {
					t.Errorf("Send of %d bytes: %v", n, err)
				}
			}
			c.Close()
			if err := <-done; err != net.ErrClosed {
				t.Errorf("Serve: %v", err)
			}
			if err := c.Send([]byte("abcd"), nil, nil); err != net.ErrClosed {
				t.Errorf("Send afterwards: %v", err)
			}
			if err := c.Abort(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMaxMessageLimitsDatagrams(t *testing.T) {
	noLeak(t)
	x, y := net.Pipe() // has message semantics as far as this goes
	d := Dialer{MaxMessage: 8, DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
		if network != "udp" || address != "some.where:5" {
			t.Errorf("DialContext of %s, %s", network, address)
		}
		return x, nil
	}}
	c, err := d.Dial(context.Background(), "udp6", "some.where:5", netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	var se *SizeError
	if err := c.Send([]byte("abcd"), []byte("efghi"), nil); !errors.As(err, &se) || *se != (SizeError{Size: 12, Max: 8}) {
		t.Errorf("Send: %v", err)
	}
	sent := make(chan error)
	go func() { sent <- c.Send([]byte("abcd"), []byte("efg"), nil) }()
	b := make([]byte, 20)
	if n, err := y.Read(b); err != nil || string(b[:n]) != "abcdefg\x00" {
		t.Errorf("%q, %v", b[:n], err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	y.Close()
	if err := c.Serve(&collector{}); err != io.EOF {
		t.Errorf("Serve: %v", err)
	}
	if err := c.Send([]byte("abcd"), nil, nil); err != io.ErrClosedPipe {
		t.Errorf("Send: %v", err)
	}
	c.Close()
}

func TestShortDatagramsAreDropped(t *testing.T) {
	noLeak(t)
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := echo(t, pc)
	defer stop()
	nc, err := net.Dial("udp4", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for _, m := range []string{"", "a", "abc", "abcd"} {
		nc.Write([]byte(m))
	}
	b := make([]byte, 10)
	nc.SetReadDeadline(time.Now().Add(30 * time.Second))
	if n, err := nc.Read(b); string(b[:n]) != "abcd" {
		t.Errorf("first echo: %q, %v", b[:n], err)
	}

	// And the other way.
	pc2, _ := net.ListenPacket("udp4", "127.0.0.1:0")
	defer pc2.Close()
	var d Dialer
	c, err := d.Dial(context.Background(), "udp", pc2.LocalAddr().String(), netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []string{"", "a", "abc", "abcd"} {
		pc2.WriteTo([]byte(m), c.LocalAddr())
	}
	// Not from the peer: a connected socket does not even see it.
	pc.WriteTo([]byte("forged"), c.LocalAddr())
	pc2.WriteTo([]byte("last"), c.LocalAddr())
	var got collector
	done := make(chan error)
	go func() { done <- c.Serve(&got) }()
	waitFor(t, "messages", func() bool { return len(got.messages()) == 2 })
	c.Close()
	<-done
	if d := cmp.Diff([]received{{msg: "abcd"}, {msg: "last"}}, got.messages(), cmp.AllowUnexported(received{})); d != "" {
		t.Error(d)
	}
}

func TestRefusedDatagramsAreReportedBySend(t *testing.T) {
	noLeak(t)
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := pc.LocalAddr().String()
	pc.Close() // nobody listens there now
	var d Dialer
	c, err := d.Dial(context.Background(), "udp", addr, netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	send := func() error { return c.Send([]byte("abcd"), nil, nil) }
	var re *RefusedError
	check := func(err error) {
		t.Helper()
		if !errors.As(err, &re) || !errors.Is(err, syscall.ECONNREFUSED) || !re.Temporary() || re.Remote.String() != addr {
			t.Errorf("Send: %v", err)
		}
	}
	// Without Serve the next Send finds the error.
	waitFor(t, "a refusal", func() bool { err = send(); return err != nil })
	check(err)
	var got collector
	done := make(chan error)
	go func() { done <- c.Serve(&got) }()
	waitFor(t, "a refusal", func() bool { err = send(); return err != nil })
	check(err)
	select {
	case err := <-done:
		t.Errorf("Serve ended: %v", err)
	default:
	}
	// The connection is as good as new when somebody listens.
	pc, err = net.ListenPacket("udp4", addr)
	if err != nil {
		t.Skipf("somebody else took the port: %v", err)
	}
	defer echo(t, pc)()
	waitFor(t, "an answer", func() bool { send(); return len(got.messages()) > 0 })
	c.Close()
	<-done
}

func TestRefusalsAreReportedOnceAndTheMessageIsSent(t *testing.T) {
	noLeak(t)
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := pc.LocalAddr().String()
	pc.Close()
	var d Dialer
	c, err := d.Dial(context.Background(), "udp", addr, netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Send([]byte("lost"), nil, nil); err != nil { // the kernel has the refusal now
		t.Fatal(err)
	}
	pc, err = net.ListenPacket("udp4", addr)
	if err != nil {
		t.Skipf("skipped: somebody else took the port: %v", err)
	}
	defer pc.Close()
	c.(*packet).note(syscall.EHOSTUNREACH)
	var re *RefusedError
	if err := c.Send([]byte("abcd"), nil, nil); !errors.As(err, &re) || re.Count != 2 || re.Err != syscall.ECONNREFUSED {
		t.Errorf("Send: %v", err)
	}
	if err := c.Send([]byte("efgh"), nil, nil); err != nil {
		t.Errorf("Send: %v", err)
	}
	pc.SetReadDeadline(time.Now().Add(30 * time.Second))
	for _, want := range []string{"abcd", "efgh"} {
		b := make([]byte, 10)
		if n, _, err := pc.ReadFrom(b); string(b[:n]) != want {
			t.Errorf("%q, %v; want %q", b[:n], err, want)
		}
	}
	if n := newPacket(nil, 1<<20).max; n != maxDatagram {
		t.Errorf("a datagram may be %d bytes", n)
	}
}

// A server with two addresses that answers from the one that it was not asked
// at.
func TestRepliesFromAnotherAddress(t *testing.T) {
	for _, tt := range []struct {
		name   string
		noConn bool
		from   string // the address that replies
		taken  bool
	}{
		{"connected: from the address asked", false, "127.0.0.1", true},
		{"connected: not from another", false, "127.0.0.2", false},
		{"NoConn: from the address asked", true, "127.0.0.1", true},
		{"NoConn: from another", true, "127.0.0.2", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeak(t)
			asked, err := net.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer asked.Close()
			replier := asked
			if tt.from != "127.0.0.1" {
				if replier, err = net.ListenPacket("udp4", tt.from+":0"); err != nil {
					t.Skipf("skipped: no second address on loopback: %v", err)
				}
				defer replier.Close()
			}
			d := Dialer{NoConn: tt.noConn, NoFragment: true}
			c, err := d.Dial(context.Background(), "udp", asked.LocalAddr().String(), netip.AddrPort{})
			if err != nil {
				t.Fatal(err)
			}
			if got := c.RemoteAddr(); got.Network() != "udp" || got.String() != asked.LocalAddr().String() {
				t.Errorf("RemoteAddr is %v", got)
			}
			got := make(chan string, 1)
			served := make(chan error, 1)
			go func() { served <- c.Serve(receiveFunc(func(b []byte) { got <- string(b) })) }()
			if err := c.Send([]byte("call"), nil, nil); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 100)
			n, from, err := asked.ReadFrom(b)
			if err != nil || string(b[:n]) != "call" {
				t.Fatalf("%q, %v", b[:n], err)
			}
			to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: from.(*net.UDPAddr).Port}
			if _, err := replier.WriteTo([]byte("reply"), to); err != nil {
				t.Fatal(err)
			}
			select {
			case s := <-got:
				if !tt.taken || s != "reply" {
					t.Errorf("took %q", s)
				}
			case <-time.After(map[bool]time.Duration{true: 5 * time.Second, false: 50 * time.Millisecond}[tt.taken]):
				if tt.taken {
					t.Error("the reply was not taken")
				}
			}
			c.Close()
			if err := <-served; err != net.ErrClosed {
				t.Errorf("Serve: %v", err)
			}
		})
	}
}

// receiveFunc is a Receiver of short messages.
type receiveFunc func(b []byte)

func (receiveFunc) Place([]byte, int) (int, *Sink) { return 0, nil }

func (f receiveFunc) Message(m *Buffer, _ *Sink) {
	f(m.Bytes())
	m.Release()
}
