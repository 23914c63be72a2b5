package rpc

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

func TestRTT(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name    string
		samples []time.Duration
		sent    []int // then so many transmissions of calls that gave no sample
		want    time.Duration
	}{
		{"nothing known", nil, nil, 500 * ms},
		{"nothing known, and it is too short", nil, []int{2}, 1000 * ms},
		{"never over timeo", nil, []int{9}, 1100 * ms},
		{"one fast reply: 10 ms more", []time.Duration{1 * ms}, nil, 11 * ms},
		{"one slow reply: twice its half", []time.Duration{100 * ms}, nil, 300 * ms},
		{"no time at all", []time.Duration{0, 0, 0}, nil, 10*ms + 1},
		{"a slow reply is not over timeo either", []time.Duration{900 * ms}, nil, 1100 * ms},
		{"a steady server", []time.Duration{80 * ms, 80 * ms, 80 * ms, 80 * ms, 80 * ms, 80 * ms, 80 * ms, 80 * ms, 80 * ms, 80 * ms}, nil, 92013552},
		{"a call that was sent thrice doubles twice", []time.Duration{10 * ms}, []int{3}, 120 * ms},
		{"one that was sent twice takes one back", []time.Duration{10 * ms}, []int{3, 2}, 60 * ms},
		{"and not again", []time.Duration{10 * ms}, []int{3, 2, 2}, 60 * ms},
		{"each reply takes one back", []time.Duration{10 * ms}, []int{3, 1, 1, 1}, 30 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r rtt
			for _, d := range tt.samples {
				r.sample(d)
			}
			for _, n := range tt.sent {
				r.answered(n)
			}
			if got := r.timeout(500*ms, 1100*ms); got != tt.want {
				t.Errorf("timeout %v, want %v", got, tt.want)
			}
		})
	}
	if lo, hi := stretch(1000, 0), stretch(1000, 0.9999999); lo != 1000 || hi != 1249 {
		t.Errorf("jitter from %v to %v", lo, hi)
	}
}

// The first timeout of a class follows its replies, and no other class's; what
// was sent twice tells nothing; a major timeout forgets all.
func TestTimeoutsFollowTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.udp = true
		c := w.client(UDPPolicy(0, -1, Hard))
		var p *peer
		// try makes a call that is answered after d, and returns when it was
		// sent again.
		try := func(class uint8, d time.Duration) (again []time.Duration) {
			start := time.Since(w.began)
			done := goCall(context.Background(), c, &Call{Class: class})
			if p == nil {
				p = <-w.peers
			}
			xid := p.next().xid
			time.Sleep(d)
			p.ok(xid)
			<-done
			for p.waiting() > 0 {
				again = append(again, p.next().at-start)
			}
			return again
		}
		// check takes the least times; each timeout may be a quarter longer.
		check := func(what string, got []time.Duration, want ...time.Duration) {
			t.Helper()
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] < want[i] || got[i] > want[i]*5/4 {
					t.Fatalf("%s: sent again at %v, want %v", what, got, want)
				}
			}
		}
		const ms = time.Millisecond
		check("nothing known", try(1, 20*ms))
		check("class 1 known", try(1, 150*ms), 60*ms)
		check("that was no sample, but doubles", try(1, 160*ms), 120*ms)
		check("a prompt reply takes it back", try(1, 20*ms))
		check("class 1 as it was", try(1, 70*ms), 50*ms)
		check("class 2", try(2, 1400*ms), 500*ms)
		check("class 2 doubled", try(2, 900*ms))
		check("no class", try(0, 1400*ms), 500*ms)
		check("a class that does not exist", try(9, 1400*ms), 500*ms)
		if got := try(1, seconds(9)); len(got) < 6 || got[len(got)-1] != 8800*ms {
			t.Errorf("sent again at %v", got)
		}
		check("all is forgotten, but that it was sent often", try(1, 2000*ms), 1100*ms)
	})
}

// While datagrams come back, all calls are sent again after 100 ms doubling to
// 2 s, whatever the estimator says, and however long that lasts.
func TestRefusedDatagramsAreSentAgainSoon(t *testing.T) {
	const ms = time.Millisecond
	for n, want := range []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, seconds(2), seconds(2)} {
		if got := refusedDelay(n); got != want {
			t.Errorf("after %d refusals %v, want %v", n, got, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.udp = true
		var mu sync.Mutex // guards what follows
		refuse, sends := true, map[string][]time.Duration{}
		w.wrap = func(c transport.Conn) transport.Conn {
			return &recordConn{Conn: c, send: func(head []byte) error {
				mu.Lock()
				defer mu.Unlock()
				call := string(head[:4])
				sends[call] = append(sends[call], time.Since(w.began))
				// Each report is of all that came back, so only one call has it.
				if refuse && len(sends[call]) > 1 && call == string(head[:3])+string(head[3]&^7) {
					return &transport.RefusedError{Err: syscall.ECONNREFUSED}
				}
				return nil
			}}
		}
		c := w.client(UDPPolicy(0, -1, Hard))
		c.core.endpoints[0].slots.xid = 7 // XIDs 8 to 11: the first has the reports
		var done []<-chan error
		for i := range 4 {
			done = append(done, goCall(context.Background(), c, &Call{Class: uint8(i)}))
			synctest.Wait()
		}
		p := <-w.peers
		time.Sleep(seconds(60))
		mu.Lock()
		refuse = false
		for call, at := range sends {
			last := at[len(at)-1]
			if gap := seconds(60) - last; gap > 2500*ms {
				t.Errorf("call %x was last sent %v before the end of the outage", call, gap)
			}
			for i := 3; i < len(at); i++ {
				if gap := at[i] - at[i-1]; gap > 2500*ms {
					t.Errorf("call %x: gap %d is %v", call, i, gap)
				}
			}
			if len(at) > 50 {
				t.Errorf("call %x was sent %d times in a minute", call, len(at))
			}
		}
		mu.Unlock()
		for p.waiting() > 0 {
			p.next()
		}
		start := time.Now()
		for range 4 {
			p.ok(p.next().xid)
		}
		for _, d := range done {
			if err := <-d; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took > seconds(3) {
			t.Errorf("calls went on %v after the end of the outage", took)
		}
		if ep := c.core.endpoints[0]; ep.slots.window < maxWindow/4 || ep.rtt[0].doubled != 0 {
			t.Errorf("refusals count as losses: window %d, timeout doubled %d times", ep.slots.window, ep.rtt[0].doubled)
		}
	})
}

// recordConn shows what is sent, and may fail.
type recordConn struct {
	transport.Conn
	send func(head []byte) error
}

func (c *recordConn) Send(head, payload []byte, cancel <-chan struct{}) error {
	if err := c.send(head); err != nil {
		return err
	}
	return c.Conn.Send(head, payload, cancel)
}
