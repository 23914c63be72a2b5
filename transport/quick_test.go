package transport

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"testing"
)

type quick struct{ c chan []byte }

func (q quick) Place([]byte, int) (int, *Sink) { return 0, nil }
func (q quick) Message(m *Buffer, _ *Sink) {
	q.c <- bytes.Clone(m.Bytes())
	m.Release()
}

func TestQuick(t *testing.T) {
	a, b := Pipe()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var d Dialer
	c, err := d.Dial(context.Background(), "tcp", ln.Addr().String(), netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	nc, _ := ln.Accept()
	e := NewStream(nc, 0)
	for _, x := range [][2]Conn{{a, b}, {c, e}} {
		q := quick{make(chan []byte, 10)}
		done := make(chan error, 1)
		go func() { done <- x[1].Serve(q) }()
		x[0].Send([]byte("abcdefgh"), []byte("pay"), nil)
		if g := <-q.c; string(g) != "abcdefghpay\x00" {
			t.Fatalf("%q", g)
		}
		x[0].Close()
		t.Log(<-done)
		x[1].Close()
	}
}
