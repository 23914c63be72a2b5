package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

func TestJukeboxIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", nil, 0o644))
		fs := r.mount("", Options{})
		r.Jukebox(8, nfs3.ProcLookup)
		start := time.Now()
		r.calls()
		find(t, fs, "f")
		want(t, "calls", r.calls(), "LOOKUP 9")
		// 100 ms + 200 + 400 + 800 + 1.6 s + 3.2 + 5 + 5, less up to a quarter
		if d := time.Since(start); d < 12*time.Second || d > 16400*time.Millisecond {
			t.Errorf("it took %v", d)
		}
	})
}

// stubborn is the context of a process that gets a signal which does not kill
// it.
type stubborn struct {
	context.Context
	dead func() bool
}

func (s stubborn) GiveUp() bool { return s.dead() }

func TestJukeboxEndsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		fs := r.mount("", Options{})
		r.Jukebox(nfstest.Forever, nfs3.ProcLookup)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := fs.Lookup(ctx, alice, fs.Root(), "f")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error: %v", err)
		}
		want(t, "time", time.Since(start), time.Second)

		start = time.Now()
		killed := func() bool { return time.Since(start) > time.Minute }
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err = fs.Lookup(stubborn{ctx, killed}, alice, fs.Root(), "f")
		if err == nil {
			t.Error("no error")
		}
		if d := time.Since(start); d < time.Minute || d > time.Minute+time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

func TestOnceDecidesByEvidence(t *testing.T) {
	lost := &rpc.ReplayError{Transmissions: 2}
	twice := &nfs3.Error{Status: nfs3.ErrExist, Transmissions: 2}
	first := &nfs3.Error{Status: nfs3.ErrExist, Transmissions: 1}
	other := &nfs3.Error{Status: nfs3.ErrNospc, Transmissions: 2}
	tests := []struct {
		name     string
		errs     []error // of the calls, in order
		evidence outcome
		want     error
		calls    int
	}{
		{"a call that succeeds is made once", []error{nil}, unknown, nil, 1},
		{"an error of the first copy stays", []error{first}, executed, nfs3.ErrExist, 1},
		{"another error stays", []error{other}, executed, nfs3.ErrNospc, 1},
		{"an error of the second copy is a success if ours is there", []error{twice}, executed, nil, 1},
		{"an error of the second copy stays if another's is there", []error{twice}, notExecuted, nfs3.ErrExist, 1},
		{"an error of the second copy stays if nobody knows", []error{twice}, unknown, nfs3.ErrExist, 1},
		{"a lost call that was executed is a success", []error{lost}, executed, nil, 1},
		{"a lost call that was not executed is made again", []error{lost, nil}, notExecuted, nil, 2},
		{"a lost call that nobody knows of has the error in doubt", []error{lost}, unknown, nfs3.ErrExist, 1},
		{"it is not made again for ever", []error{lost, lost, lost, lost}, notExecuted, lost, 4},
	}
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			err := fs.once(t.Context(), alice, "TEST", "x", nfs3.ErrExist,
				func() error { n++; return tt.errs[n-1] },
				func() outcome { return tt.evidence })
			if !errors.Is(err, tt.want) {
				t.Errorf("error: %v, want %v", err, tt.want)
			}
			want(t, "calls", n, tt.calls)
		})
	}
}

