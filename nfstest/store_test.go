package nfstest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/gonfs/gonfs/nfs3"
)

// TestMemoryAgreesWithTheHostsFileSystem does random operations on a memory
// file system and on a real directory: the real one is the oracle for status,
// type, mode, links, size and content.
func TestMemoryAgreesWithTheHostsFileSystem(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			o := Options{Dir: t.TempDir(), RootMode: 0755}.filled()
			host, err := newDirStore(&o)
			if err != nil {
				t.Fatal(err)
			}
			defer host.close()
			p := &pair{
				t: t, rng: rand.New(rand.NewPCG(seed, 3)), who: self(), stores: [2]store{newMemory(&o), host},
			}
			p.who.groups = nil
			_, byName := host.(*dirStore).top.key.(loc)
			p.links = !byName
			p.stores[0].(*memory).root.uid = p.who.uid
			for i := range p.stores {
				p.dirs[i] = []nfs3.FH{p.stores[i].rootFH()}
			}
			for p.step = range 400 {
				p.do()
			}
			p.compareTrees()
		})
	}
}

// pair drives two stores with the same operations.
type pair struct {
	t      *testing.T
	rng    *rand.Rand
	who    *ident
	stores [2]store
	dirs   [2][]nfs3.FH // handles of directories, some stale, in the same order
	files  [2][]nfs3.FH
	step   int
	links  bool // the host tells how many links a file has
}

// outcome is what the two must agree on.
type outcome struct {
	st   nfs3.Status
	typ  nfs3.FileType
	mode uint32
	link uint32
	size uint64
	data string
}

func outcomeOf(st nfs3.Status, a nfs3.PostOpAttr, data string) outcome {
	o := outcome{st: st, data: data}
	if st == nfs3.OK && a.Present {
		o.typ, o.mode, o.link, o.size = a.Attr.Type, a.Attr.Mode, a.Attr.Nlink, a.Attr.Size
		if a.Attr.Type == nfs3.TypeDir {
			o.size, o.link = 0, 0 // not all file systems count sub-directories
		}
	}
	return o
}

