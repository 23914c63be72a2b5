package rpc

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// Each thing that a server may answer, and what the call makes of it. An XID
// is put in front of the words.
func TestReplies(t *testing.T) {
	garbage := []uint32{1, 0, 0, 0, 4}
	long := append([]uint32{1, 0, 1, 400}, append(make([]uint32, 100), 0, 0)...)
	for _, tt := range []struct {
		name  string
		words []uint32
		err   error  // type and value wanted, or nil
		is    error  // errors.Is(err, is)
		text  string // in the error
		sends int
	}{
		{"SUCCESS", []uint32{1, 0, 0, 0, 0, 0}, nil, nil, "", 1},
		{"SUCCESS with words after the results", []uint32{1, 0, 0, 0, 0, 0, 5, 5}, nil, nil, "", 1},
		{"a verifier of AUTH_SYS", []uint32{1, 0, 1, 4, 9, 0, 0}, nil, nil, "", 1},
		{"a verifier of AUTH_SHORT", []uint32{1, 0, 2, 3, 9, 0, 0}, nil, nil, "", 1},
		{"a verifier of 400 bytes", long, nil, nil, "", 1},
		{"PROG_UNAVAIL", []uint32{1, 0, 0, 0, 1}, &AcceptError{testProg, testVers, 1, ProgUnavail, 0, 0}, syscall.EPFNOSUPPORT, "PROG_UNAVAIL", 1},
		{"PROG_MISMATCH", []uint32{1, 0, 0, 0, 2, 3, 4}, &AcceptError{testProg, testVers, 1, ProgMismatch, 3, 4}, syscall.EPROTONOSUPPORT, "versions 3 to 4", 1},
		{"PROG_MISMATCH without versions", []uint32{1, 0, 0, 0, 2}, &AcceptError{testProg, testVers, 1, ProgMismatch, 0, 0}, syscall.EPROTONOSUPPORT, "PROG_MISMATCH", 1},
		{"PROG_MISMATCH with one version", []uint32{1, 0, 0, 0, 2, 3}, &AcceptError{testProg, testVers, 1, ProgMismatch, 0, 0}, nil, "PROG_MISMATCH", 1},
		{"PROC_UNAVAIL", []uint32{1, 0, 0, 0, 3}, &AcceptError{testProg, testVers, 1, ProcUnavail, 0, 0}, syscall.EOPNOTSUPP, "PROC_UNAVAIL", 1},
		{"GARBAGE_ARGS is asked three times", garbage, &AcceptError{testProg, testVers, 1, GarbageArgs, 0, 0}, syscall.EIO, "GARBAGE_ARGS", 3},
		{"SYSTEM_ERR is asked three times", []uint32{1, 0, 0, 0, 5}, &AcceptError{testProg, testVers, 1, SystemErr, 0, 0}, syscall.EIO, "SYSTEM_ERR", 3},
		{"RPC_MISMATCH", []uint32{1, 1, 0, 2, 2}, &DeniedError{RPCMismatch, 2, 2, 0}, syscall.EPROTONOSUPPORT, "RPC versions 2 to 2", 1},
		{"RPC_MISMATCH without versions", []uint32{1, 1, 0}, &DeniedError{RPCMismatch, 0, 0, 0}, nil, "RPC_MISMATCH", 1},
		{"AUTH_BADCRED", []uint32{1, 1, 1, 1}, &DeniedError{AuthError, 0, 0, AuthBadCred}, syscall.EACCES, "AUTH_BADCRED", 1},
		{"AUTH_TOOWEAK", []uint32{1, 1, 1, 5}, &DeniedError{AuthError, 0, 0, AuthTooWeak}, syscall.EACCES, "AUTH_TOOWEAK", 1},
		{"RPCSEC_GSS_CTXPROBLEM", []uint32{1, 1, 1, 14}, &DeniedError{AuthError, 0, 0, GSSCtxProblem}, nil, "RPCSEC_GSS_CTXPROBLEM", 1},
		{"an auth_stat without a name", []uint32{1, 1, 1, 99}, &DeniedError{AuthError, 0, 0, 99}, nil, "99", 1},
		{"AUTH_ERROR cut short", []uint32{1, 1, 1}, &ProtocolError{What: "truncated header"}, syscall.EIO, "malformed", 3},
		{"an unknown reject_stat", []uint32{1, 1, 2, 0, 0}, &ProtocolError{What: "unknown reject_stat"}, nil, "", 3},
		{"an unknown reply_stat", []uint32{1, 2, 0, 0, 0}, &ProtocolError{What: "unknown reply_stat"}, nil, "", 3},
		{"an unknown accept_stat", []uint32{1, 0, 0, 0, 6}, &ProtocolError{What: "unknown accept_stat"}, nil, "", 3},
		{"a reply that ends after its type", []uint32{1}, &ProtocolError{What: "truncated header"}, nil, "", 3},
		{"a reply that ends in the verifier", []uint32{1, 0, 0, 8, 0}, &ProtocolError{What: "truncated header"}, nil, "", 3},
		{"a verifier of 401 bytes", append([]uint32{1, 0, 0, 401}, make([]uint32, 110)...), &ProtocolError{What: "verifier longer than 400 bytes"}, nil, "", 3},
		{"a verifier of 4 GiB", []uint32{1, 0, 0, 0xffffffff, 0, 0}, &ProtocolError{What: "verifier longer than 400 bytes"}, nil, "", 3},
		{"a verifier of RPCSEC_GSS", []uint32{1, 0, 6, 0, 0, 0}, &ProtocolError{What: "verifier", Err: &flavorError{6}}, nil, "flavour 6", 3},
		{"results cut short", []uint32{1, 0, 0, 0, 0}, nil, syscall.EIO, "results", 3},
		{"results of 4 GiB", []uint32{1, 0, 0, 0, 0, 0xffffffff}, nil, syscall.EIO, "limit", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				c := w.client(Policy{})
				var out opaque
				k := &Call{Proc: 1, Reply: &out}
				done := goCall(context.Background(), c, k)
				p := <-w.peers
				first := p.next()
				for i := 0; ; i++ {
					p.words(append([]uint32{first.xid}, tt.words...)...)
					synctest.Wait()
					if p.waiting() == 0 {
						break
					}
					if h := p.next(); h.msg != first.msg {
						t.Error("other bytes when sent again")
					}
				}
				err := <-done
				if k.Transmissions != tt.sends {
					t.Errorf("%d transmissions, want %d", k.Transmissions, tt.sends)
				}
				if tt.err == nil && tt.is == nil {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("%v is not %v", err, tt.is)
				}
				if err == nil || !strings.Contains(err.Error(), tt.text) {
					t.Fatalf("got %v, want %q in it", err, tt.text)
				}
				if tt.err != nil && err.Error() != tt.err.Error() {
					t.Errorf("got %v, want %v", err, tt.err)
				}
				if time.Since(w.began) != 0 {
					t.Errorf("took %v", time.Since(w.began))
				}
			})
		})
	}
}

