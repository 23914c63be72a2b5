package lock

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestNoticesAreActedOnOnceANumberAndNotInFloods(t *testing.T) {
	type at struct {
		ms    int
		state int32
	}
	for _, tt := range []struct {
		name        string
		heard, want []at
	}{
		{"the first one at once", []at{{0, 5}}, []at{{0, 5}}},
		{"the same number again is no restart", []at{{0, 5}, {100, 5}, {60_000, 5}}, []at{{0, 5}}},
		{"a later restart", []at{{0, 5}, {60_000, 7}}, []at{{0, 5}, {60_000, 7}}},
		{"a smaller number is another one, too", []at{{0, 5}, {60_000, 3}}, []at{{0, 5}, {60_000, 3}}},
		{"of a flood the last", []at{{0, 5}, {1, 7}, {2, 9}, {2, 9}, {3, 11}, {60_000, 11}}, []at{{0, 5}, {5000, 11}}},
		{"a flood that ends where it began", []at{{0, 5}, {1, 7}, {2, 5}}, []at{{0, 5}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var got []at
				n := notices{act: func(_ netip.Addr, _ string, state int32) {
					got = append(got, at{int(time.Since(begin).Milliseconds()), state})
				}}
				for _, h := range tt.heard {
					time.Sleep(time.Until(begin.Add(time.Duration(h.ms) * time.Millisecond)))
					n.notice(server, h.state, time.Now())
				}
				time.Sleep(2 * noticeGap)
				synctest.Wait()
				n.close()
				if !slices.Equal(got, tt.want) {
					t.Errorf("acted on %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestNothingIsActedOnAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acted := 0
		n := notices{act: func(netip.Addr, string, int32) { acted++ }}
		n.notice(server, 1, time.Now())
		n.notice(server, 3, time.Now())
		n.close()
		time.Sleep(2 * noticeGap)
		synctest.Wait()
		if acted != 1 {
			t.Errorf("acted %d times, want once", acted)
		}
	})
}

func TestWhomANoticeConcerns(t *testing.T) {
	p := Peer{Name: "Server.example.com", Addr: netip.MustParseAddr("192.0.2.1")}
	for _, tt := range []struct {
		name, from, as string
		want           bool
	}{
		{"by address, whatever it calls itself", "192.0.2.1", "localhost", true},
		{"by name, from another of its addresses", "198.51.100.7", "server.EXAMPLE.com", true},
		{"by address as a name", "198.51.100.7", "192.0.2.1", true},
		{"neither", "198.51.100.7", "server", false},
		{"no name", "198.51.100.7", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := p.is(netip.MustParseAddr(tt.from), tt.as); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
	if p := (&Peer{}); p.is(netip.Addr{}, "") {
		t.Error("nobody is a peer without name and address")
	}
}
