package client

import (
	"bytes"
	"os"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// Writes that touch and overlap each other before any of them is sent.
func TestWritesThatMeet(t *testing.T) {
	type at struct {
		off  int64
		text string
	}
	for _, tt := range []struct {
		name   string
		writes []at
		want   string
	}{
		{"one goes on where another ends, and over a third", []at{{0, "aaaa"}, {6, "bb"}, {4, "cccccc"}}, "aaaacccccc"},
		{"one goes on where another ends, up to a third", []at{{0, "aaaa"}, {6, "bb"}, {4, "cc"}}, "aaaaccbb"},
		{"one goes on beyond a block", []at{{0, "aaaa"}, {4, string(bytes.Repeat([]byte("c"), 4096))}}, "aaaa" + string(bytes.Repeat([]byte("c"), 4096))},
		{"one lies within another", []at{{0, "aaaa"}, {1, "bb"}}, "abba"},
		{"one lies over two", []at{{0, "aa"}, {4, "bb"}, {1, "cccc"}}, "accccb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{Wtmax: 4096})
				fs := dataFS(t, s, "wsize=4096")
				f := create(t, fs, "a", 0)
				s.Freeze() // nothing is answered before all is written
				for _, w := range tt.writes {
					put(t, f, []byte(w.text), w.off)
				}
				d := f.ino.data()
				d.mu.Lock()
				for i := 1; i < len(d.dirty); i++ {
					if d.dirty[i-1].end() > d.dirty[i].off {
						t.Errorf("extents %d and %d overlap", i-1, i)
					}
				}
				d.mu.Unlock()
				s.Thaw()
				must(t, f.Fsync(t.Context()))
				want(t, "stored", string(stored(t, s, "a")), tt.want)
				noneInUse(t, fs)
			})
		})
	}
}

func TestAnAppendGoesBehindWhatTheServerHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		must(t, s.WriteFile("a", []byte("0123456789"), 0o644))
		f := create(t, dataFS(t, s, ""), "a", os.O_APPEND)
		put(t, f, []byte("AB"), 0) // dirty, and not at the end
		_, off, err := f.Append(t.Context(), []byte("x"))
		must(t, err)
		want(t, "place", off, 10)
		must(t, f.Fsync(t.Context()))
		want(t, "stored", string(stored(t, s, "a")), "AB23456789x")
	})
}

// A server that says it has written more than it was given has not: what is left
// of the extent is not taken for written.
func TestAServerThatSaysItWroteMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "wsize=4096")
		fs.frame.Store(1000) // so that an extent takes several WRITEs
		f := create(t, fs, "a", 0)
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Do: []nfstest.Action{nfstest.Reply(func(_, reply any) { reply.(*nfs3.WriteReply).Count = 4096 })}})
		put(t, f, pattern(4096, 1), 0)
		want(t, "errno of an fsync", Errno(f.Fsync(t.Context())), syscall.EIO)
	})
}

// What a server left of an UNSTABLE WRITE goes as Linux sends it.
func TestTheRestOfAShortWriteIsStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		f := create(t, dataFS(t, s, "wsize=4096"), "a", 0)
		var how []nfs3.StableHow
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Reply(func(args, _ any) { how = append(how, args.(*nfs3.WriteArgs).Stable) })}})
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Do: []nfstest.Action{nfstest.Short(100)}})
		put(t, f, pattern(4096, 1), 0)
		must(t, f.fs.drain(t.Context(), f.ino))
		if len(how) != 2 || how[0] != nfs3.Unstable || how[1] != nfs3.FileSync {
			t.Errorf("WRITEs %v, want UNSTABLE and FILE_SYNC", how)
		}
		must(t, f.Fsync(t.Context()))
		want(t, "stored", bytes.Equal(stored(t, s, "a"), pattern(4096, 1)), true)
	})
}
