package rpc

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
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
