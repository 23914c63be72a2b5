package nfstest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/xdr"
)

func TestHandlesAreOfThisServerOrBad(t *testing.T) {
	w := newWorld(t, Options{})
	n := w.file(root, "f", 0644, nfs3.TypeReg)
	fh := w.fh(n)
	if got, st := w.find(fh); got != n || st != nfs3.OK {
		t.Fatalf("find = %v, %v", got, st)
	}
	for name, b := range map[string][]byte{
		"empty": {}, "short": fh.Bytes()[:20], "long": append(bytes.Clone(fh.Bytes()), 0),
		"with another inode": func() []byte { b := bytes.Clone(fh.Bytes()); b[11]++; return b }(),
		"of another server":  func() []byte { h := newWorld(t, Options{}).fh(n); return h.Bytes() }(),
	} {
		bad, err := nfs3.MakeFH(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, st := w.find(bad); st != nfs3.ErrBadhandle {
			t.Errorf("handle %s: %v", name, st)
		}
	}
	var r nfs3.RemoveReply
	w.remove(root, w.rootFH(), "f", &r)
	if _, st := w.find(fh); st != nfs3.ErrStale {
		t.Errorf("handle of a removed file: %v", st)
	}
}

func TestAFileLivesUntilItsLastLinkGoes(t *testing.T) {
	w := newWorld(t, Options{})
	n := w.file(root, "a", 0644, nfs3.TypeReg)
	used := w.used
	var l nfs3.LinkReply
	w.link(root, w.fh(n), w.rootFH(), "b", &l)
	if l.Status != nfs3.OK || n.nlink != 2 {
		t.Fatalf("LINK: %v, nlink %d", l.Status, n.nlink)
	}
	var r nfs3.RemoveReply
	w.remove(root, w.rootFH(), "a", &r)
	if _, st := w.find(w.fh(n)); st != nfs3.OK || n.nlink != 1 || w.used != used {
		t.Errorf("after the first REMOVE: %v, nlink %d, %d bytes used, %d before", st, n.nlink, w.used, used)
	}
	w.remove(root, w.rootFH(), "b", &r)
	if _, st := w.find(w.fh(n)); st != nfs3.ErrStale {
		t.Errorf("after the last REMOVE: %v", st)
	}
}

func TestExclusiveCreateKnowsItsVerifier(t *testing.T) {
	w := newWorld(t, Options{})
	how := func(b byte) *nfs3.CreateHow {
		return &nfs3.CreateHow{Mode: nfs3.Exclusive, Verf: [8]byte{0xff, b, 3, 4, 5, 6, 7, 8}}
	}
	create := func(h *nfs3.CreateHow) nfs3.CreateReply {
		var r nfs3.CreateReply
		w.create(root, w.rootFH(), "f", h, &r)
		return r
	}
	first := create(how(1))
	if a := first.Attr.Attr; first.Status != nfs3.OK || a.Mode != 0 || a.Mtime.Sec != 0x05060708 || a.Atime.Sec != 0x7f010304 {
		t.Errorf("the first CREATE: %+v", first)
	}
	if again := create(how(1)); again.Status != nfs3.OK || again.Object != first.Object {
		t.Errorf("the same CREATE again: %v", again.Status)
	}
	if other := create(how(2)); other.Status != nfs3.ErrExist {
		t.Errorf("another CREATE: %v", other.Status)
	}
	var r nfs3.SetattrReply
	w.setattr(root, first.Object.FH, &nfs3.Sattr{Mtime: nfs3.SetTime{How: nfs3.SetToServerTime}}, nil, &r)
	if late := create(how(1)); late.Status != nfs3.ErrExist {
		t.Errorf("the same CREATE after a SETATTR of the times: %v", late.Status)
	}
}

func TestWccDataTellsWhatWasBefore(t *testing.T) {
	w := newWorld(t, Options{})
	n := w.file(root, "f", 0644, nfs3.TypeReg)
	before := w.attr(n)
	var r nfs3.WriteReply
	w.write(root, w.fh(n), 0, []byte("abc"), nfs3.Unstable, &r)
	b, a := r.Wcc.Before.Attr, r.Wcc.After.Attr
	if b.Size != 0 || b.Mtime != before.Mtime || b.Ctime != before.Ctime {
		t.Errorf("before: %+v, was %+v", b, before)
	}
	if a.Size != 3 || a.Mtime == b.Mtime || a.Ctime != a.Mtime {
		t.Errorf("after: %+v", a)
	}
	var fail nfs3.WriteReply
	w.write(carol, w.fh(n), 0, []byte("abc"), nfs3.Unstable, &fail)
	if fail.Status != nfs3.ErrAcces || fail.Wcc.Before.Attr.Ctime != a.Ctime || fail.Wcc.After.Attr.Ctime != a.Ctime {
		t.Errorf("a WRITE that is refused: %+v", fail)
	}
}

func TestGranularityMakesTimesEqual(t *testing.T) {
	clock := time.Unix(1e9, 5e8)
	w := newWorld(t, Options{Granularity: time.Second, Now: func() time.Time { clock = clock.Add(time.Millisecond); return clock }})
	if a, b := w.now(), w.now(); a != b || a.Nsec != 0 {
		t.Errorf("times %v and %v", a, b)
	}
	w = newWorld(t, Options{Now: func() time.Time { return time.Unix(1e9, 0) }})
	if a, b := w.now(), w.now(); a == b {
		t.Errorf("two changes have the time %v", a)
	}
}

// TestListingsNeitherSkipNorRepeat reads a directory page by page while
// others remove, make and rename entries.
func TestListingsNeitherSkipNorRepeat(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 4))
		w := newWorld(t, Options{})
		stays := make(map[string]bool)
		for i := range 60 {
			w.file(root, fmt.Sprint("f", i), 0644, nfs3.TypeReg)
			stays[fmt.Sprint("f", i)] = true
		}
		seen := make(map[string]int)
		cookies := make(map[uint64]bool)
		var (
			cookie uint64
			verf   [8]byte
		)
		for {
			var r nfs3.ReaddirReply
			w.readdir(root, w.rootFH(), cookie, verf, 250+rng.Uint32N(200), &r)
			if r.Status != nfs3.OK {
				t.Fatalf("seed %d: READDIR: %v", seed, r.Status)
			}
			for _, e := range r.Entries {
				seen[e.Name]++
				if cookies[e.Cookie] || e.Cookie <= cookie {
					t.Errorf("seed %d: cookie %d of %q came before", seed, e.Cookie, e.Name)
				}
				cookies[e.Cookie], cookie = true, e.Cookie
			}
			if verf = r.Verf; r.EOF {
				break
			}
			for range 3 {
				victim := fmt.Sprint("f", rng.IntN(60))
				switch rng.IntN(3) {
				case 0:
					var rm nfs3.RemoveReply
					w.remove(root, w.rootFH(), victim, &rm)
				case 1:
					var mv nfs3.RenameReply
					w.rename(root, w.rootFH(), victim, w.rootFH(), "moved-"+victim, &mv)
				case 2:
					var c nfs3.CreateReply
					w.create(root, w.rootFH(), fmt.Sprint("new", rng.IntN(5)), &nfs3.CreateHow{}, &c)
					continue
				}
				delete(stays, victim)
			}
		}
		for name := range stays {
			if seen[name] != 1 {
				t.Errorf("seed %d: %s was listed %d times", seed, name, seen[name])
			}
		}
		if seen["."] != 1 || seen[".."] != 1 {
			t.Errorf("seed %d: the dots were listed %d and %d times", seed, seen["."], seen[".."])
		}
	}
}

