package rpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// dialClient returns a client of what listens at a.
func dialClient(a net.Addr, p Policy) *Client {
	d := transport.Dialer{}
	return NewClient(Options{Program: testProg, Version: testVers, Server: "h", Policy: p,
		Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
			return d.Dial(ctx, a.Network(), a.String(), last)
		}})
}

// serveTCP serves h on a loopback port until the test ends, handing each
// connection to each.
func serveTCP(t testing.TB, h *house, each func(net.Conn)) net.Addr {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.wg.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			if each != nil {
				each(nc)
			}
			h.wg.Go(func() { h.ServeConn(context.Background(), transport.NewStream(nc, 0)) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		h.wg.Wait()
	})
	return l.Addr()
}

// Hundreds of callers with payloads both ways over TCP, while connections are
// reset and calls are cancelled: each reply is its own call's.
func TestCallsSurviveResets(t *testing.T) {
	h := newHouse()
	var mu sync.Mutex
	var conns []net.Conn
	addr := serveTCP(t, h, func(nc net.Conn) {
		mu.Lock()
		conns = append(conns, nc)
		mu.Unlock()
	})
	c := dialClient(addr, Policy{})
	defer c.Close()
	end := time.Now().Add(1500 * time.Millisecond)
	over := func() bool { return time.Now().After(end) && c.Stats().Connects >= 3 }
	patient, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	var wg sync.WaitGroup
	for g := range 200 {
		wg.Go(func() {
			sink := make([]byte, 20000)
			for i := 0; !over() && patient.Err() == nil; i++ {
				data := make([]byte, 12+rand.IntN(20000-12))
				binary.BigEndian.PutUint64(data, uint64(g)<<32|uint64(i))
				ctx, cancel := context.WithCancel(patient)
				if i%11 == 0 {
					time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, cancel)
				}
				in, out := opaque{data}, opaque{}
				err := c.Call(ctx, &Call{Proc: procEcho, Args: &in, Reply: &out, Sink: sink, Place: placeOpaque, Idempotent: true})
				cancel()
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				if err == nil && !bytes.Equal(in.b, out.b) {
					t.Error("another call's reply")
				}
				clear(sink) // a reader that still wrote here would be a race
			}
		})
	}
	for !over() && patient.Err() == nil {
		time.Sleep(100 * time.Millisecond)
		mu.Lock()
		for _, nc := range conns {
			nc.(*net.TCPConn).SetLinger(0)
			nc.Close()
		}
		conns = nil
		mu.Unlock()
	}
	wg.Wait()
	s := c.Stats()
	t.Logf("%d calls, %d transmissions, %d connections, %d unknown XIDs", s.Procs[0].Calls, s.Procs[0].Transmissions, s.Connects, s.UnknownXIDs)
	if s.BadReplies != 0 || s.CallsInFlight != 0 || s.Connects < 3 {
		t.Errorf("got %+v", s)
	}
}