// do makes one random operation on both stores and compares the outcomes.
func (p *pair) do() {
	var (
		op     = p.rng.IntN(15)
		d, d2  = p.rng.IntN(len(p.dirs[0])), p.rng.IntN(len(p.dirs[0]))
		f      = p.rng.IntN(len(p.files[0]) + 1)
		name   = string(rune('a' + p.rng.IntN(6)))
		name2  = string(rune('a' + p.rng.IntN(6)))
		off    = p.rng.Uint64N(3 * pageSize)
		data   = make([]byte, p.rng.IntN(5000))
		mode   = nfs3.SetUint32{Set: true, Value: 0600 | p.rng.Uint32N(0200)}
		create = nfs3.CreateHow{Mode: nfs3.CreateMode(p.rng.IntN(3)), Attr: nfs3.Sattr{Mode: mode}, Verf: [8]byte{byte(p.step % 3)}}
		got    [2]outcome
		fh     [2]nfs3.PostOpFH
	)
	if p.rng.IntN(4) == 0 {
		create.Attr.Size = nfs3.SetUint64{Set: true, Value: off}
	}
	if p.rng.IntN(30) == 0 {
		name = []string{".", "..", "", "x/y"}[p.rng.IntN(4)]
	}
	if f == len(p.files[0]) && (op == 3 || op == 8 || op >= 9 && op <= 11) {
		return // no file yet
	}
	if op == 3 && !p.links {
		return // such a host tells files by their names
	}
	for i := range data {
		data[i] = byte(p.step)
	}
	for i, s := range p.stores {
		dir, dir2 := p.dirs[i][d], p.dirs[i][d2]
		var file nfs3.FH
		if f < len(p.files[i]) {
			file = p.files[i][f]
		}
		switch op {
		case 0, 1:
			var r nfs3.CreateReply
			s.create(p.who, dir, name, &create, &r)
			got[i], fh[i] = outcomeOf(r.Status, r.Attr, ""), r.Object
			if create.Mode == nfs3.Exclusive && r.Status == nfs3.OK {
				// The mode is the server's choice until the SETATTR.
				var set nfs3.SetattrReply
				s.setattr(p.who, r.Object.FH, &nfs3.Sattr{Mode: mode}, nil, &set)
				got[i].mode = set.Wcc.After.Attr.Mode
			}
		case 2:
			var r nfs3.MkdirReply
			s.mkdir(p.who, dir, name, &nfs3.Sattr{Mode: mode}, &r)
			got[i], fh[i] = outcomeOf(r.Status, r.Attr, ""), r.Object
		case 3:
			var r nfs3.LinkReply
			s.link(p.who, file, dir, name, &r)
			got[i] = outcomeOf(r.Status, r.Attr, "")
		case 4:
			var r nfs3.RemoveReply
			s.remove(p.who, dir, name, &r)
			got[i] = outcome{st: r.Status}
		case 5:
			var r nfs3.RmdirReply
			s.rmdir(p.who, dir, name, &r)
			got[i] = outcome{st: r.Status}
		case 6, 7:
			var r nfs3.RenameReply
			s.rename(p.who, dir, name, dir2, name2, &r)
			got[i] = outcome{st: r.Status}
		case 8:
			var r nfs3.ReadReply
			s.read(p.who, file, off, 8192, &r)
			got[i] = outcomeOf(r.Status, r.Attr, fmt.Sprint(string(r.Data), r.EOF))
		case 9, 10:
			var r nfs3.WriteReply
			s.write(p.who, file, off, data, nfs3.Unstable, &r)
			got[i] = outcomeOf(r.Status, r.Wcc.After, fmt.Sprint(r.Count))
		case 11:
			var r nfs3.SetattrReply
			s.setattr(p.who, file, &nfs3.Sattr{Mode: mode, Size: nfs3.SetUint64{Set: true, Value: off}}, nil, &r)
			got[i] = outcomeOf(r.Status, r.Wcc.After, "")
		case 12:
			var r nfs3.SymlinkReply
			s.symlink(p.who, dir, name, "to "+name2, &nfs3.Sattr{}, &r)
			got[i], fh[i] = outcomeOf(r.Status, r.Attr, ""), r.Object
		case 13:
			var r nfs3.LookupReply
			s.lookup(p.who, dir, name, &r)
			got[i] = outcomeOf(r.Status, r.Attr, "")
		case 14:
			var r nfs3.GetattrReply
			s.getattr(dir, &r)
			got[i] = outcomeOf(r.Status, nfs3.PostOpAttr{Present: true, Attr: r.Attr}, "")
		}
	}
	if !p.links {
		got[0].link, got[1].link = 0, 0
	}
	if got[0] != got[1] {
		p.t.Fatalf("step %d, operation %d on %q and %q: memory %+v, host %+v", p.step, op, name, name2, got[0], got[1])
	}
	for i := range p.stores {
		switch {
		case !fh[i].Present:
		case got[i].typ == nfs3.TypeDir:
			p.dirs[i] = append(p.dirs[i], fh[i].FH)
		default:
			p.files[i] = append(p.files[i], fh[i].FH)
		}
	}
}

// compareTrees compares all that there is at the end.
func (p *pair) compareTrees() {
	var trees [2]string
	for i, st := range p.stores {
		s := &Server{fs: st}
		l, err := s.Tree()
		if err != nil {
			p.t.Fatal(err)
		}
		for _, line := range l {
			var typ, mode, links, owner, size string
			var path string
			fmt.Sscan(line, &typ, &mode, &links, &owner, &size, &path)
			if typ == "dir" || !p.links {
				links = "-"
			}
			trees[i] += fmt.Sprintln(typ, links, size, path)
		}
	}
	if trees[0] != trees[1] {
		p.t.Errorf("memory has\n%s\nthe host has\n%s", trees[0], trees[1])
	}
}

// TestTheDirectoryIsNotLeft tries to get out of Options.Dir.
func TestTheDirectoryIsNotLeft(t *testing.T) {
	outside, inside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(outside+"/secret", []byte("x"), 0600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, inside+"/way"); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	s := New(Options{Dir: inside})
	defer s.Close()
	for _, path := range []string{"way/secret", "../" + outside + "/secret", "way"} {
		if b, err := s.ReadFile(path); err == nil {
			t.Errorf("ReadFile(%q) = %q", path, b)
		}
	}
	fh, err := s.Handle("../..")
	if root, _ := s.Handle("/"); err != nil || fh != root {
		t.Errorf("the parent of the root is %v, %v", fh, err)
	}
	if st, code := s.walkExport("/export/way"); code == nfs3.OK {
		t.Errorf("MNT followed the link out, to %v", st)
	}
}
