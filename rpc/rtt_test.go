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
		want    time.Duration
	}{
		{"nothing known: timeo", nil, 1100 * ms},
		{"one fast reply", []time.Duration{1 * ms}, 201 * ms},
		{"one slow reply", []time.Duration{100 * ms}, 300 * ms},
		{"no time at all", []time.Duration{0, 0, 0}, 200*ms + 1},
		{"never over timeo", []time.Duration{900 * ms}, 1100 * ms},
		{"a steady server", []time.Duration{80 * ms, 80 * ms, 80 * ms, 80 * ms, 80 * ms, 80 * ms}, 280 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r rtt
			for _, d := range tt.samples {
				r.sample(d)
			}
			if got := r.timeout(1100 * ms); got != tt.want {
				t.Errorf("timeout %v, want %v", got, tt.want)
			}
		})
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
		check := func(what string, got []time.Duration, want ...time.Duration) {
			t.Helper()
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Fatalf("%s: sent again at %v, want %v", what, got, want)
				}
			}
		}
		const ms = time.Millisecond
		check("nothing known", try(1, 10*ms))
		check("class 1 known", try(1, 700*ms), 210*ms, 630*ms)
		check("still the same: the last one was sent thrice", try(1, 300*ms), 210*ms)
		check("class 2", try(2, 1500*ms), 1100*ms)
		check("no class", try(0, 1500*ms), 1100*ms)
		check("a class that does not exist", try(9, 1500*ms), 1100*ms)
		if got := try(1, seconds(9)); len(got) != 6 || got[5] != 8800*ms {
			t.Errorf("sent again at %v", got)
		}
		check("all is forgotten", try(1, 1500*ms), 1100*ms)
	})
}