func TestInodesAreOneAHandleAndNotKeptForEver(t *testing.T) {
	var tab table
	tab.init()
	made := 0
	get := func(i int) *Inode {
		fh, err := nfs3.MakeFH([]byte(fmt.Sprint("handle ", i)))
		must(t, err)
		return tab.find(&fh, nfs3.TypeReg, uint64(i), func() *Inode {
			made++
			return &Inode{typ: nfs3.TypeReg, fileid: uint64(i)}
		})
	}
	kept := get(0)
	other := tab.find(kept.fh.Load(), nfs3.TypeDir, 0, func() *Inode { return &Inode{typ: nfs3.TypeDir} })
	if other == kept {
		t.Error("a file and a directory of one handle are one inode")
	}
	kept = get(0)
	pinned := get(1)
	pinned.lookups.Add(1)
	tab.pin(pinned)
	const n = 3 * tableShards * shardLimit
	for i := range n {
		get(i)
	}
	want(t, "the inode that is held is still the one", get(0), kept)
	want(t, "the inode that is pinned is still the one", get(1), pinned)
	for range 1000 { // cleanups run on a goroutine of the runtime's
		if n, _ := tab.count(); n <= tableShards*shardLimit+2 {
			break
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	if got, _ := tab.count(); got > tableShards*shardLimit+2 {
		t.Errorf("%d inodes are kept", got)
	}
	for i := range tab.shards {
		s := &tab.shards[i]
		n := 0
		for ino := s.newest; ino != nil; ino = ino.older {
			n++
		}
		want(t, "length of the list", n, s.held)
	}
	runtime.KeepAlive(kept)
	runtime.KeepAlive(pinned)
}

func TestRefAndForget(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	ino := write(t, fs, "f", "x")
	listed := func() bool {
		s := fs.table.listOf(ino)
		s.mu.Lock()
		defer s.mu.Unlock()
		return ino.newer != nil || ino.older != nil || s.newest == ino
	}
	want(t, "listed", listed(), true)
	fs.Ref(ino)
	fs.Ref(ino)
	_, _, err := fs.lookup(t.Context(), alice, fs.Root(), "f")
	must(t, err)
	want(t, "listed while it is referred to", listed(), false)
	fs.Forget(ino, 1)
	want(t, "listed while it is referred to", listed(), false)
	fs.Forget(ino, 1)
	want(t, "listed", listed(), true)
	fs.Forget(ino, 5) // a kernel that forgets too much does no harm
	fs.Ref(ino)
	want(t, "listed", listed(), false)
}

// TestEverythingAtOnce is for the race detector: clients of one directory that
// do all there is to do, and agree with the server in the end.
func TestEverythingAtOnce(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	clients := []*FS{r.mount("", Options{}), r.mount("", Options{})}
	for _, fs := range clients {
		fs.Changes(func(*Inode) {})
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			fs := clients[w%2]
			ctx, root := t.Context(), fs.Root()
			for i := range 30 {
				name, other := fmt.Sprint("n", (w+i)%5), fmt.Sprint("n", (w*i)%5)
				if _, _, f, err := fs.Create(ctx, alice, root, name, os.O_RDWR, 0o644, 0); err == nil {
					_, _ = f.WriteAt(ctx, []byte(name), int64(i))
					_ = f.Flush(ctx)
					if i%3 == 0 {
						_ = fs.Unlink(ctx, alice, root, name)
					}
					f.Release()
				}
				_ = fs.Rename(ctx, alice, root, name, root, other)
				if ino, _, err := fs.Lookup(ctx, alice, root, other); err == nil {
					_, _ = fs.Getattr(ctx, alice, ino)
					_, _, _ = fs.Link(ctx, alice, ino, root, fmt.Sprint("l", w))
					_, _ = fs.Access(ctx, alice, ino, nfs3.AccessRead)
				}
				_ = fs.Unlink(ctx, alice, root, fmt.Sprint("l", w))
				if d, err := fs.OpenDir(ctx, alice, root); err == nil {
					_, _ = d.Read(ctx, 0)
					d.Close()
				}
			}
		})
	}
	wg.Wait()
	for _, fs := range clients {
		for i := range 5 {
			name := fmt.Sprint("n", i)
			_, serr := r.Stat(name)
			_, _, err := fs.lookup(t.Context(), alice, fs.Root(), name)
			if (serr == nil) != (err == nil) {
				t.Errorf("%s: server %v, client %v", name, serr, err)
			}
		}
	}
	eventually(t, "hidden files are removed", func() bool {
		for _, fs := range clients {
			if len(fs.sillies.all()) > 0 {
				return false
			}
		}
		return true
	})
}

func TestAnInodeTakesHalfAKilobyte(t *testing.T) {
	if size := unsafe.Sizeof(Inode{}); size > 512 {
		t.Errorf("an Inode has %d bytes: the next size that Go allocates is 576", size)
	}
}

// Two handles of one hash, which chance will not bring, are two inodes.
func TestHandlesOfOneHashAreTwoInodes(t *testing.T) {
	var tab table
	tab.init()
	get := func(name string) *Inode {
		fh, err := nfs3.MakeFH([]byte(name))
		must(t, err)
		return tab.find(&fh, nfs3.TypeReg, 1, func() *Inode { return &Inode{typ: nfs3.TypeReg, fileid: 1} })
	}
	first, elsewhere := get("first"), get("elsewhere")
	second, err := nfs3.MakeFH([]byte("second"))
	must(t, err)
	s, hash := tab.place(&second)
	s.m[hash] = slot{weak: weak.Make(first)} // as if first's hash were the same
	twin := get("second")
	want(t, "the twin is another inode", twin != first, true)
	want(t, "the twin is found again", get("second"), twin)
	want(t, "the twin is known", tab.known(&second), twin)
	want(t, "the first keeps its place", s.m[hash].inode(), first)
	want(t, "another inode takes the twin's handle", tab.move(elsewhere, second), false)
	tab.drop(twin)
	want(t, "the twin after it was dropped", tab.known(&second), (*Inode)(nil))
	want(t, "the first keeps its place", s.m[hash].inode(), first)
	want(t, "another inode takes the twin's handle after that", tab.move(elsewhere, second), true)
	want(t, "whose it is now", get("second"), elsewhere)
	delete(s.m, hash) // as if first had been collected
	want(t, "whose it is when the first is no more", get("second"), elsewhere)
	runtime.KeepAlive(first)
}
