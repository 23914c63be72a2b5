package rpc

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testProg = 0x20000001
	testVers = 3

	procNull  = 0
	procEcho  = 1 // opaque → the same opaque
	procBlock = 2 // never answers until the connection ends
	procPanic = 3
)

// opaque is the argument and result of procEcho.
type opaque struct{ b []byte }

func (o *opaque) XDR(c *xdr.Codec) { c.Borrow(&o.b, 1<<20) }

// placeOpaque is Call.Place for procEcho.
func placeOpaque(results []byte) (int, int, bool) {
	n, ok := word(results, 0)
	return 4, int(n), ok
}

// echo is the program of the tests.
func echo(ctx context.Context, r *Request, reply *xdr.Codec) AcceptStat {
	switch r.Proc {
	case procNull:
		return Success
	case procEcho:
		var o opaque
		o.XDR(r.Args)
		if r.Args.Err() != nil {
			return GarbageArgs
		}
		o.XDR(reply)
		return Success
	case procBlock:
		<-ctx.Done()
		return Success
	case procPanic:
		panic("test")
	}
	return ProcUnavail
}

// house is a server on Pipes, and the Dial that leads there.
type house struct {
	Server
	mu    sync.Mutex
	conns []transport.Conn // the server's ends
	wg    sync.WaitGroup
	err   error                                 // what Dial returns
	wrap  func(transport.Conn) transport.Conn   // the client's end
	serve func(context.Context, transport.Conn) // in place of ServeConn
	dials int
}

func newHouse(t testing.TB) *house {
	h := new(house)
	h.Register(testProg, testVers, ProgramFunc(echo))
	return h
}

func (h *house) dial(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dials++
	if h.err != nil {
		return nil, h.err
	}
	a, b := transport.Pipe()
	h.conns = append(h.conns, b)
	h.wg.Add(1)
	go func() {
		defer h.wg.Done()
		if h.serve != nil {
			h.serve(context.Background(), b)
			return
		}
		h.ServeConn(context.Background(), b)
	}()
	if h.wrap != nil {
		return h.wrap(a), nil
	}
	return a, nil
}

// client returns a client of h, closed at the end of the test.
func (h *house) client(t testing.TB, p Policy) *Client {
	c := NewClient(Options{Program: testProg, Version: testVers, Dial: h.dial, Policy: p, Server: "h"})
	t.Cleanup(func() {
		c.Close()
		h.wg.Wait()
	})
	return c
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
