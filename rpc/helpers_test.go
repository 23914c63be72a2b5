package rpc

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	transport.Outstanding() // counts from now on
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if n := transport.Outstanding(); n != 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "%d buffers were not released\n", n)
		code = 1
	}
	os.Exit(code)
}

const (
	testProg = 0x20000001
	testVers = 3

	procNull  = 0
	procEcho  = 1 // opaque → the same opaque
	procBlock = 2 // never answers until the connection ends
	procPanic = 3
	procWho   = 4 // void → uid, or 2^32-1 without AUTH_SYS
)

// opaque is the argument and result of procEcho.
type opaque struct{ b []byte }

func (o *opaque) XDR(c *xdr.Codec) { c.Borrow(&o.b, 1<<20) }

// placeOpaque is Call.Place for procEcho.
func placeOpaque(results []byte) (int, int, bool) {
	n, ok := word(results, 0)
	return 4, int(n), ok
}

// number is one word.
type number uint32

func (n *number) XDR(c *xdr.Codec) { xdr.Enum(c, n) }

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
	case procWho:
		n := ^number(0)
		if r.Cred != nil {
			n = number(r.Cred.UID)
		}
		n.XDR(reply)
		return Success
	}
	return ProcUnavail
}

// house is a Server on Pipes, and the Dial that leads there.
type house struct {
	Server
	wg sync.WaitGroup
}

func newHouse() *house {
	h := new(house)
	h.Register(testProg, testVers, ProgramFunc(echo))
	return h
}

func (h *house) dial(context.Context, netip.AddrPort) (transport.Conn, error) {
	a, b := transport.Pipe()
	h.wg.Go(func() { h.ServeConn(context.Background(), b) })
	return a, nil
}

// client returns a client of h, closed at the end of the test.
func (h *house) client(t testing.TB) *Client {
	c := NewClient(Options{Program: testProg, Version: testVers, Dial: h.dial, Server: "h"})
	t.Cleanup(func() {
		c.Close()
		h.wg.Wait()
	})
	return c
}

// wire is the far end of all connections of a client, played by the test.
type wire struct {
	t     testing.TB
	began time.Time
	peers chan *peer // one for each connection

	mu    sync.Mutex // guards what follows
	dials []time.Duration
	lasts []netip.AddrPort
	fail  error                // what Dial returns
	local func(n int) net.Addr // the source address of connection n
	wrap  func(transport.Conn) transport.Conn
	udp   bool
	wg    sync.WaitGroup
}

func newWire(t testing.TB) *wire {
	w := &wire{t: t, began: time.Now(), peers: make(chan *peer, 1000)}
	t.Cleanup(w.wg.Wait)
	return w
}

// addrConn is a Conn with other addresses.
type addrConn struct {
	transport.Conn
	local, remote net.Addr
}

func (c *addrConn) LocalAddr() net.Addr  { return c.local }
func (c *addrConn) RemoteAddr() net.Addr { return c.remote }

func (w *wire) dial(_ context.Context, last netip.AddrPort) (transport.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.dials)
	w.dials, w.lasts = append(w.dials, time.Since(w.began)), append(w.lasts, last)
	if w.fail != nil {
		return nil, w.fail
	}
	a, b := transport.Pipe()
	p := &peer{w: w, conn: b, calls: make(chan heard, 600)}
	w.wg.Go(func() { b.Serve(p); close(p.calls) })
	w.peers <- p
	c := &addrConn{Conn: a, local: a.LocalAddr(), remote: a.RemoteAddr()}
	if w.udp {
		c.remote = &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 2049}
	}
	if w.local != nil {
		c.local = w.local(n)
	}
	if w.wrap != nil {
		return w.wrap(c), nil
	}
	return c, nil
}

func (w *wire) setFail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

func (w *wire) dialTimes() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Duration(nil), w.dials...)
}

// client returns a client over w, closed at the end of the test.
func (w *wire) client(p Policy, change ...func(*Options)) *Client {
	o := Options{Program: testProg, Version: testVers, Dial: w.dial, Policy: p, Server: "h"}
	for _, f := range change {
		f(&o)
	}
	c := NewClient(o)
	w.t.Cleanup(func() { c.Close() })
	return c
}

// peer is the far end of one connection.
type peer struct {
	w     *wire
	conn  transport.Conn
	calls chan heard
}

// heard is a call as it came.
type heard struct {
	xid, proc uint32
	msg       string
	at        time.Duration
}

func (p *peer) Place([]byte, int) (int, *transport.Sink) { return 0, nil }

func (p *peer) Message(msg *transport.Buffer, _ *transport.Sink) {
	b := msg.Bytes()
	xid, _ := word(b, 0)
	proc, _ := word(b, 20)
	p.calls <- heard{xid: xid, proc: proc, msg: string(b), at: time.Since(p.w.began)}
	msg.Release()
}

// next returns the next call.
func (p *peer) next() heard {
	k, ok := <-p.calls
	if !ok {
		p.w.t.Error("the connection ended before the next call")
	}
	return k
}

// waiting returns how many calls have come and were not taken yet.
func (p *peer) waiting() int { return len(p.calls) }

// ok answers a call with SUCCESS and results.
func (p *peer) ok(xid uint32, results ...xdr.Value) {
	c := xdr.NewEncoder(nil)
	acceptedHeader(c, xid, Success)
	for _, r := range results {
		r.XDR(c)
	}
	if err := p.conn.Send(c.Bytes(), c.Payload(), nil); err != nil {
		p.w.t.Error(err)
	}
}

// words sends a message of words.
func (p *peer) words(words ...uint32) {
	c := xdr.NewEncoder(nil)
	for _, w := range words {
		c.Uint32(&w)
	}
	if err := p.conn.Send(c.Bytes(), nil, nil); err != nil {
		p.w.t.Error(err)
	}
}

// successOf returns a void SUCCESS.
func successOf(xid uint32) []byte {
	c := xdr.NewEncoder(nil)
	acceptedHeader(c, xid, Success)
	return c.Bytes()
}

type netAddr = net.Addr

// transportAddr is a source address of a table; nil is that of a Pipe.
type transportAddr struct {
	ip   string
	port int
}

func (a *transportAddr) addr() net.Addr {
	if a == nil {
		return &net.UnixAddr{Name: "tunnel", Net: "unix"}
	}
	return &net.TCPAddr{IP: net.ParseIP(a.ip), Port: a.port}
}

// lockedBuffer is a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// goCall makes a call and returns where its error comes.
func goCall(ctx context.Context, c *Client, k *Call) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.Call(ctx, k) }()
	return done
}

// giveUp is a context whose caller gives up when asked often enough.
type giveUp struct {
	context.Context
	mu    sync.Mutex
	after int
	asked []time.Time
}

func (g *giveUp) GiveUp() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, time.Now())
	return len(g.asked) > g.after
}
