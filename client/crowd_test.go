package client

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// Several users write neighbouring bytes of one file, one of them with O_SYNC,
// while the server forgets, refuses and keeps silent. What a writer's fsync
// vouched for must be on the server's disk; what was lost, each writer must
// have been told of before; and nobody's bytes may be written as another user.
func TestWritersOfNeighbouringBytesUnderFaults(t *testing.T) {
	all := func(chance float64, procs []uint32, do ...nfstest.Action) nfstest.Fault {
		return nfstest.Fault{Chance: chance, Times: nfstest.Forever, Procs: procs, Do: do}
	}
	burst := func(f nfstest.Fault) nfstest.Fault { // 20 ms of each 200
		start := time.Now()
		f.If = func(*nfstest.Call) bool { return time.Since(start)%(200*time.Millisecond) < 20*time.Millisecond }
		return f
	}
	writes := []uint32{nfs3.ProcWrite}
	both := []uint32{nfs3.ProcWrite, nfs3.ProcCommit}
	for _, c := range []*crowd{
		{name: "restarts, short and reordered calls", options: "wsize=4096", restarts: true, faults: []nfstest.Fault{
			all(0.1, writes, nfstest.Short(100)),
			all(0.2, both, nfstest.DelayCall(time.Millisecond)),
			all(0.2, both, nfstest.Delay(2*time.Millisecond)),
			all(0.1, both, nfstest.Duplicate(1)),
		}},
		{name: "bursts of no space, and restarts", options: "wsize=4096", restarts: true, faults: []nfstest.Fault{
			burst(all(1, writes, nfstest.Status(nfs3.ErrNospc))),
			all(0.05, writes, nfstest.Short(100), nfstest.Delay(time.Millisecond)),
		}},
		{name: "COMMITs that fail", options: "wsize=4096", restarts: true, faults: []nfstest.Fault{
			all(0.2, both[1:], nfstest.Status(nfs3.ErrIO)),
		}},
		{name: "loss over UDP", options: "wsize=4096,proto=udp,timeo=1", timed: true, steps: 40, faults: []nfstest.Fault{
			all(0.03, both, nfstest.DropCall()),
			all(0.03, both, nfstest.DropReply()),
			all(0.05, both, nfstest.Duplicate(2)),
		}},
		// A WRITE that was given up may still be under way when the next is sent:
		// that is what nfs(5) warns of.
		{name: "a soft mount that times out", options: "wsize=4096,soft,timeo=1,retrans=1", timed: true, steps: 15, allow: nfstest.Overlap, faults: []nfstest.Fault{
			all(0.1, both, nfstest.DropCall()),
			all(0.1, both, nfstest.DropReply()),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.timed {
				synctest.Test(t, c.run)
			} else {
				c.run(t)
			}
		})
	}
}

const (
	crowdSize   = 30_000
	crowdStripe = 97 // the bytes of a writer that lie together
	crowdUsers  = 4
)

type crowd struct {
	name, options string
	restarts      bool
	timed         bool // timeouts decide: a busy machine must not
	steps         int  // of each writer; 0 is 60
	allow         nfstest.Kind
	faults        []nfstest.Fault

	s       *nfstest.Server
	strange atomic.Int32 // WRITEs that held bytes of another user than their own
}

// owner returns whose byte off is.
func owner(off uint64) int { return int(off/crowdStripe) % crowdUsers }

