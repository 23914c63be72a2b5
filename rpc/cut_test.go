package rpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// pipes is a client over streams of net.Pipe, whose other ends come from the
// channel: each byte is taken when it is sent. They have no vitals, like a
// tunnel, unless they are wrapped.
func pipes(p Policy, wrap ...func(transport.Conn) transport.Conn) (*Client, <-chan net.Conn) {
	conns := make(chan net.Conn, 10)
	return NewClient(Options{Program: testProg, Version: testVers, Policy: p, Server: "h",
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			near, far := net.Pipe()
			conns <- far
			c := transport.NewStream(near, 0)
			for _, w := range wrap {
				c = w(c)
			}
			return c, nil
		}}), conns
}

// withVitals is a connection that has vitals.
type withVitals struct{ transport.Conn }

func (c withVitals) Vitals() (transport.Vitals, bool) {
	v, _ := transport.VitalsOf(c.Conn)
	v.RTO = 200 * time.Millisecond
	return v, true
}

// withAndWithoutVitals runs a test on both kinds of connections.
func withAndWithoutVitals(t *testing.T, test func(t *testing.T, wrap func(transport.Conn) transport.Conn)) {
	t.Run("a tunnel", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, func(c transport.Conn) transport.Conn { return c }) })
	})
	t.Run("TCP with vitals", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, func(c transport.Conn) transport.Conn { return withVitals{c} }) })
	})
}

// The caller may leave after any byte of the reply: nothing is written to its
// memory from then on, and the connection goes on with the next record.
func TestCallCanceledAtEachByteOfTheReply(t *testing.T) {
	for _, size := range []int{41, transport.HeadMax + 101} {
		synctest.Test(t, func(t *testing.T) {
			c, conns := pipes(Policy{})
			defer c.Close()
			want := &opaque{bytes.Repeat([]byte{'x'}, size)}
			whole := len(record(make([]byte, 4), want))
			var far net.Conn
			for k := range whole + 1 {
				sink := make([]byte, size+10)
				ctx, cancel := context.WithCancel(context.Background())
				done := goCall(ctx, c, &Call{Proc: 1, Reply: &opaque{}, Sink: sink, Place: placeOpaque})
				if far == nil {
					far = <-conns
				}
				call, err := readCall(far)
				if err != nil {
					t.Fatal(err)
				}
				reply := record(call, want)
				far.Write(reply[:k])
				synctest.Wait()
				cancel()
				if err := <-done; err != context.Canceled && (k < whole || err != nil) {
					t.Fatalf("cancelled after %d bytes: %v", k, err)
				}
				was := slices.Clone(sink)
				far.Write(reply[k:])
				synctest.Wait()
				if !bytes.Equal(sink, was) {
					t.Fatalf("cancelled after %d bytes: the memory was written to", k)
				}
			}
			done := goCall(context.Background(), c, &Call{})
			call, _ := readCall(far)
			far.Write(record(call, new(opaque)))
			if err := <-done; err != nil {
				t.Error(err)
			}
			if s := c.Stats(); s.Connects != 1 || s.UnknownXIDs != uint64(whole) || s.BadReplies != 0 {
				t.Errorf("got %+v", s)
			}
			far.Close()
		})
	}
}

// A connection may die after any byte of a call with a payload: the call goes
// again, whole and the same.
func TestPeerDiesAtEachByteOfACall(t *testing.T) {
	for _, size := range []int{50, 10 << 10} { // copied; lent
		synctest.Test(t, func(t *testing.T) {
			c, conns := pipes(Policy{})
			defer c.Close()
			args := &opaque{bytes.Repeat([]byte("0123456789"), size/10)}
			whole := 4 + 40 + 4 + (size+3)&^3 // mark, header, length
			for k := 0; k <= whole; k++ {
				if k > 200 && k < whole-200 {
					k += size / 100 // the middle is all alike
				}
				done := goCall(context.Background(), c, &Call{Proc: 1, Args: args, Reply: &opaque{}, Sink: make([]byte, size), Place: placeOpaque})
				far := <-conns
				part := make([]byte, k)
				if _, err := io.ReadFull(far, part); err != nil {
					t.Fatal(err)
				}
				far.Close()
				far = <-conns
				call, err := readCall(far)
				if err != nil {
					t.Fatal(err)
				}
				if len(call) != whole-4 || !bytes.Contains(call, args.b) || !bytes.HasPrefix(call, part[min(4, k):]) {
					t.Fatalf("broken after %d bytes: the call was not sent again as it was", k)
				}
				far.Write(record(call, args))
				if err := <-done; err != nil {
					t.Fatalf("broken after %d bytes: %v", k, err)
				}
				far.Close()
				synctest.Wait()
			}
		})
	}
}