func TestRenameOverAnEntryKeepsItsPlaceInTheListing(t *testing.T) {
	w := newWorld(t, Options{})
	w.file(root, "a", 0644, nfs3.TypeReg)
	w.file(root, "b", 0644, nfs3.TypeReg)
	at := w.root.dir.names["b"].cookie
	var r nfs3.RenameReply
	if w.rename(root, w.rootFH(), "a", w.rootFH(), "b", &r); r.Status != nfs3.OK {
		t.Fatal(r.Status)
	}
	if now := w.root.dir.names["b"].cookie; now != at {
		t.Errorf("the cookie was %d and is %d", at, now)
	}
}

func TestListingsRefuseWhatCannotBe(t *testing.T) {
	w := newWorld(t, Options{})
	w.file(root, "name", 0644, nfs3.TypeReg)
	verf := w.root.verifier()
	for name, tt := range map[string]struct {
		cookie uint64
		verf   [8]byte
		count  uint32
		want   nfs3.Status
	}{
		"from the start":           {0, [8]byte{}, 4096, nfs3.OK},
		"going on":                 {2, verf, 4096, nfs3.OK},
		"from the end":             {3, verf, 4096, nfs3.OK},
		"with another verifier":    {2, [8]byte{1}, 4096, nfs3.ErrBadCookie},
		"with a cookie to come":    {4, verf, 4096, nfs3.ErrBadCookie},
		"with no room":             {0, [8]byte{}, 100, nfs3.ErrToosmall},
		"with room for one":        {0, [8]byte{}, listBytes + 28, nfs3.OK},
		"with one byte too little": {0, [8]byte{}, listBytes + 27, nfs3.ErrToosmall},
	} {
		var r nfs3.ReaddirReply
		if w.readdir(root, w.rootFH(), tt.cookie, tt.verf, tt.count, &r); r.Status != tt.want {
			t.Errorf("%s: %v, want %v", name, r.Status, tt.want)
		}
	}
}