// What comes that is no reply to a call outstanding does not disturb the call
// that is.
func TestStrayMessages(t *testing.T) {
	for _, tt := range []struct {
		name         string
		words        func(xid uint32) []uint32
		unknown, bad uint64
	}{
		{"an XID one off", func(x uint32) []uint32 { return []uint32{x + 1, 1, 0, 0, 0, 0, 0} }, 1, 0},
		{"an XID of the same slot", func(x uint32) []uint32 { return []uint32{x + 256, 1, 0, 0, 0, 0, 0} }, 1, 0},
		{"a call", func(x uint32) []uint32 { return []uint32{x, 0, 2, 0, 0, 0, 0} }, 0, 1},
		{"a message type of 2", func(x uint32) []uint32 { return []uint32{x, 2, 0, 0, 0, 0, 0} }, 0, 1},
		{"an XID and nothing else", func(x uint32) []uint32 { return []uint32{x} }, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				c := w.client(Policy{})
				k := &Call{}
				done := goCall(context.Background(), c, k)
				p := <-w.peers
				xid := p.next().xid
				p.words(tt.words(xid)...)
				synctest.Wait()
				p.ok(xid)
				if err := <-done; err != nil || k.Transmissions != 1 {
					t.Errorf("got %v, %d transmissions", err, k.Transmissions)
				}
				if s := c.Stats(); s.UnknownXIDs != tt.unknown || s.BadReplies != tt.bad {
					t.Errorf("%d unknown, %d bad", s.UnknownXIDs, s.BadReplies)
				}
			})
		})
	}
}