// A peer that dribbles is not silent: the call is sent again at its timeouts,
// under the same XID, and has its reply with the last byte of it. A soft one
// ends at its major timeout, whatever comes.
func TestReplyThatDribbles(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy Policy
		size   int
		sent   int
		err    error
		took   time.Duration
	}{
		{"hard", TCPPolicy(0, -1, Hard), 40, 2, nil, seconds(72)},
		{"hard, longer than the major timeout", TCPPolicy(0, -1, Hard), 2000, 8, nil, seconds(2032)},
		{"soft, in time", TCPPolicy(0, -1, Soft), 40, 2, nil, seconds(72)},
		{"soft, too late", TCPPolicy(seconds(10), 2, Soft), 40, 2, syscall.EIO, seconds(30)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			withAndWithoutVitals(t, func(t *testing.T, wrap func(transport.Conn) transport.Conn) {
				c, conns := pipes(tt.policy, wrap)
				defer c.Close()
				want, got := &opaque{bytes.Repeat([]byte{'x'}, tt.size)}, opaque{}
				k := &Call{Proc: 1, Reply: &got, Sink: make([]byte, tt.size), Place: placeOpaque}
				began := time.Now()
				var took time.Duration
				done := make(chan error, 1)
				go func() {
					err := c.Call(context.Background(), k)
					took = time.Since(began)
					done <- err
				}()
				far := <-conns
				call, err := readCall(far)
				if err != nil {
					t.Fatal(err)
				}
				go func() { // ends with the connection
					for again, err := readCall(far); err == nil; again, err = readCall(far) {
						if !bytes.Equal(again, call) {
							t.Error("another call came")
						}
					}
				}()
				for _, b := range record(call, want) {
					time.Sleep(time.Second)
					if _, err := far.Write([]byte{b}); err != nil {
						c.Close() // nobody answers on another connection
						break
					}
				}
				if err := <-done; !errors.Is(err, tt.err) || err == nil && !bytes.Equal(got.b, want.b) {
					t.Errorf("got %q, %v", got.b, err)
				}
				if took != tt.took || k.Transmissions != tt.sent {
					t.Errorf("took %v and %d transmissions, want %v and %d", took, k.Transmissions, tt.took, tt.sent)
				}
				far.Close()
			})
		})
	}
}

// What the last call brought, after the watchdog had looked, does not keep the
// connection on which the next one hears nothing.
func TestOldBytesDoNotKeepAConnection(t *testing.T) {
	withAndWithoutVitals(t, func(t *testing.T, wrap func(transport.Conn) transport.Conn) {
		c, conns := pipes(TCPPolicy(seconds(10), 0, Hard), wrap)
		defer c.Close()
		done := goCall(context.Background(), c, &Call{})
		far := <-conns
		call, err := readCall(far)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookEvery + lookEvery/2)
		far.Write(record(call, new(opaque)))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		time.Sleep(seconds(100))
		began := time.Now()
		done = goCall(context.Background(), c, &Call{Idempotent: true})
		readCall(far)
		far = <-conns
		if took := time.Since(began); took != seconds(10) {
			t.Errorf("a silent connection was replaced after %v", took)
		}
		if call, err = readCall(far); err != nil {
			t.Fatal(err)
		}
		far.Write(record(call, new(opaque)))
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
