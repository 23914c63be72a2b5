package rpc

import (
	"context"
	"net/netip"
	"testing"

	"github.com/gonfs/gonfs/transport"
)

// mirror is a server without any cost of its own: it answers each call from
// within Send, with a reply that is made once.
type mirror struct {
	transport.Conn
	to    chan transport.Receiver
	r     transport.Receiver
	reply []byte
	end   chan struct{}
}

func (m *mirror) Serve(r transport.Receiver) error {
	m.to <- r
	<-m.end
	return context.Canceled
}

func (m *mirror) Send(head, payload []byte, _ <-chan struct{}) error {
	if m.r == nil {
		m.r = <-m.to
	}
	msg := transport.NewBuffer(len(m.reply))
	copy(msg.Bytes(), m.reply)
	copy(msg.Bytes(), head[:4])
	m.r.Place(msg.Bytes(), len(m.reply))
	m.r.Message(msg, nil)
	m.r.(transport.Pauser).Pause()
	return nil
}

func (m *mirror) Abort() error {
	select {
	case <-m.end:
	default:
		close(m.end)
	}
	return nil
}

func mirrorClient() (c *Client, args, reply *number) {
	a, _ := transport.Pipe()
	m := &mirror{Conn: a, to: make(chan transport.Receiver, 1), end: make(chan struct{}), reply: append(successOf(0), 0, 0, 0, 5)}
	c = NewClient(Options{Program: testProg, Version: testVers, Auth: AuthSys("client"), Cred: *NewCred(1, 2, []uint32{3, 4}),
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) { return m, nil }})
	return c, new(number), new(number)
}

// A small call in the steady state allocates nothing.
func TestCallAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Log("not counted: under -race sync.Pool drops what it is given")
		return
	}
	c, args, reply := mirrorClient()
	defer c.Close()
	k := &Call{Proc: 1, Args: args, Reply: reply}
	if n := testing.AllocsPerRun(1000, func() {
		if err := c.Call(context.Background(), k); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if *reply != 5 {
		t.Errorf("got %d", *reply)
	}
}

// What rpc itself costs.
func BenchmarkCall(b *testing.B) {
	c, args, reply := mirrorClient()
	defer c.Close()
	k := &Call{Proc: 1, Args: args, Reply: reply}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Call(context.Background(), k); err != nil {
			b.Fatal(err)
		}
	}
}

// A small call to a Server in the same process, over loopback TCP.
func BenchmarkCallTCP(b *testing.B) {
	h := newHouse()
	c := dialClient(serveTCP(b, h, nil), Policy{})
	defer c.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var reply number
		k := &Call{Proc: procWho, Reply: &reply}
		for pb.Next() {
			if err := c.Call(context.Background(), k); err != nil {
				b.Fatal(err)
			}
		}
	})
}
