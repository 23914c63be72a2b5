package rpc

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

func TestBuckets(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want int
	}{
		{-1, 0}, {0, 0}, {999, 0}, {1000, 1}, {1999, 1}, {2000, 2}, {4 * time.Microsecond, 3},
		{time.Millisecond, 10}, {time.Second, 20}, {66 * time.Second, 26}, {68 * time.Second, 27}, {time.Hour, 27},
	} {
		if got := bucket(tt.d); got != tt.want {
			t.Errorf("bucket(%v) = %d, want %d", tt.d, got, tt.want)
		}
	}
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(TCPPolicy(seconds(10), -1, Hard))
		call := func(k *Call, after time.Duration, reply func(p *peer, xid uint32)) {
			done := goCall(context.Background(), c, k)
			synctest.Wait()
			p := <-w.peers
			w.peers <- p
			xid := p.next().xid
			time.Sleep(after)
			reply(p, xid)
			<-done
			for p.waiting() > 0 {
				p.next()
			}
		}
		var out opaque
		call(&Call{Proc: 1, Args: &opaque{[]byte("12345")}, Reply: &out}, 3*time.Millisecond, func(p *peer, xid uint32) { p.ok(xid, &opaque{[]byte("123456789")}) })
		call(&Call{Proc: 1, Args: &opaque{[]byte("12345")}, Reply: &out, Sink: make([]byte, 9), Place: placeOpaque}, seconds(15), func(p *peer, xid uint32) { p.ok(xid, &opaque{[]byte("123456789")}) })
		call(&Call{Proc: 77}, 0, func(p *peer, xid uint32) { p.words(xid, 1, 0, 0, 0, 3) })
		s := c.Stats()
		if len(s.Procs) != 2 || s.Server != "h" || s.Connects != 1 || s.ConnectedCount != 1 || s.MinorTimeouts != 1 || s.MajorTimeouts != 0 {
			t.Fatalf("got %+v", s)
		}
		const call1, reply1 = 40 + 12, 24 + 16
		want := ProcStats{Proc: 1, Calls: 2, Transmissions: 3, BytesSent: 3 * call1, BytesReceived: 2 * reply1, Total: seconds(15) + 3*time.Millisecond}
		want.Latency[12]++
		want.Latency[24]++
		if s.Procs[0] != want {
			t.Errorf("got  %+v\nwant %+v", s.Procs[0], want)
		}
		want = ProcStats{Proc: 31, Calls: 1, Transmissions: 1, BytesSent: 40, BytesReceived: 24, Errors: 1}
		want.Latency[0]++
		if s.Procs[1] != want {
			t.Errorf("got  %+v\nwant %+v", s.Procs[1], want)
		}
	})
}

// A connection of the caller's own dialer may have no addresses.
func TestStatsOfATunnel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.wrap = func(c transport.Conn) transport.Conn { return &addrConn{Conn: c} }
		c := w.client(Policy{})
		done := goCall(context.Background(), c, &Call{})
		p := <-w.peers
		p.ok(p.next().xid)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if e := c.Stats().Endpoints[0]; !e.Connected || e.Local != "" || e.Remote != "" {
			t.Errorf("got %+v", e)
		}
	})
}
