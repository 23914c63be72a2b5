package client

import (
	"testing"
	"time"
)

func TestATrailTellsSequentialReadersFromOthers(t *testing.T) {
	const k, m = 1 << 10, 1 << 20
	for _, tt := range []struct {
		name  string
		reads [][2]uint64 // offset, length
		score int
		seek  bool // of the last read
	}{
		{"the first read, at the start of the file", [][2]uint64{{0, 4 * k}}, 1, false},
		{"the first read, elsewhere", [][2]uint64{{5 * m, 4 * k}}, 1, true},
		{"two in a row", [][2]uint64{{0, 4 * k}, {4 * k, 4 * k}}, 2, false},
		{"two in a row, not from the start", [][2]uint64{{5 * m, 4 * k}, {5*m + 4*k, 4 * k}}, 2, false},
		{"a long run is worth no more than the most", [][2]uint64{{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}, {9, 1}}, maxScore, false},
		{"two requests of a run in the wrong order", [][2]uint64{{0, m}, {m, m}, {2 * m, m}, {4*m - k, m}, {3 * m, m}}, 1, false},
		{"a run goes on after that", [][2]uint64{{0, m}, {m, m}, {2 * m, m}, {4*m - k, m}, {3 * m, m}, {5*m - k, m}}, 2, false},
		{"three requests of a run, the first one last", [][2]uint64{{0, m}, {m, m}, {2 * m, m}, {4 * m, m}, {5 * m, m}, {3 * m, m}}, 2, false},
		{"far away", [][2]uint64{{0, m}, {m, m}, {2 * m, m}, {90 * m, m}}, 1, true},
		{"back to the start", [][2]uint64{{50 * m, m}, {51 * m, m}, {0, m}}, 1, true},
		{"all over a small file", [][2]uint64{{0, 4 * k}, {4 * k, 4 * k}, {90 * k, 4 * k}, {30 * k, 4 * k}, {50 * k, 4 * k}}, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r trail
			var seek bool
			for _, read := range tt.reads {
				seek = r.see(read[0], read[0]+read[1])
			}
			if r.score != tt.score || seek != tt.seek {
				t.Errorf("score %d, seek %v; want %d, %v", r.score, seek, tt.score, tt.seek)
			}
		})
	}
}

func TestTheWindowIsWhatTheLineHolds(t *testing.T) {
	const block, most = 1 << 20, 16 << 20
	for _, tt := range []struct {
		name string
		rtt  time.Duration
		rate float64 // bytes a second: of the line, or of the reader if it is slower
		want uint64
	}{
		{"loopback", 300 * time.Microsecond, 3e9, 2 << 20},
		{"a fast network", 2 * time.Millisecond, 1e9, 4 << 20},
		{"a slow and long line", 40 * time.Millisecond, 10e6, 1 << 20},
		{"a fast and long line", 40 * time.Millisecond, 1e9, most},
		{"a reader that takes its time", 40 * time.Millisecond, 1e6, block},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p pace
			now := time.Unix(0, 0)
			p.begin(block, most, now)
			p.answered(tt.rtt)
			for range 200 {
				// A window is read in a round trip, or in the time that the line takes.
				took := max(tt.rtt.Seconds()*float64(block)/float64(p.window), block/tt.rate)
				now = now.Add(time.Duration(took * float64(time.Second)))
				p.advance(block, most, now)
			}
			if p.window != tt.want {
				t.Errorf("window %d KiB, want %d", p.window>>10, tt.want>>10)
			}
		})
	}
}

// What was read ahead is asked for in any order; that takes nothing away.
func TestATrailGoesOnThroughWhatWasForeseen(t *testing.T) {
	p := trail{next: 100, score: 3}
	p.goOn(300)
	p.goOn(200)
	if want := (trail{next: 300, score: 4}); p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
}
