package rpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// list is a result with lengths in it.
type list struct{ v []opaqueCopy }

type opaqueCopy struct{ b []byte }

func (l *list) XDR(c *xdr.Codec) {
	xdr.Slice(c, &l.v, 1000, 4, func(c *xdr.Codec, o *opaqueCopy) { c.Opaque(&o.b, 100) })
}

// Whatever bytes come as the reply to a call: the call ends with one of the
// errors that are promised, or the reply was well-formed and within bounds.
func FuzzReply(f *testing.F) {
	for _, w := range [][]uint32{
		{1, 0, 0, 0, 0, 1, 4, 0x61626364}, {1, 0, 0, 0, 2, 1, 2}, {1, 1, 0, 2, 2}, {1, 1, 1, 5},
		{1, 0, 2, 4, 7, 0, 0}, {1, 0, 0, 0xffffffff, 0}, {1, 0, 0, 0, 0, 0xffffffff}, {0, 2, 1, 1},
	} {
		f.Add(callOf(w...)[4:], false)
		f.Add(callOf(w...)[4:], true)
	}
	c := NewClient(Options{Program: testProg, Version: testVers})
	defer c.Close()
	f.Fuzz(func(t *testing.T, body []byte, sink bool) {
		p := c.core.endpoints[0].pool.Get().(*pending)
		k := &Call{Proc: 1, Reply: &list{}}
		if sink {
			k.Sink, k.Place, k.Reply = make([]byte, 64), placeOpaque, &opaque{}
		}
		p.begin(c, c.core.pick(), k, context.Background())
		p.ep.mu.Lock()
		err := p.ep.enterLocked(p)
		p.ep.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		p.sent = 1
		ep, buffers := p.ep, transport.Outstanding()
		msg := transport.NewBuffer(4 + len(body))
		binary.BigEndian.PutUint32(msg.Bytes(), p.xid)
		copy(msg.Bytes()[4:], body)
		l := &link{ep: ep}
		// The transport's part, copying: see transport.deliver.
		b := msg.Bytes()
		at, s := l.Place(b[:min(len(b), transport.HeadMax)], len(b))
		if s != nil {
			if at < 0 || at+s.Len() > len(b) || s.Len() > 64 {
				t.Fatalf("placed %d bytes at %d of %d", s.Len(), at, len(b))
			}
			copy(k.Sink, b[at:at+s.Len()])
			msg.Truncate(at)
		}
		l.Message(msg, s)
		l.Pause()
		if p.reply != nil {
			err = p.decode(p.reply.Bytes())
		}
		p.end(err)
		var ae *AcceptError
		var de *DeniedError
		var pe *ProtocolError
		if err != nil && !errors.As(err, &ae) && !errors.As(err, &de) && !errors.As(err, &pe) {
			t.Errorf("got %T %v", err, err)
		}
		if n := transport.Outstanding(); n != buffers {
			t.Errorf("%d buffers leaked", n-buffers)
		}
	})
}

// Whatever bytes come as a call: the server answers with a well-formed reply
// of the same XID, or not at all, and does not fall over.
func FuzzServerCall(f *testing.F) {
	for _, w := range [][]uint32{
		{0, 2, testProg, testVers, 1, 0, 0, 0, 0, 4, 99}, {0, 2, testProg, testVers, procWho, 1, 24, 0, 1, 'm' << 24, 1, 2, 0, 0, 0},
		{0, 2, testProg, 9, 0, 0, 0, 0, 0}, {0, 3, 0, 0}, {1, 0}, {0, 2, testProg, testVers, procPanic, 0, 0, 0, 0},
		{0, 2, testProg, testVers, 0, 1, 0xffffffff}, {0, 2, testProg, testVers, 0, 0, 0, 0, 400},
	} {
		f.Add(callOf(w...))
	}
	var h Server
	h.Register(testProg, testVers, ProgramFunc(func(ctx context.Context, r *Request, reply *xdr.Codec) AcceptStat {
		if r.Proc == procBlock {
			return Success
		}
		return echo(ctx, r, reply)
	}))
	f.Fuzz(func(t *testing.T, call []byte) {
		a, b := transport.Pipe()
		ended := make(chan struct{})
		go func() { h.ServeConn(context.Background(), b); close(ended) }()
		var got collector
		heard := make(chan struct{})
		go func() { a.Serve(&got); close(heard) }()
		if err := a.Send(call, nil, nil); err != nil {
			t.Fatal(err)
		}
		// A good call behind it shows that the server still stands.
		good := callOf(0, 2, testProg, testVers, 0, 0, 0, 0, 0)
		copy(good, "mark")
		a.Send(good, nil, nil)
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Microsecond) {
			msgs := got.take()
			if n := len(msgs); n > 0 && (n > 1 || bytes.HasPrefix(msgs[0], []byte("mark"))) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("no answer to the good call")
			}
		}
		a.Close()
		<-ended
		<-heard
		for _, m := range got.take() {
			h, what := parseReply(m)
			if what != "" || !bytes.HasPrefix(m, []byte("mark")) && h.xid != binary.BigEndian.Uint32(call) {
				t.Errorf("answered %x: %s", m, what)
			}
		}
	})
}
