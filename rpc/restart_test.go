package rpc

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// However long a server was away: when its port opens, calls go on within 3 s.
func TestCallsGoOnSoonAfterARestart(t *testing.T) {
	for _, outage := range []time.Duration{700 * time.Millisecond, seconds(2), seconds(5), seconds(17), seconds(33), seconds(60)} {
		t.Run(outage.String(), func(t *testing.T) {
			var took []time.Duration
			for range 10 { // jitter
				synctest.Test(t, func(t *testing.T) {
					h := newHouse()
					var open atomic.Bool
					open.Store(true)
					var mu sync.Mutex
					var conns []transport.Conn
					c := NewClient(Options{Program: testProg, Version: testVers, Connections: 2, Server: "h",
						Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
							if !open.Load() {
								return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
							}
							conn, err := h.dial(ctx, last)
							mu.Lock()
							conns = append(conns, conn)
							mu.Unlock()
							return conn, err
						}})
					defer h.wg.Wait()
					defer c.Close()
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					var opened time.Time
					var callers sync.WaitGroup
					for i := range 20 {
						callers.Go(func() {
							time.Sleep(time.Duration(i) * outage / 20) // some begin during the outage
							for ctx.Err() == nil {
								start := time.Now()
								err := c.Call(context.Background(), &Call{Proc: procWho, Reply: new(number)})
								if err != nil {
									t.Error(err)
								}
								mu.Lock()
								if start.Before(opened) {
									took = append(took, time.Since(opened))
								}
								mu.Unlock()
								time.Sleep(10 * time.Millisecond)
							}
						})
					}
					time.Sleep(5 * time.Millisecond)
					open.Store(false)
					mu.Lock()
					for _, conn := range conns {
						conn.Abort()
					}
					opened = time.Now().Add(outage)
					mu.Unlock()
					time.Sleep(outage)
					open.Store(true)
					cancel() // those who call are answered still
					callers.Wait()
				})
			}
			slices.Sort(took)
			if len(took) < 100 {
				t.Fatalf("%d calls met the outage", len(took))
			}
			if p99 := took[len(took)*99/100]; p99 > seconds(3) {
				t.Errorf("p99 of %d calls is %v after the port opened", len(took), p99)
			}
		})
	}
}

// Whatever it is that a call waits for, it ends when its caller gives up: within
// a second, if the machine has nothing else to do. On sockets; patience_test.go
// has the same in false time, and to the point.
func TestBlockedCallEndsSoonAfterItsCancel(t *testing.T) {
	payload := &opaque{make([]byte, 1<<20)}
	for _, tt := range []struct {
		name string
		args *opaque
		// dead returns the address of a server that does not serve
		dead func(t *testing.T) string
	}{
		{"the reply of a server that accepts and reads nothing", nil, deafServer},
		{"room for a payload", payload, deafServer},
		{"a connection that nobody answers", nil, func(*testing.T) string { return "" }},
		{"a port that refuses", nil, func(*testing.T) string { return "127.0.0.1:1" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := tt.dead(t)
			var d transport.Dialer
			c := NewClient(Options{Program: testProg, Version: testVers, Server: "h", Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
				if address == "" {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return d.Dial(ctx, "tcp", address, last)
			}})
			defer c.Close()
			ctx, cancel := context.WithCancel(context.Background())
			var done []<-chan error
			for range slotCount { // more than there are slots for
				k := &Call{Proc: procEcho}
				if tt.args != nil {
					k.Args = tt.args
				}
				done = append(done, goCall(ctx, c, k))
			}
			time.Sleep(300 * time.Millisecond)
			start := time.Now()
			cancel()
			for _, d := range done {
				if err := <-d; !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%v", took)
			}
			if s := c.Stats(); s.CallsInFlight != 0 {
				t.Errorf("%d calls in flight", s.CallsInFlight)
			}
		})
	}
	if !bytes.Equal(payload.b, make([]byte, 1<<20)) {
		t.Error("a payload was changed")
	}
}

// deafServer returns the address of a server that takes connections and reads
// nothing.
func deafServer(t *testing.T) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var conns []net.Conn
	wg.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, nc)
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
		for _, nc := range conns {
			nc.Close()
		}
	})
	return l.Addr().String()
}