func (c *crowd) run(t *testing.T) {
	// A COMMIT that failed leaves its data UNSTABLE.
	c.s = nfstest.NewFor(t, nfstest.Options{Seed: 5, Allow: []nfstest.Kind{nfstest.NotCommitted, c.allow}})
	c.s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Times: nfstest.Forever, If: func(call *nfstest.Call) bool {
		a := call.Args.(*nfs3.WriteArgs)
		for i := range a.Data {
			if call.Cred.UID != uint32(1000+owner(a.Offset+uint64(i))) {
				c.strange.Add(1)
				break
			}
		}
		return false
	}})
	fs := dataFS(t, c.s, c.options)
	fs.wb.budget.limit = 16 << 10
	f := create(t, fs, "a", 0)
	_, err := fs.Setattr(t.Context(), fs.cred, f.ino, f, &nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: 0o666}})
	must(t, err)
	if c.steps == 0 {
		c.steps = 60
	}
	files := make([]*File, crowdUsers)
	for i := range files {
		flags := os.O_RDWR
		if i == 0 {
			flags |= oSync
		}
		files[i], err = fs.Open(t.Context(), rpc.NewCred(uint32(1000+i), 1000, nil), f.ino, flags)
		must(t, err)
		t.Cleanup(files[i].Release)
	}
	var clear []func()
	for _, fault := range c.faults {
		clear = append(clear, c.s.Fault(fault))
	}
	models := make([][]byte, crowdUsers)
	var wg sync.WaitGroup
	for i, f := range files {
		models[i] = make([]byte, crowdSize)
		wg.Go(func() { c.write(t, i, f, models[i]) })
	}
	wg.Wait()
	for _, undo := range clear {
		undo()
	}
	for i, f := range files {
		for try := 0; f.Flush(t.Context()) != nil; try++ { // an error that another's data met
			c.again(t, i, f, models[i])
			if try == 3 {
				t.Fatal("errors without end")
			}
		}
	}
	c.s.Restart()
	for i := range files {
		c.check(t, "in the end", i, models[i])
	}
	want(t, "WRITEs of others' bytes", c.strange.Load(), 0)
	noneInUse(t, fs)
}

// noneInUse waits for the memory for dirty data to be given back, which comes
// just after who waits for the data is woken.
func noneInUse(t *testing.T, fs *FS) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); fs.DirtyBytes() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("bytes in use: %d", fs.DirtyBytes())
		}
	}
}

// write is one writer. After an error it writes all that it ever wrote again.
func (c *crowd) write(t *testing.T, me int, f *File, model []byte) {
	rnd := rand.New(rand.NewPCG(uint64(me), 3))
	for step := range c.steps {
		stripe := rnd.IntN(crowdSize/crowdStripe/crowdUsers)*crowdUsers + me
		off := stripe*crowdStripe + rnd.IntN(crowdStripe)
		n := 1 + rnd.IntN((stripe+1)*crowdStripe-off)
		p := pattern(n, rnd.Uint64())
		copy(model[off:], p)
		_, err := f.WriteAt(t.Context(), p, int64(off))
		fsync := rnd.IntN(4) == 0
		if err == nil && fsync {
			err = f.Fsync(t.Context())
		}
		for try := 0; err != nil; try++ {
			if try == 1000 {
				t.Error("errors without end")
				return
			}
			if c.again(t, me, f, model) == nil {
				err = f.Fsync(t.Context())
				fsync = true
			}
		}
		if fsync || f.sync() {
			if c.restarts {
				c.s.Restart()
			}
			c.check(t, fmt.Sprint("step ", step), me, model)
		}
	}
}

// again writes all of a writer's bytes.
func (c *crowd) again(t *testing.T, me int, f *File, model []byte) (err error) {
	for off := me * crowdStripe; off < crowdSize; off += crowdUsers * crowdStripe {
		p := model[off:min(off+crowdStripe, crowdSize)]
		if bytes.Count(p, []byte{0}) == len(p) {
			continue
		}
		if _, werr := f.WriteAt(t.Context(), p, int64(off)); werr != nil {
			err = werr
		}
	}
	return err
}

// check compares a writer's bytes with what the server has.
func (c *crowd) check(t *testing.T, when string, me int, model []byte) {
	got := stored(t, c.s, "a")
	for off := range model {
		if owner(uint64(off)) != me || model[off] == 0 {
			continue
		}
		if off >= len(got) || got[off] != model[off] {
			t.Errorf("%s: byte %d of writer %d is not what it vouched for (the file holds %d bytes)", when, off, me, len(got))
			return
		}
	}
}