// Over UDP a malformed reply is as good as none: it may be forged.
func TestMalformedDatagramsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.udp = true
		c := w.client(UDPPolicy(0, -1, Soft))
		var out opaque
		k := &Call{Proc: 1, Reply: &out}
		done := goCall(context.Background(), c, k)
		p := <-w.peers
		xid := p.next().xid
		for _, bad := range [][]uint32{{xid, 1}, {xid, 1, 0, 0, 500}, {xid, 1, 0, 0, 0, 0, 9}} {
			p.words(bad...)
			synctest.Wait()
		}
		if p.waiting() != 0 {
			t.Error("a malformed datagram made the call go again")
		}
		p.ok(xid, &opaque{[]byte("real")})
		if err := <-done; err != nil || string(out.b) != "real" || k.Transmissions != 1 {
			t.Errorf("got %q, %v", out.b, err)
		}
		if s := c.Stats(); s.BadReplies != 3 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestLateAndDuplicateReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{})
		ctx, cancel := context.WithCancel(context.Background())
		sink := []byte("untouched")
		k := &Call{Proc: 1, Reply: &opaque{}, Sink: sink, Place: placeOpaque}
		done := goCall(ctx, c, k)
		p := <-w.peers
		late := p.next().xid
		cancel()
		if err := <-done; err != context.Canceled {
			t.Error(err)
		}
		p.ok(late, &opaque{[]byte("too late!")})
		done = goCall(context.Background(), c, &Call{})
		xid := p.next().xid
		p.ok(xid)
		p.ok(xid)
		if err := <-done; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if string(sink) != "untouched" {
			t.Errorf("the sink of a call that was given up holds %q", sink)
		}
		if s := c.Stats(); s.UnknownXIDs != 2 || s.Connects != 1 {
			t.Errorf("got %+v", s)
		}
	})
}

// callback is results whose decoding calls a function.
type callback func()

func (f callback) XDR(c *xdr.Codec) {
	var o opaque
	o.XDR(c)
	f()
}

// A second reply to a call is nobody's: it must not get into the memory of a caller
// who is decoding the first one.
func TestASecondReplyTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{})
		sink := make([]byte, 1000)
		again := make(chan struct{})
		k := &Call{Proc: procEcho, Sink: sink, Place: placeOpaque, Reply: callback(func() {
			close(again)
			synctest.Wait() // until the second one has come
		})}
		done := goCall(context.Background(), c, k)
		p := <-w.peers
		xid := p.next().xid
		p.ok(xid, &opaque{bytes.Repeat([]byte{'A'}, len(sink))})
		<-again
		p.ok(xid, &opaque{bytes.Repeat([]byte{'B'}, len(sink))})
		if err := <-done; err != nil || sink[0] != 'A' || sink[len(sink)-1] != 'A' {
			t.Errorf("got %v, %q", err, sink[:4])
		}
		if n := c.Stats().UnknownXIDs; n != 1 {
			t.Errorf("%d replies were nobody's", n)
		}
	})
}

// The same holds for one that comes together with the first, which has no payload
// in the caller's memory, and is not handed over yet.
func TestASecondReplyOfABatchTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(Policy{})
		done := goCall(context.Background(), c, &Call{Proc: procEcho, Sink: make([]byte, 1000), Place: placeOpaque, Reply: new(opaque)})
		p := <-w.peers
		xid := p.next().xid
		synctest.Wait() // the reader waits: this is in its place now
		ep := c.core.endpoints[0]
		ep.mu.Lock()
		l := ep.link
		ep.mu.Unlock()
		reply := func(n int) *transport.Buffer {
			e := xdr.NewEncoder(nil)
			acceptedHeader(e, xid, Success)
			o := opaque{make([]byte, n)}
			o.XDR(e)
			m := transport.NewBuffer(len(e.Bytes()) + n)
			copy(m.Bytes(), append(e.Bytes(), o.b...))
			return m
		}
		second := reply(1000)
		l.Message(reply(4), nil)
		if _, s := l.Place(second.Bytes()[:transport.HeadMax], len(second.Bytes())); s != nil {
			t.Error("it would get into the memory of a caller who has a reply")
		}
		l.Message(second, nil)
		l.Pause()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
