package client

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

func TestTheServersClockIsNotBeforeWhatItHasTold(t *testing.T) {
	at := func(sec uint32) nfs3.Time { return nfs3.Time{Sec: sec} }
	for _, tt := range []struct {
		name string
		told []uint32 // ctimes, a second apart
		of   uint32
		want time.Duration
	}{
		{"nothing was told", nil, 5, 0},
		{"the newest object of all", []uint32{1000}, 1000, time.Second},
		{"an older one", []uint32{1000}, 900, 101 * time.Second},
		{"a newer one is told later", []uint32{1000, 2000}, 1000, 1001 * time.Second},
		{"an older one is told later", []uint32{2000, 1000}, 1000, 1002 * time.Second},
		{"a ctime of the future is no age", []uint32{1000}, 3000, 0},
		{"a clock that was behind what time brought", []uint32{1000, 1000, 1001}, 1001, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serverClock{start: time.Now()}
				for _, sec := range tt.told {
					c.saw(at(sec))
					time.Sleep(time.Second)
				}
				if got := c.age(at(tt.of)); got != tt.want {
					t.Errorf("%v, want %v", got, tt.want)
				}
			})
		})
	}
}

// What the server says of a directory's ctime is as good as having watched it.
func TestAMissingNameIsBelievedOfADirectoryThatHasLongBeenAsItIs(t *testing.T) {
	for _, tt := range []struct {
		name string
		age  time.Duration // of the directory
		want string        // calls for the second look at a missing name
	}{
		{"changed an hour ago", time.Hour, ""},
		{"changed just now", time.Second, "LOOKUP 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nfstest.Options{})
				must(t, r.Mkdir("dir", 0o755))
				time.Sleep(tt.age)
				must(t, r.WriteFile("young", nil, 0o644)) // tells the server's time
				fs := r.mount("", Options{})
				dir := find(t, fs, "dir")
				find(t, fs, "young")
				_, _, _ = fs.Lookup(t.Context(), alice, dir, "missing")
				r.calls()
				_, _, _ = fs.Lookup(t.Context(), alice, dir, "missing")
				want(t, "calls", r.calls(), tt.want)
			})
		})
	}
}
