package fuse

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// newTestRaw returns a raw without a mount, over a server without sockets.
func newTestRaw(t testing.TB, s *nfstest.Server) *raw {
	t.Helper()
	fs, _ := newFS(t, s, "")
	r := newRaw(fs, testLogger(t), nil, new(mountopt.Options))
	t.Cleanup(r.OnUnmount)
	return r
}

// fill makes n files in a directory of s and returns their names, sorted.
func fill(t testing.TB, s *nfstest.Server, dir string, n int) (names []string) {
	t.Helper()
	if err := s.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		name := fmt.Sprintf("file-%04d", i)
		write(t, s, dir+"/"+name, nil)
		names = append(names, name)
	}
	return names
}

func TestListingWithSmallBuffersReferencesWhatFitted(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	r := newTestRaw(t, s)
	want := fill(t, s, "d", 100)
	var entry gofuse.EntryOut
	if st := r.Lookup(nil, &gofuse.InHeader{NodeId: 1}, "d", &entry); st != gofuse.OK {
		t.Fatal(st)
	}
	in := &gofuse.OpenIn{}
	in.NodeId = entry.NodeId
	var open gofuse.OpenOut
	if st := r.OpenDir(nil, in, &open); st != gofuse.OK {
		t.Fatal(st)
	}
	var (
		got    []string
		nodes  = map[uint64]uint64{entry.NodeId: 1} // references by node
		buf    = make([]byte, 1000)
		offset uint64
	)
	for {
		read := &gofuse.ReadIn{Fh: open.Fh, Offset: offset, Size: uint32(len(buf))}
		out := gofuse.NewDirEntryList(buf, offset)
		if st := r.ReadDirPlus(nil, read, out); st != gofuse.OK {
			t.Fatal(st)
		}
		entries, plus, err := gofuse.ParseDirLookupEntries(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			break
		}
		for i, e := range entries {
			got = append(got, e.Name)
			if e.Off != uint64(len(got)) {
				t.Fatalf("%s has offset %d, want %d", e.Name, e.Off, len(got))
			}
			if plus[i].NodeId != 0 {
				nodes[plus[i].NodeId]++
				if plus[i].Ino != e.Ino || plus[i].Mode&unix.S_IFMT != e.Mode {
					t.Errorf("%s: inode %d and %d, type %o and %o", e.Name, plus[i].Ino, e.Ino, plus[i].Mode, e.Mode)
				}
			}
			offset = e.Off
		}
	}
	if got[0] != "." || got[1] != ".." {
		t.Errorf("the first two are %q", got[:2])
	}
	got = got[2:]
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d names, want %d", len(got), len(want))
	}
	if len(nodes) != 101 || nodesOf(r) != len(nodes) {
		t.Errorf("%d nodes were told, %d are kept", len(nodes), nodesOf(r))
	}
	for id, n := range nodes {
		r.Forget(id, n)
	}
	if n := nodesOf(r); n != 0 {
		t.Errorf("%d nodes are left when all are forgotten", n)
	}
	release := &gofuse.ReleaseIn{Fh: open.Fh}
	r.ReleaseDir(release)
	if st := r.ReadDir(nil, &gofuse.ReadIn{Fh: open.Fh}, gofuse.NewDirEntryList(buf, 0)); st != badFD {
		t.Errorf("reading a closed directory: %v", st)
	}
}

func TestNodesOfOneFileAreOneAndUnknownOnesAreStale(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	r := newTestRaw(t, s)
	write(t, s, "f", []byte("x"))
	lookup := func() (e gofuse.EntryOut) {
		if st := r.Lookup(nil, &gofuse.InHeader{NodeId: 1}, "f", &e); st != gofuse.OK {
			t.Fatal(st)
		}
		return e
	}
	a, b := lookup(), lookup()
	if a.NodeId != b.NodeId || a.NodeId == 1 || a.Size != 1 || a.EntryValid == 0 || a.AttrValid == 0 {
		t.Errorf("%+v, %+v", a, b)
	}
	r.Forget(a.NodeId, 1)
	get := func(id uint64) gofuse.Status {
		in := &gofuse.GetAttrIn{}
		in.NodeId = id
		return r.GetAttr(nil, in, new(gofuse.AttrOut))
	}
	if st := get(a.NodeId); st != gofuse.OK {
		t.Errorf("a node with a reference: %v", st)
	}
	r.Forget(a.NodeId, 1)
	if st := get(a.NodeId); st != stale {
		t.Errorf("a forgotten node: %v", st)
	}
	r.Forget(a.NodeId, 5) // must not matter
	r.Forget(1, 5)
	if st := get(1); st != gofuse.OK {
		t.Errorf("the root: %v", st)
	}
	if st := r.Lookup(nil, &gofuse.InHeader{NodeId: 1}, "missing", new(gofuse.EntryOut)); st != gofuse.ENOENT {
		t.Errorf("a missing name: %v", st)
	}
}

func TestADirectoryWithStrangeCookiesIsListedWholeAndCanBeSought(t *testing.T) {
	for name, action := range map[string]nfstest.Action{
		"cookies with the top bit":  nfstest.TopCookies(),
		"ordinary cookies, delayed": nfstest.Delay(0),
	} {
		t.Run(name, func(t *testing.T) {
			s := nfstest.Start(t, nfstest.Options{})
			m := mounted(t, s, "")
			want := fill(t, s, "d", 3000)
			s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcReaddir, nfs3.ProcReaddirplus}, Times: nfstest.Forever, Do: []nfstest.Action{action}})
			dir := filepath.Join(m.Dir(), "d")
			entries, err := os.ReadDir(dir) // sorted
			if err != nil || len(entries) != len(want) {
				t.Fatalf("%d entries, want %d; %v", len(entries), len(want), err)
			}
			for i, e := range entries {
				if e.Name() != want[i] || !e.Type().IsRegular() {
					t.Fatalf("entry %d is %v, want %s", i, e, want[i])
				}
			}
			seekHalfway(t, dir)
		})
	}
}

// seekHalfway reads a directory to its middle, notes the place, reads on, and
// goes back to it.
func seekHalfway(t *testing.T, dir string) {
	t.Helper()
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 4096)
	read := func() []string {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil {
			t.Fatal(err)
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		return names
	}
	for range 5 {
		read()
	}
	place, err := unix.Seek(fd, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	first := read()
	for range 5 {
		read()
	}
	if _, err := unix.Seek(fd, place, 0); err != nil {
		t.Fatal(err)
	}
	if again := read(); !slices.Equal(first, again) {
		t.Errorf("after seeking back to %d: %q, was %q", place, again[:2], first[:2])
	}
}

func TestRemovingWhatIsListedLeavesNothing(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	fill(t, s, "d", 2000)
	if err := os.RemoveAll(filepath.Join(m.Dir(), "d")); err != nil {
		t.Error(err)
	}
	if _, err := s.Stat("d"); err == nil {
		t.Error("the directory is still there")
	}
}

// nodesOf returns how many nodes the kernel is taken to know besides the root.
func nodesOf(r *raw) (n int) {
	for i := range r.nodes.shards {
		s := &r.nodes.shards[i]
		s.mu.Lock()
		n += len(s.m)
		s.mu.Unlock()
	}
	return n
}
