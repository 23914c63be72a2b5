package client

import (
	"bytes"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// shares counts the bytes that READs and WRITEs move over each connection, named
// by the client's address; If is for a Fault.
type shares struct {
	mu    sync.Mutex // guards bytes
	bytes map[string]int
}

func (s *shares) see(c *nfstest.Call) bool {
	n := 0
	switch a := c.Args.(type) {
	case *nfs3.ReadArgs:
		n = int(a.Count)
	case *nfs3.WriteArgs:
		n = len(a.Data)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes[c.Remote.String()] += n
	return true
}

func (s *shares) take() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bytes
	s.bytes = map[string]int{}
	return b
}

// Bulk of one file goes over all connections, about as much over each, whether
// one reader reads on and on, one read asks for all, or a writer writes.
func TestBulkOfOneFileUsesAllConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 8 << 20
		s := nfstest.NewFor(t, nfstest.Options{})
		data := pattern(size, 1)
		s.WriteFile("a", data, 0o644)
		fs := dataFS(t, s, "rsize=65536,wsize=65536,nconnect=4")
		seen := shares{bytes: map[string]int{}}
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRead, nfs3.ProcWrite}, Times: nfstest.Forever, If: seen.see,
			Do: []nfstest.Action{nfstest.Delay(time.Millisecond)}})
		spread := func(what string) {
			t.Helper()
			b := seen.take()
			for from, n := range b {
				if n < size/8 || n > size/2 {
					t.Errorf("%s: %d of %d bytes over %s", what, n, size, from)
				}
			}
			if len(b) != 4 {
				t.Errorf("%s: over %d connections", what, len(b))
			}
		}
		f := create(t, fs, "a", 0)
		got, err := io.ReadAll(io.NewSectionReader(readerAt{t, f}, 0, size))
		must(t, err)
		want(t, "what was read is what is there", bytes.Equal(got, data), true)
		spread("a reader")

		clear(got)
		n, err := f.ReadAt(t.Context(), got, 0)
		must(t, err)
		want(t, "what was read at once is what is there", n == size && bytes.Equal(got, data), true)
		spread("one read")

		w := create(t, fs, "b", 0)
		for off := 0; off < size; off += 128 << 10 {
			put(t, w, data[off:off+128<<10], int64(off))
		}
		must(t, w.Fsync(t.Context()))
		spread("a writer")
		now, err := s.ReadFile("b")
		must(t, err)
		want(t, "what was written is there", bytes.Equal(now, data), true)
	})
}

// readerAt is a File to package io.
type readerAt struct {
	t *testing.T
	f *File
}

func (r readerAt) ReadAt(p []byte, off int64) (int, error) { return r.f.ReadAt(r.t.Context(), p, off) }

// One of four connections falls silent, or is reset: what it carried is late,
// the rest of the file goes on over the others, and so do other calls.
func TestOneOfFourConnectionsFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   nfstest.Action
		most time.Duration // that the file takes
	}{
		{"it falls silent", nfstest.HalfOpen(), 10 * time.Second}, // timeo=20: it is renewed after 6 s
		{"it is reset", nfstest.ResetAt(1000), time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size = 4 << 20
				s := nfstest.NewFor(t, nfstest.Options{})
				data := pattern(size, 1)
				s.WriteFile("a", data, 0o644)
				fs := dataFS(t, s, "rsize=65536,wsize=65536,nconnect=4,noac")
				f := create(t, fs, "a", 0)
				seen := shares{bytes: map[string]int{}}
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRead}, Times: nfstest.Forever, If: seen.see,
					Do: []nfstest.Action{nfstest.Delay(time.Millisecond)}})
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRead}, Skip: 8, Do: []nfstest.Action{tt.do}})
				began := time.Now()
				got := make([]byte, size)
				done := make(chan error, 1)
				go func() {
					_, err := f.ReadAt(t.Context(), got, 0)
					done <- err
				}()
				time.Sleep(500 * time.Millisecond)
				late := 0
				for range 50 { // one at a time: no more than those in trouble are met
					asked := make(chan error, 1)
					go func() {
						_, err := fs.Getattr(t.Context(), alice, f.ino)
						asked <- err
					}()
					time.Sleep(time.Millisecond)
					select {
					case err := <-asked:
						must(t, err)
					default:
						late++
					}
				}
				if late > 0 {
					t.Errorf("%d of 50 other calls were held up", late)
				}
				b := seen.take()
				sum := 0
				for _, n := range b {
					sum += n
				}
				if sum < size*3/4 || len(b) < 4 {
					t.Errorf("%d bytes were asked for meanwhile, over %d connections", sum, len(b))
				}
				must(t, <-done)
				if took := time.Since(began); took > tt.most {
					t.Errorf("the file took %v", took)
				}
				want(t, "what was read is what is there", bytes.Equal(got, data), true)
				st := fs.nfs.RPC().Stats()
				want(t, "connections made", st.Connects, 5)
				from := make([]string, 0, 4)
				for _, e := range st.Endpoints {
					from = append(from, e.Local)
				}
				slices.Sort(from)
				want(t, "ports", len(slices.Compact(from)), 4)
			})
		})
	}
}
