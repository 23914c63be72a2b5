package client

import (
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"

	"github.com/gonfs/gonfs/nfstest"
)

// The figures follow what happens, and come back to where they were.
func TestFootprint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		s.WriteFile("a", pattern(200_000, 1), 0o644)
		s.Mkdir("dir", 0o755)
		for i := range 50 {
			s.WriteFile(fmt.Sprintf("dir/%d", i), nil, 0o644)
		}
		fs := dataFS(t, s, "rsize=4096,dirty=1048576")
		began := fs.Footprint()
		want(t, "at first", began, Footprint{Inodes: 1, Kept: 1, KeptLimit: tableShards * shardLimit, NamesLimit: maxNames, ListedLimit: maxListed, AheadLimit: maxAhead, DirtyLimit: 1 << 20})

		dir := find(t, fs, "dir")
		for i := range 50 {
			find(t, fs, fmt.Sprintf("dir/%d", i))
		}
		_, _, err := fs.Lookup(t.Context(), alice, dir, "missing")
		want(t, "a missing name", err != nil, true)
		fs.Ref(dir)
		f := fs.Footprint()
		want(t, "inodes", f.Inodes, 52) // the root, dir, and those in it
		want(t, "inodes that nobody uses", f.Kept, 51)
		want(t, "names", f.Names, 52)
		fs.Forget(dir, 1)
		want(t, "inodes that nobody uses, after dir was forgotten", fs.Footprint().Kept, 52)

		d, err := fs.OpenDir(t.Context(), alice, dir)
		must(t, err)
		for err == nil {
			_, err = d.Read(t.Context(), 0)
		}
		want(t, "the end of the directory", err, io.EOF)
		want(t, "entries that are remembered", fs.Footprint().Listed, 50)
		must(t, d.Close())
		want(t, "entries that are remembered of a closed directory", fs.Footprint().Listed, 0)

		r := create(t, fs, "a", 0)
		p := make([]byte, 4096)
		for off := int64(0); off < 3*4096; off += 4096 {
			_, err := r.ReadAt(t.Context(), p, off)
			must(t, err)
		}
		f = fs.Footprint()
		want(t, "files that are read ahead of", f.AheadFiles, 1)
		want(t, "bytes that are read ahead", f.Ahead > 0 && f.Ahead <= 200_000, true)
		r.Release()
		must(t, fs.crew.wait(t.Context()))
		f = fs.Footprint()
		want(t, "files that are read ahead of, after the last was closed", f.AheadFiles, 0)
		want(t, "bytes that are read ahead then", f.Ahead, 0)

		w := create(t, fs, "new", os.O_RDWR)
		put(t, w, pattern(1000, 1), 0)
		want(t, "dirty bytes", fs.Footprint().Dirty, 1000)
		must(t, w.Fsync(t.Context()))
		noneInUse(t, fs)
		want(t, "dirty bytes after fsync", fs.Footprint().Dirty, 0)
		w.Release()
	})
}
