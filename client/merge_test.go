package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// mergeRig has a file of which several reads are begun, one after another, while
// a relay is under way.
type mergeRig struct {
	*rig
	fs    *FS
	f     *File
	data  []byte
	mu    sync.Mutex
	reads []string // READs that came, "offset+count"
}

// newMergeRig makes the file, of size bytes, and has readers of it.
func newMergeRig(t *testing.T, opts string, size, readers int) *mergeRig {
	r := &mergeRig{rig: newRig(t, nfstest.Options{})}
	for i := range size {
		r.data = append(r.data, byte(i/97+i))
	}
	must(t, r.WriteFile("file", r.data, 0o666))
	r.fs = r.mount(opts, Options{})
	r.f = r.open(t, "file", os.O_RDONLY)
	r.f.ra.readers.Add(int32(readers))
	r.Fault(nfstest.Fault{Times: nfstest.Forever, Procs: []uint32{nfs3.ProcRead}, If: func(c *nfstest.Call) bool {
		a := c.Args.(*nfs3.ReadArgs)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reads = append(r.reads, fmt.Sprintf("%d+%d", a.Offset, a.Count))
		return false
	}})
	return r
}

func (r *mergeRig) open(t *testing.T, name string, flags int) *File {
	f, err := r.fs.Open(t.Context(), alice, find(t, r.fs, name), flags)
	must(t, err)
	t.Cleanup(f.Release)
	f.ra.trail = trail{score: sequential}
	return f
}

// came returns the READs that came since the last time.
func (r *mergeRig) came() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := strings.Join(r.reads, " ")
	r.reads = nil
	return s
}

// pendingRead is a read under way.
type pendingRead struct {
	p    []byte
	off  int
	n    int
	err  error
	stop context.CancelCauseFunc
	took time.Duration
	done chan struct{}
}

// read begins a read of n bytes at off, and returns when nothing more happens.
func (r *mergeRig) read(f *File, off, n int) *pendingRead {
	ctx, stop := context.WithCancelCause(r.t.Context())
	x := &pendingRead{p: bytes.Repeat([]byte{0xee}, n), off: off, stop: stop, done: make(chan struct{})}
	start := time.Now()
	go func() {
		x.n, x.err = f.ReadAt(ctx, x.p, int64(off))
		x.took = time.Since(start)
		close(x.done)
	}()
	synctest.Wait()
	return x
}

// check waits for a read, which must have brought what the file has there.
func (x *pendingRead) check(t *testing.T, data []byte) {
	t.Helper()
	<-x.done
	there := data[min(x.off, len(data)):min(x.off+len(x.p), len(data))]
	var err error
	if len(there) < len(x.p) {
		err = io.EOF
	}
	if x.n != len(there) || x.err != err || !bytes.Equal(x.p[:x.n], there) {
		t.Errorf("the read at %d: %d bytes, %v; want %d, %v, or they differ", x.off, x.n, x.err, len(there), err)
	}
}

func (x *pendingRead) over() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

