package rpc

import (
	"bytes"
	"context"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/gonfs/gonfs/transport"
)

// hooked is a connection whose reader calls a function after Place, and after
// Message, of a message with a sink.
type hooked struct {
	transport.Conn
	hook func()
}

func (c *hooked) Serve(r transport.Receiver) error { return c.Conn.Serve(&hookedReceiver{r, c.hook}) }

type hookedReceiver struct {
	transport.Receiver
	hook func()
}

func (r *hookedReceiver) Place(head []byte, length int) (int, *transport.Sink) {
	off, s := r.Receiver.Place(head, length)
	if s != nil {
		r.hook()
	}
	return off, s
}

func (r *hookedReceiver) Message(m *transport.Buffer, s *transport.Sink) {
	r.Receiver.Message(m, s)
	if s != nil {
		r.hook()
	}
}

func (r *hookedReceiver) Pause() <-chan struct{} { return r.Receiver.(transport.Pauser).Pause() }

// A reader that was told where a payload goes, and then has no processor for a
// while, must not find that of another call there.
func TestAReaderLeftBehindWritesToNobody(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget at random; this is tested without it, too")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that what was pooled last is next
	h := newHouse()
	placedA, goOn, doneA := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var step atomic.Int32
	hook := func() {
		switch step.Add(1) {
		case 1: // A's reader knows where to
			close(placedA)
			<-goOn
		case 2: // B's reader does
			close(goOn)
			<-doneA
		case 3: // A's reader has the payload
			close(doneA)
		}
	}
	c := NewClient(Options{Program: testProg, Version: testVers, Connections: 2, Server: "h",
		Dial: func(ctx context.Context, a netip.AddrPort) (transport.Conn, error) {
			conn, err := h.dial(ctx, a)
			return &hooked{conn, hook}, err
		}})
	defer func() {
		c.Close()
		h.wg.Wait()
	}()
	call := func(ctx context.Context, what byte, dst []byte) error {
		in, out := opaque{bytes.Repeat([]byte{what}, len(dst))}, opaque{}
		return c.Call(ctx, &Call{Proc: procEcho, Args: &in, Reply: &out, Sink: dst, Place: placeOpaque, Idempotent: true})
	}
	ctx, stop := context.WithCancel(context.Background())
	a, b := make([]byte, 4096), make([]byte, 4096)
	over := make(chan error, 1)
	go func() { over <- call(ctx, 'A', a) }()
	<-placedA
	stop()
	<-over
	if err := call(context.Background(), 'B', b); err != nil || b[0] != 'B' {
		t.Errorf("B: %v, it read %q", err, b[:4])
	}
}
