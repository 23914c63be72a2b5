package rpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// A reply whose payload is on its way into the sink when things go wrong.
func TestPayloadInterrupted(t *testing.T) {
	payload := bytes.Repeat([]byte("0123456789abcdef"), 8<<10) // 128 KiB
	reply := func(xid uint32) []byte {
		b := make([]byte, 4, len(payload)+64)
		b = append(b, successOf(xid)...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
		b = append(b, payload...)
		binary.BigEndian.PutUint32(b, 1<<31|uint32(len(b)-4))
		return b
	}
	readCall := func(t *testing.T, nc net.Conn) (xid uint32) {
		b := make([]byte, 4+40)
		if _, err := readFull(nc, b); err != nil {
			t.Error(err)
		}
		return binary.BigEndian.Uint32(b[4:])
	}
	// Real sockets, where the transport reads straight into the sink.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := transport.Dialer{}
	c := NewClient(Options{Program: testProg, Version: testVers, Server: "h",
		Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
			return d.Dial(ctx, "tcp", l.Addr().String(), last)
		}})
	defer c.Close()
	sink := make([]byte, len(payload))
	var out opaque
	k := &Call{Proc: 1, Reply: &out, Sink: sink, Place: placeOpaque, Idempotent: true}

	done := goCall(context.Background(), c, k)
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	xid := readCall(t, nc)
	nc.Write(reply(xid)[:100<<10])
	waitFor(t, func() bool { return lent(c) })
	nc.(*net.TCPConn).SetLinger(0)
	nc.Close() // the connection dies in the middle of the payload
	if nc, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	if again := readCall(t, nc); again != xid {
		t.Errorf("sent again as %#x, want %#x", again, xid)
	}
	clear(sink)
	nc.Write(reply(xid))
	if err := <-done; err != nil || !bytes.Equal(out.b, payload) || &out.b[0] != &sink[0] || k.Transmissions != 2 {
		t.Errorf("got %d bytes, %v, %d transmissions", len(out.b), err, k.Transmissions)
	}

	// The caller gives up in the middle of the payload: the rest is thrown
	// away, and the connection goes on.
	ctx, cancel := context.WithCancel(context.Background())
	clear(sink)
	done = goCall(ctx, c, k)
	xid = readCall(t, nc)
	nc.Write(reply(xid)[:64<<10])
	waitFor(t, func() bool { return lent(c) })
	cancel()
	if err := <-done; err != context.Canceled {
		t.Error(err)
	}
	was := slices.Clone(sink)
	nc.Write(reply(xid)[64<<10:])
	done = goCall(context.Background(), c, &Call{})
	nc.Write(append([]byte{0x80, 0, 0, 24}, successOf(readCall(t, nc))...))
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !bytes.Equal(sink, was) {
		t.Error("the sink was written to after Call had returned")
	}
	if s := c.Stats(); s.Connects != 2 || s.UnknownXIDs != 1 {
		t.Errorf("got %+v", s)
	}
	nc.Close()
}

// A server that answers twice, first without a payload: the caller has its
// memory again with the first answer.
func TestSecondReplyIsNotPlaced(t *testing.T) {
	near, far := net.Pipe()
	c := NewClient(Options{Program: testProg, Version: testVers,
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			return transport.NewStream(near, 0), nil
		}})
	defer c.Close()
	sink := make([]byte, 64<<10)
	done := goCall(context.Background(), c, &Call{Proc: 1, Reply: &opaque{}, Sink: sink, Place: placeOpaque})
	call, err := readCall(far)
	if err != nil {
		t.Fatal(err)
	}
	long := record(call, &opaque{bytes.Repeat([]byte{'x'}, len(sink))})
	// Both heads in one segment, so that the second is looked at before the
	// first call is told of the first.
	far.Write(append(record(call, &opaque{[]byte("short")}), long[:transport.HeadMax+4]...))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	clear(sink)
	far.Write(long[transport.HeadMax+4:])
	next := goCall(context.Background(), c, &Call{})
	if call, err = readCall(far); err != nil {
		t.Fatal(err)
	}
	far.Write(record(call, &opaque{}))
	if err := <-next; err != nil {
		t.Error(err)
	}
	if !bytes.Equal(sink, make([]byte, len(sink))) {
		t.Error("the sink was written to after Call had returned")
	}
}

// While the payload is coming the call is not sent again, however long it takes.
func TestSlowPayloadIsNotAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := NewClient(Options{Program: testProg, Version: testVers, Policy: TCPPolicy(seconds(10), 100, Hard),
			Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
				return transport.NewStream(near, 0), nil
			}})
		defer c.Close()
		payload := bytes.Repeat([]byte("0123456789abcdef"), 8<<10)
		k := &Call{Proc: 1, Reply: &opaque{}, Sink: make([]byte, len(payload)), Place: placeOpaque}
		done := goCall(context.Background(), c, k)
		call := make([]byte, 44)
		readFull(far, call)
		var again int
		go func() { again, _ = far.Read(make([]byte, 100)) }()
		head := binary.BigEndian.AppendUint32(nil, 1<<31|uint32(28+len(payload)))
		head = append(head, successOf(binary.BigEndian.Uint32(call[4:]))...)
		head = binary.BigEndian.AppendUint32(head, uint32(len(payload)))
		far.Write(append(head, payload[:64<<10]...))
		synctest.Wait()
		if !lent(c) {
			t.Fatal("the payload is not read into the sink")
		}
		time.Sleep(seconds(100))
		far.Write(payload[64<<10:])
		if err := <-done; err != nil || k.Transmissions != 1 {
			t.Errorf("got %v, %d transmissions", err, k.Transmissions)
		}
		far.Close()
		synctest.Wait()
		if again != 0 {
			t.Error("the call was sent again")
		}
	})
}

// lent reports whether the reader has the sink of a call.
func lent(c *Client) bool {
	ep := c.core.endpoints[0]
	ep.mu.Lock()
	defer ep.mu.Unlock()
	return slices.ContainsFunc(ep.slots.calls[:], func(p *pending) bool { return p != nil && p.lent })
}

func waitFor(t *testing.T, f func() bool) {
	for range 10000 {
		if f() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("nothing happened for 10 s")
}

func readFull(nc net.Conn, b []byte) (int, error) {
	for n := 0; n < len(b); {
		m, err := nc.Read(b[n:])
		if n += m; err != nil {
			return n, err
		}
	}
	return len(b), nil
}