func TestAdjacentReadsAreMerged(t *testing.T) {
	const k = 1024
	one := func(do ...nfstest.Action) *nfstest.Fault { return &nfstest.Fault{Do: do} }
	for _, tt := range []struct {
		name    string
		readers int // besides those of the test
		size    int
		opts    string
		fault   *nfstest.Fault
		offs    []int  // of reads of 4 KiB
		early   string // READs that come before the end of the relay
		late    string // and those after it
	}{
		{"side by side", 20, 64 * k, "", nil, []int{0, 4 * k, 8 * k, 12 * k}, "", "0+16384"},
		{"half of the readers make a READ", 4, 64 * k, "", nil, []int{0, 4 * k, 8 * k, 12 * k, 16 * k}, "0+16384", "16384+4096"},
		{"eight at most", 40, 64 * k, "", nil, []int{0, 4 * k, 8 * k, 12 * k, 16 * k, 20 * k, 24 * k, 28 * k, 32 * k}, "0+32768", "32768+4096"},
		{"rsize bytes at most", 40, 64 * k, "rsize=8192", nil, []int{0, 4 * k, 8 * k, 12 * k}, "8192+4096 12288+4096", "0+8192"},
		{"two do not fit into rsize", 40, 64 * k, "rsize=4096", nil, []int{0, 4 * k}, "0+4096 4096+4096", ""},
		{"a gap", 20, 64 * k, "", nil, []int{0, 4 * k, 12 * k}, "12288+4096", "0+8192"},
		{"backwards", 20, 64 * k, "", nil, []int{8 * k, 4 * k}, "4096+4096", "8192+4096"},
		{"the end of the file", 20, 10000, "", nil, []int{0, 4 * k, 8 * k, 12 * k}, "", "0+16384"},
		{"a file of just that length", 20, 8 * k, "", nil, []int{0, 4 * k}, "", "0+8192"},
		{"a short answer", 20, 64 * k, "", one(nfstest.Short(5000)), []int{0, 4 * k, 8 * k}, "", "0+12288 5000+3192 8192+4096"},
		{"an error", 20, 64 * k, "", one(nfstest.Status(nfs3.ErrIO)), []int{0, 4 * k}, "", "0+8192 0+4096 4096+4096"},
		{"the server is busy", 20, 64 * k, "", one(nfstest.Status(nfs3.ErrJukebox)), []int{0, 4 * k}, "", "0+8192 0+4096 4096+4096"},
		{"two readers are no crowd", 1, 64 * k, "rahead=0", nil, []int{0}, "0+4096", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newMergeRig(t, tt.opts, tt.size, tt.readers)
				if tt.fault != nil {
					tt.fault.Procs = []uint32{nfs3.ProcRead}
					r.Fault(*tt.fault)
				}
				r.f.ra.trail.next = uint64(tt.offs[0])
				over := r.fs.merge.begins()
				var l []*pendingRead
				for _, off := range tt.offs {
					l = append(l, r.read(r.f, off, 4*k))
				}
				want(t, "READs before the end of the relay", r.came(), tt.early)
				over()
				for _, x := range l {
					x.check(t, r.data)
				}
				synctest.Wait()
				if got := r.came(); !sameReads(got, tt.late) {
					t.Errorf("READs after it: %s, want %s", got, tt.late)
				}
				want(t, "relays under way", r.fs.merge.relays.Load(), 0)
				want(t, "short answers", r.fs.merge.shorts.Load(), map[bool]int32{true: 1}[tt.name == "a short answer" || tt.name == "an error"])
			})
		})
	}
}

// sameReads compares lists of READs, of which only the first is always the first.
func sameReads(got, want string) bool {
	g, w := strings.Fields(got), strings.Fields(want)
	if len(g) != len(w) || len(g) > 0 && g[0] != w[0] {
		return false
	}
	for _, x := range w {
		if !strings.Contains(" "+got+" ", " "+x+" ") {
			return false
		}
	}
	return true
}

func TestReadsThatAreNotMerged(t *testing.T) {
	for _, tt := range []struct {
		name  string
		relay bool
		flags int
		trail trail
	}{
		{"nobody is being told of anything", false, os.O_RDONLY, trail{score: sequential}},
		{"O_DIRECT", true, os.O_RDONLY | oDirect, trail{score: sequential}},
		{"random", true, os.O_RDONLY, trail{}},
		{"out of its place, where others read in order", true, os.O_RDONLY, trail{score: maxScore, next: 8192}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newMergeRig(t, "", 64<<10, 20)
				f := r.open(t, "file", tt.flags)
				f.ra.readers.Add(20)
				f.ra.trail = tt.trail
				if tt.relay {
					defer r.fs.merge.begins()()
				}
				x := r.read(f, 0, 4096)
				want(t, "READs", r.came(), "0+4096")
				x.check(t, r.data)
			})
		})
	}
}