func TestListingsKeepToTheirBytes(t *testing.T) {
	w := newWorld(t, Options{})
	for i := range 50 {
		w.file(root, fmt.Sprintf("%0*d", i+1, i), 0644, nfs3.TypeReg)
	}
	for count := uint32(400); count < 6000; count += 37 {
		var r nfs3.ReaddirReply
		w.readdir(root, w.rootFH(), 0, [8]byte{}, count, &r)
		// The count is of READDIR3resok, without the status.
		if n := encodedLen(&r) - 4; r.Status == nfs3.OK && n > int(count) {
			t.Errorf("READDIR of %d bytes takes %d", count, n)
		}
		var p nfs3.ReaddirplusReply
		w.readdirplus(root, w.rootFH(), 0, [8]byte{}, count, count, &p)
		if n := encodedLen(&p) - 4; p.Status == nfs3.OK && n > int(count) {
			t.Errorf("READDIRPLUS of %d bytes takes %d", count, n)
		}
	}
}

func TestTheFileSystemIsFullAtItsLimit(t *testing.T) {
	w := newWorld(t, Options{MaxBytes: 64 << 10})
	n := w.file(root, "f", 0644, nfs3.TypeReg)
	fh := w.fh(n)
	var st nfs3.Status
	var written uint64
	for st == nfs3.OK && written < 1<<20 {
		var r nfs3.WriteReply
		w.write(root, fh, written, make([]byte, 5000), nfs3.FileSync, &r)
		st, written = r.Status, written+uint64(r.Count)
	}
	if st != nfs3.ErrNospc || written == 0 || w.used > w.limit {
		t.Errorf("after %d bytes: %v, %d used", written, st, w.used)
	}
	var files int
	for st = nfs3.OK; st == nfs3.OK && files < 1000; files++ {
		var r nfs3.CreateReply
		w.create(root, w.rootFH(), fmt.Sprint(files), &nfs3.CreateHow{}, &r)
		st = r.Status
	}
	if st != nfs3.ErrNospc || w.used > w.limit {
		t.Errorf("after %d files: %v, %d used", files, st, w.used)
	}
	var set nfs3.SetattrReply
	w.setattr(root, fh, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true}}, nil, &set)
	var r nfs3.WriteReply
	if w.write(root, fh, 0, []byte("x"), nfs3.FileSync, &r); r.Status != nfs3.OK {
		t.Errorf("after a truncation: %v", r.Status)
	}
}

