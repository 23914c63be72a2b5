package fuse

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/nfstest"
)

// wantEntries fails the test unless a listing of dir has just these entries,
// which are in the order of names.
func wantEntries(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func TestAListingIsAskedForOnceWhileItCounts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options string
		between func(t *testing.T, s *nfstest.Server, dir string) // of two listings
		want    []string                                          // in the second
		asked   bool                                              // for it
	}{
		{"nothing happens", "", func(*testing.T, *nfstest.Server, string) {}, []string{"a", "b"}, false},
		{"a file is read", "", func(t *testing.T, _ *nfstest.Server, dir string) {
			wantContent(t, filepath.Join(dir, "a"), []byte("a"))
		}, []string{"a", "b"}, false},
		{"a file is made here", "", func(t *testing.T, _ *nfstest.Server, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "c"), nil, 0o600); err != nil {
				t.Error(err)
			}
		}, []string{"a", "b", "c"}, true},
		{"a file is removed here", "", func(t *testing.T, _ *nfstest.Server, dir string) {
			if err := os.Remove(filepath.Join(dir, "a")); err != nil {
				t.Error(err)
			}
		}, []string{"b"}, true},
		{"a file is renamed here", "", func(t *testing.T, _ *nfstest.Server, dir string) {
			if err := os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "d")); err != nil {
				t.Error(err)
			}
		}, []string{"b", "d"}, true},
		{"a file is made by others, and we hear of it", "", func(t *testing.T, s *nfstest.Server, dir string) {
			write(t, s, "dir/c", nil)
			if _, err := os.Stat(filepath.Join(dir, "none")); err == nil { // the reply has the directory's attributes
				t.Error("a name is there that nobody made")
			}
		}, []string{"a", "b", "c"}, true},
		{"the attributes that came with it have expired", "acregmin=1", func(*testing.T, *nfstest.Server, string) {
			time.Sleep(1200 * time.Millisecond)
		}, []string{"a", "b"}, true},
		{"nothing is cached at all", "noac", func(*testing.T, *nfstest.Server, string) {}, []string{"a", "b"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := nfstest.Start(t, nfstest.Options{})
			if err := s.Mkdir("dir", 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, s, "dir/a", []byte("a"))
			write(t, s, "dir/b", []byte("b"))
			dir := filepath.Join(mounted(t, s, tt.options).Dir(), "dir")
			wantEntries(t, dir, "a", "b")
			wantEntries(t, dir, "a", "b") // the first one may have been too early to be kept
			tt.between(t, s, dir)
			s.ResetCounts()
			wantEntries(t, dir, tt.want...)
			if n := s.Counts()["READDIRPLUS"] + s.Counts()["READDIR"]; (n > 0) != tt.asked {
				t.Errorf("the second listing took %d calls", n)
			}
		})
	}
}

// Two threads list by one descriptor: the second waits until the first has its
// page, whatever signal comes, unless nobody wants its entries any more.
func TestAListingWaitsForItsTurn(t *testing.T) {
	for _, tt := range []struct {
		name      string
		turn      time.Duration // when it comes
		interrupt time.Duration // when the kernel sends INTERRUPT
		gone      time.Duration // when nobody waits any more
		want      gofuse.Status
		after     time.Duration
	}{
		{"which comes", time.Second, time.Hour, time.Hour, gofuse.OK, time.Second},
		{"which comes after a harmless signal", 2 * time.Second, time.Second, time.Hour, gofuse.OK, 2 * time.Second},
		{"and its process has died", time.Hour, time.Second, time.Second / 2, gofuse.EINTR, time.Second},
		{"and its process dies after a harmless signal", time.Hour, time.Second, 1500 * time.Millisecond, gofuse.EINTR, 1600 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				r := newTestRaw(t, s)
				var gone atomic.Bool
				r.gone = gone.Load
				write(t, s, "a", nil)
				var open gofuse.OpenOut
				if st := r.OpenDir(nil, &gofuse.OpenIn{InHeader: gofuse.InHeader{NodeId: 1}}, &open); st != gofuse.OK {
					t.Fatal(st)
				}
				defer r.ReleaseDir(&gofuse.ReleaseIn{Fh: open.Fh})
				turn, cancel := r.handles.get(open.Fh).dir.turn, make(chan struct{})
				<-turn
				began := time.Now()
				for _, e := range []struct {
					at time.Duration
					do func()
				}{{tt.gone, func() { gone.Store(true) }}, {tt.interrupt, func() { close(cancel) }}, {tt.turn, func() { turn <- struct{}{} }}} {
					defer time.AfterFunc(e.at, e.do).Stop()
				}
				in := gofuse.ReadIn{InHeader: gofuse.InHeader{NodeId: 1, Caller: gofuse.Caller{Pid: uint32(os.Getpid())}}, Fh: open.Fh}
				st := r.ReadDir(cancel, &in, gofuse.NewDirEntryList(make([]byte, 4096), 0))
				if took := time.Since(began); st != tt.want || took != tt.after {
					t.Errorf("%v after %v, want %v after %v", st, took, tt.want, tt.after)
				}
			})
		})
	}
}