// What is open takes reads of its own file alone, and those of others do not
// wait for it.
func TestReadsOfTwoFilesAreNotMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newMergeRig(t, "", 64<<10, 20)
		must(t, r.WriteFile("other", r.data, 0o666))
		g := r.open(t, "other", os.O_RDONLY)
		g.ra.readers.Add(20)
		g.ra.trail.next = 4096
		over := r.fs.merge.begins()
		x := r.read(r.f, 0, 4096)
		y := r.read(g, 4096, 4096)
		want(t, "READs of the other", r.came(), "4096+4096")
		over()
		x.check(t, r.data)
		y.check(t, r.data)
	})
}

// On a busy mount there may always be a relay.
func TestAReadDoesNotWaitForOneRelayAfterAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newMergeRig(t, "", 64<<10, 20)
		over := r.fs.merge.begins()
		x := r.read(r.f, 0, 4096)
		for i := range maxEnds {
			if x.over() {
				t.Fatalf("it left after %d relays", i)
			}
			next := r.fs.merge.begins()
			over()
			over = next
			synctest.Wait()
		}
		want(t, "READs", r.came(), "0+4096")
		over()
		x.check(t, r.data)
	})
}

// A timeout is everybody's: they do not wait for it a second time.
func TestATimeoutIsToldToAllMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newMergeRig(t, "soft,timeo=10,retrans=1", 64<<10, 20)
		r.Fault(nfstest.Fault{Times: nfstest.Forever, Procs: []uint32{nfs3.ProcRead}, Do: []nfstest.Action{nfstest.DropCall()}})
		alone := r.read(r.f, 0, 4096)
		<-alone.done
		r.f.ra.trail = trail{score: sequential}
		over := r.fs.merge.begins()
		x, y, z := r.read(r.f, 0, 4096), r.read(r.f, 4096, 4096), r.read(r.f, 8192, 4096)
		over()
		time.Sleep(alone.took - time.Millisecond)
		z.stop(errGaveUp)
		for _, x := range []*pendingRead{x, y} {
			<-x.done
			if x.n != 0 || fmt.Sprint(x.err) != fmt.Sprint(alone.err) || x.took != alone.took {
				t.Errorf("%d bytes, %v, after %v; alone %v, after %v", x.n, x.err, x.took, alone.err, alone.took)
			}
		}
	})
}

// A server that refuses long READs, or always answers with less, is not asked for
// more for ever; one that does so now and then is.
func TestNothingIsMergedForAServerThatReadsLess(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault nfstest.Fault
		reads string // of a pair, as long as they are merged
	}{
		{"it refuses", nfstest.Fault{Do: []nfstest.Action{nfstest.Status(nfs3.ErrIO)}}, "0+8192 0+4096 4096+4096"},
		{"it answers with less", nfstest.Fault{Do: []nfstest.Action{nfstest.Short(4096)}}, "0+8192 4096+4096"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newMergeRig(t, "", 64<<10, 20)
				pair := func(reads string) {
					t.Helper()
					r.f.ra.trail = trail{score: sequential}
					r.came()
					over := r.fs.merge.begins()
					x, y := r.read(r.f, 0, 4096), r.read(r.f, 4096, 4096)
					over()
					x.check(t, r.data)
					y.check(t, r.data)
					if got := r.came(); !sameReads(got, reads) {
						t.Errorf("READs: %s, want %s", got, reads)
					}
				}
				r.fs.merge.shorts.Store(maxShort - 1)
				pair("0+8192") // as many as it takes, less one, and one that is whole
				tt.fault.Times, tt.fault.Procs = nfstest.Forever, []uint32{nfs3.ProcRead}
				tt.fault.If = func(c *nfstest.Call) bool { return c.Args.(*nfs3.ReadArgs).Count > 4096 }
				r.Fault(tt.fault)
				for range maxShort {
					pair(tt.reads)
				}
				pair("0+4096 4096+4096")
			})
		})
	}
}