func TestFreedMemoryIsCountedBack(t *testing.T) {
	w := newWorld(t, Options{})
	start := w.used
	d := w.file(root, "d", 0755, nfs3.TypeDir)
	for i := range 10 {
		var c nfs3.CreateReply
		w.create(root, w.fh(d), fmt.Sprint(i), &nfs3.CreateHow{}, &c)
		var r nfs3.WriteReply
		w.write(root, c.Object.FH, uint64(i)*3000, make([]byte, 7000), nfs3.StableHow(i%3), &r)
	}
	w.restart()
	var mv nfs3.RenameReply
	w.rename(root, w.fh(d), "1", w.fh(d), "2", &mv)
	for _, name := range slices.Collect(maps.Keys(d.dir.names)) {
		var r nfs3.RemoveReply
		w.remove(root, w.fh(d), name, &r)
	}
	var r nfs3.RmdirReply
	w.rmdir(root, w.rootFH(), "d", &r)
	if w.used != start || len(w.inodes) != 1 || w.root.nlink != 2 {
		t.Errorf("%d bytes are used, %d inodes, nlink %d; want %d, 1, 2", w.used, len(w.inodes), w.root.nlink, start)
	}
}

func TestMknodMakesWhatItMay(t *testing.T) {
	w := newWorld(t, Options{})
	for _, tt := range []struct {
		who  *ident
		typ  nfs3.FileType
		want nfs3.Status
	}{
		{root, nfs3.TypeChr, nfs3.OK}, {root, nfs3.TypeBlk, nfs3.OK}, {alice, nfs3.TypeChr, nfs3.ErrPerm},
		{alice, nfs3.TypeFifo, nfs3.OK}, {alice, nfs3.TypeSock, nfs3.OK},
		{root, nfs3.TypeReg, nfs3.ErrBadtype}, {root, nfs3.TypeDir, nfs3.ErrBadtype}, {root, 99, nfs3.ErrBadtype},
	} {
		var r nfs3.MknodReply
		w.mknod(tt.who, w.rootFH(), fmt.Sprint(tt.who.uid, tt.typ), tt.typ, &nfs3.Sattr{}, nfs3.Specdata{Major: 8, Minor: 1}, &r)
		if r.Status != tt.want {
			t.Errorf("MKNOD of %v as %d: %v, want %v", tt.typ, tt.who.uid, r.Status, tt.want)
		}
		if r.Status == nfs3.OK && r.Attr.Attr.Type != tt.typ {
			t.Errorf("MKNOD of %v made %v", tt.typ, r.Attr.Attr.Type)
		}
	}
}

func TestOffsetsAtTheEdge(t *testing.T) {
	w := newWorld(t, Options{})
	fh := w.fh(w.file(root, "f", 0644, nfs3.TypeReg))
	for off, want := range map[uint64]nfs3.Status{
		maxSize - 1: nfs3.OK, maxSize: nfs3.ErrFbig, maxSize + 1: nfs3.ErrFbig, ^uint64(0): nfs3.ErrFbig,
	} {
		var r nfs3.WriteReply
		if w.write(root, fh, off, []byte("x"), nfs3.FileSync, &r); r.Status != want {
			t.Errorf("WRITE at %#x: %v, want %v", off, r.Status, want)
		}
	}
	var r nfs3.ReadReply
	if w.read(root, fh, ^uint64(0), 100, &r); r.Status != nfs3.OK || !r.EOF || r.Count != 0 {
		t.Errorf("READ at the end of the world: %+v", r)
	}
	if w.read(root, fh, maxSize-3, 100, &r); string(r.Data) != "\x00\x00x" || !r.EOF {
		t.Errorf("READ of the last bytes = %q, %v", r.Data, r.EOF)
	}
	var c nfs3.CommitReply
	if w.commit(root, fh, ^uint64(0), ^uint32(0), &c); c.Status != nfs3.OK {
		t.Errorf("COMMIT at the end of the world: %v", c.Status)
	}
}

func TestVerifierIsOfTheTimesOnly(t *testing.T) {
	var n inode
	n.holdVerf([8]byte{1, 2, 3, 4, 5, 6, 7, 8})
	var b [8]byte
	binary.BigEndian.PutUint32(b[:], n.atime.Sec)
	binary.BigEndian.PutUint32(b[4:], n.mtime.Sec)
	if b != n.verf {
		t.Errorf("times hold %x of %x", b, n.verf)
	}
}

// encodedLen is how many bytes v takes on the wire.
func encodedLen(v xdr.Value) int {
	e := xdr.NewEncoder(nil)
	v.XDR(e)
	return len(e.Bytes())
}
