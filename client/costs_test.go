package client

import (
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
)

func TestWhenDataIsSafeAtOnce(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	for _, tt := range []struct {
		name          string
		write, commit time.Duration
		want          bool
	}{
		{"nothing is known yet", 0, 0, false},
		{"no COMMIT was made yet", ms, 0, false},
		{"a server that keeps data in memory that lasts", 300 * us, 100 * us, true},
		{"a COMMIT that waits behind other WRITEs", 3 * ms, 4 * ms, true},
		{"a server that answers FILE_SYNC needs no COMMIT", ms, 1, true},
		{"a disk", ms, 12 * ms, false},
		{"a fast disk", 300 * us, 2 * ms, false},
		{"a long way", 40 * ms, 40 * ms, false},
	} {
		c := costs{most: mostWrite, slack: commitSlack}
		c.write.Store(int64(tt.write))
		c.commit.Store(int64(tt.commit))
		if got := c.cheap(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestCostsFollowTheServer(t *testing.T) {
	c := costs{most: mostWrite, slack: commitSlack}
	c.wrote(time.Millisecond, nfs3.Unstable)
	if !c.unknown() || c.cheap() {
		t.Error("a WRITE tells what a COMMIT costs")
	}
	c.committed(100 * time.Millisecond)
	if c.cheap() {
		t.Error("a COMMIT of 100 ms is cheap")
	}
	for n := 0; !c.cheap(); n++ {
		if c.committed(100 * time.Microsecond); n > 50 {
			t.Fatal("a server that became fast stays slow for us")
		}
	}
	for n := 0; c.cheap(); n++ {
		if c.committed(20 * time.Millisecond); n > 5 {
			t.Fatal("a server that became slow stays fast for us")
		}
	}
	f := costs{most: mostWrite, slack: commitSlack}
	if f.wrote(time.Millisecond, nfs3.FileSync); !f.cheap() {
		t.Error("a server whose WRITEs are FILE_SYNC needs COMMITs")
	}
}
