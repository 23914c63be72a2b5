package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// listing reads d to its end and returns the names.
func listing(t testing.TB, d *Dir, max int) (names []string) {
	t.Helper()
	for {
		entries, err := d.Read(t.Context(), max)
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 || max > 0 && len(entries) > max {
			t.Fatalf("%d entries, asked for %d", len(entries), max)
		}
		for _, e := range entries {
			names = append(names, e.Name)
		}
	}
}

// bigDir makes a directory of n files, "f00000" and so on.
func bigDir(t testing.TB, r *rig, n int) (names []string) {
	t.Helper()
	must(t, r.Mkdir("big", 0o777))
	for i := range n {
		name := fmt.Sprintf("f%05d", i)
		must(t, r.WriteFile("big/"+name, []byte(name), 0o644))
		names = append(names, name)
	}
	return names
}

func openDir(t testing.TB, fs *FS, name string) *Dir {
	t.Helper()
	d, err := fs.OpenDir(t.Context(), alice, find(t, fs, name))
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

func TestDirListsEveryEntryOnce(t *testing.T) {
	tests := []struct {
		name   string
		o      nfstest.Options
		opts   string // of the mount
		faults []nfstest.Fault
		max    int
	}{
		{name: "as it comes"},
		{name: "a few at a time", max: 7},
		{name: "with cookies that use the top bit", faults: []nfstest.Fault{
			{Times: nfstest.Forever, Procs: dirProcs, Do: []nfstest.Action{nfstest.TopCookies()}}}},
		{name: "without READDIRPLUS", faults: []nfstest.Fault{
			{Times: nfstest.Forever, Procs: dirProcs[1:], Do: []nfstest.Action{nfstest.Status(nfs3.ErrNotsupp)}}}},
		{name: "with nordirplus", opts: "nordirplus", faults: []nfstest.Fault{
			{Times: nfstest.Forever, Procs: dirProcs[1:], Do: []nfstest.Action{nfstest.Status(nfs3.ErrServerfault)}}}},
		{name: "when READDIRPLUS is too small", faults: []nfstest.Fault{
			{Times: nfstest.Forever, Procs: dirProcs[1:], Do: []nfstest.Action{nfstest.Status(nfs3.ErrToosmall)}}}},
		{name: "without attributes", o: nfstest.Options{NoAttr: true}},
		{name: "when the server is not ready at first", faults: []nfstest.Fault{
			{Times: 1, Procs: dirProcs, Do: []nfstest.Action{nfstest.Status(nfs3.ErrJukebox)}}}},
		{name: "when one page is empty", faults: []nfstest.Fault{
			{Skip: 1, Times: 1, Procs: dirProcs, Do: []nfstest.Action{nfstest.EmptyPages()}}}},
		{name: "when a cookie is refused", faults: []nfstest.Fault{
			{Skip: 2, Times: 1, Procs: dirProcs, Do: []nfstest.Action{nfstest.Status(nfs3.ErrBadCookie)}}}},
		{name: "when cookies are refused again and again", faults: []nfstest.Fault{
			{Skip: 2, Times: 1, Procs: dirProcs, Do: []nfstest.Action{nfstest.Status(nfs3.ErrBadCookie)}},
			{Skip: 6, Times: 1, Procs: dirProcs, Do: []nfstest.Action{nfstest.Status(nfs3.ErrNotSync)}},
			{Skip: 8, Times: 1, Procs: dirProcs, Do: []nfstest.Action{nfstest.Status(nfs3.ErrNotSync)}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Dtpref = 4096
			r := newRig(t, tt.o)
			names := bigDir(t, r, 300)
			fs := r.mount(tt.opts, Options{})
			d := openDir(t, fs, "big")
			for _, f := range tt.faults {
				r.Fault(f)
			}
			got := listing(t, d, tt.max)
			slices.Sort(got)
			if !slices.Equal(got, names) {
				t.Errorf("%d names, want %d: %q", len(got), len(names), got)
			}
			for range 2 {
				if _, err := d.Read(t.Context(), 0); !errors.Is(err, io.EOF) {
					t.Errorf("behind the end: %v", err)
				}
			}
		})
	}
}

// dirProcs are the procedures that list directories.
var dirProcs = []uint32{nfs3.ProcReaddir, nfs3.ProcReaddirplus}

func TestDirSeeksToAnyEntryItReturned(t *testing.T) {
	r := newRig(t, nfstest.Options{Dtpref: 2048})
	bigDir(t, r, 200)
	fs := r.mount("", Options{})
	d := openDir(t, fs, "big")
	all := listing(t, d, 0)
	for _, place := range []int{0, 199, 1, 100, 99, 101, 5, 200, 57, 0} {
		d.Seek(uint64(place))
		got := listing(t, d, 0)
		if !slices.Equal(got, all[place:]) {
			t.Fatalf("from %d: %d entries, want %d", place, len(got), 200-place)
		}
	}
	// A Dir that never read so far gets there by counting.
	d2 := openDir(t, fs, "big")
	d2.Seek(150)
	if got := listing(t, d2, 3); !slices.Equal(got, all[150:]) {
		t.Errorf("from 150 unread: %d entries", len(got))
	}
}

func TestDirCookiesCount(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	bigDir(t, r, 5)
	fs := r.mount("", Options{})
	entries, err := openDir(t, fs, "big").Read(t.Context(), 0)
	must(t, err)
	for i, e := range entries {
		want(t, "cookie", e.Cookie, uint64(i+1))
		want(t, "type", e.Type, nfs3.TypeReg)
		want(t, "inode", e.Inode, find(t, fs, "big/"+e.Name))
		want(t, "number", e.FileID, e.Inode.FileID())
		want(t, "size", e.Attr.Size, 6)
	}
}

func TestReaddirplusFillsTheCaches(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	names := bigDir(t, r, 50)
	fs := r.mount("", Options{})
	find(t, fs, "big/f00000") // which shows that alice may search it
	listing(t, openDir(t, fs, "big"), 0)
	r.calls()
	for _, name := range names {
		_, err := fs.Getattr(t.Context(), alice, find(t, fs, "big/"+name))
		must(t, err)
	}
	want(t, "calls", r.calls(), "")
}

func TestImpossibleNamesAreLeftOut(t *testing.T) {
	r := newRig(t, nfstest.Options{Allow: nil})
	names := bigDir(t, r, 3)
	fs := r.mount("", Options{})
	r.Fault(nfstest.Fault{Procs: dirProcs, Do: []nfstest.Action{
		nfstest.Names("", ".", "..", "a/b", "/", "nul\x00", "\x00", strings.Repeat("x", 1000))}})
	if got := listing(t, openDir(t, fs, "big"), 0); !slices.Equal(got, names) {
		t.Errorf("names: %q", got)
	}
	want(t, "names that were left out", fs.badNames.Load(), 6)
}

// shelf makes the server list "big" as f says: the names behind a cookie, with
// NFS3ERR_BAD_COOKIE for nil. Entry number i behind cookie c gets cookie c+i.
func shelf(r *rig, f func(cookie uint64) []string) {
	r.Fault(nfstest.Fault{Times: nfstest.Forever, Procs: dirProcs, Do: []nfstest.Action{nfstest.Reply(func(args, reply any) {
		a, p := args.(*nfs3.ReaddirplusArgs), reply.(*nfs3.ReaddirplusReply)
		names := f(a.Cookie)
		if names == nil {
			p.Status = nfs3.ErrBadCookie
			return
		}
		p.Status, p.Entries, p.EOF = nfs3.OK, nil, len(names) == 0
		for i, name := range names {
			p.Entries = append(p.Entries, nfs3.EntryPlus{FileID: 100 + uint64(i), Name: name, Cookie: a.Cookie + 1 + uint64(i)})
		}
	})}})
}

// A server that forgets its cookies and has its entries in another order then.
func TestDirSeeksAfterStartingOver(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	bigDir(t, r, 1)
	fs := r.mount("", Options{})
	d := openDir(t, fs, "big")
	order, forgot := "abcde", false
	shelf(r, func(cookie uint64) []string {
		if cookie == 4 && !forgot {
			order, forgot = "vawbxcydze", true
			return nil
		}
		return strings.Split(order[cookie:min(int(cookie)+2, len(order))], "")
	})
	all := listing(t, d, 0)
	want(t, "cookies were forgotten", forgot, true)
	want(t, "all", strings.Join(all, ""), "abcdvwxyze")
	want(t, "entries that are remembered", fs.Footprint().Listed, 10)
	for _, place := range []uint64{6, 9, 5, 10, 8} {
		d.Seek(place)
		want(t, fmt.Sprintf("from %d on", place), strings.Join(listing(t, d, 0), ""), strings.Join(all[place:], ""))
	}
	d.Seek(2) // its cookie is not good any more: places are counted anew
	want(t, "from 2 on", strings.Join(listing(t, d, 0), ""), order[2:])
	want(t, "entries that are remembered at last", fs.Footprint().Listed, 10)
	must(t, d.Close())
	want(t, "entries that are remembered of a closed directory", fs.Footprint().Listed, 0)
	want(t, "its page and cookies", d.page == nil && d.starts == nil && d.reply.Entries == nil, true)
}

// What is left out is what was read up to the place that was sought.
func TestDirStartsOverBehindWhereItWasSought(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	bigDir(t, r, 1)
	d := openDir(t, r.mount("", Options{}), "big")
	asked := 0
	shelf(r, func(cookie uint64) []string {
		if cookie == 2 {
			if asked++; asked == 2 {
				return nil
			}
		}
		return strings.Split("abcdefg"[cookie:min(cookie+2, 7)], "")
	})
	want(t, "at first", strings.Join(listing(t, d, 0), ""), "abcdefg")
	d.Seek(2)
	want(t, "from 2 on", strings.Join(listing(t, d, 0), ""), "cdefg")
	want(t, "how often the place was asked for", asked, 3)
}

// What was read before starting over is left out, but not for ever.
func TestAServerThatRepeatsItselfAfterStartingOver(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	bigDir(t, r, 1)
	d := openDir(t, r.mount("", Options{}), "big")
	forgot := false
	shelf(r, func(cookie uint64) []string {
		if cookie == 2 && !forgot {
			forgot = true
			return nil
		}
		return []string{"a", "b"}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := range 5 {
		if _, err := d.Read(ctx, 0); err != nil {
			t.Fatalf("page %d: %v", i, err)
		}
	}
}

func TestADirectoryThatNeverEndsIsAnError(t *testing.T) {
	tests := []struct {
		name string
		do   nfstest.Action
	}{
		{"the same page for ever", nfstest.StuckCookie()},
		{"empty pages for ever", nfstest.EmptyPages()},
		{"two pages in turn", nfstest.Reply(func(args, reply any) {
			a, r := args.(*nfs3.ReaddirplusArgs), reply.(*nfs3.ReaddirplusReply)
			r.EOF = false
			r.Entries = []nfs3.EntryPlus{{FileID: 7, Name: "x", Cookie: 1 + (a.Cookie+1)%2}}
		})},
		{"cookies that are always refused", nfstest.Status(nfs3.ErrBadCookie)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, nfstest.Options{Dtpref: 1024})
			bigDir(t, r, 60)
			fs := r.mount("", Options{})
			d := openDir(t, fs, "big")
			if _, err := d.Read(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			r.Fault(nfstest.Fault{Times: nfstest.Forever, Procs: dirProcs, Do: []nfstest.Action{tt.do}})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for n := 0; ; n++ {
				_, err := d.Read(ctx, 0)
				if err != nil {
					if !errors.Is(err, syscall.EIO) || ctx.Err() != nil {
						t.Errorf("%v after %d pages", err, n)
					}
					return
				}
			}
		})
	}
}

func TestAnEndlessDirectoryIsReadPageByPage(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	must(t, r.Mkdir("d", 0o755))
	fs := r.mount("", Options{})
	r.Fault(nfstest.Fault{Times: nfstest.Forever, Procs: dirProcs, Do: []nfstest.Action{nfstest.EndlessDir(200)}})
	d := openDir(t, fs, "d")
	for range 100 {
		if _, err := d.Read(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "entries in memory", len(d.page), 200)
}

func TestWhatADirIsNot(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	must(t, r.Mkdir("private", 0o700))
	f := r.mount("", Options{})
	file := write(t, f, "f", "")
	if _, err := f.OpenDir(t.Context(), alice, file); !errors.Is(err, nfs3.ErrNotdir) {
		t.Errorf("OpenDir of a file: %v", err)
	}
	if _, err := f.OpenDir(t.Context(), alice, find(t, f, "private")); !errors.Is(err, nfs3.ErrAcces) {
		t.Errorf("OpenDir of somebody else's: %v", err)
	}
	d := openDir(t, f, "")
	must(t, d.Close())
	if _, err := d.Read(t.Context(), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
}

func TestEntriesThatGoWhileADirectoryIsListed(t *testing.T) {
	r := newRig(t, nfstest.Options{Dtpref: 1024})
	names := bigDir(t, r, 100)
	f := r.mount("", Options{})
	dir := find(t, f, "big")
	d := openDir(t, f, "big")
	seen := map[string]int{}
	for {
		entries, err := d.Read(t.Context(), 0)
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		for _, e := range entries { // rm -r does this
			seen[e.Name]++
			must(t, f.Unlink(t.Context(), alice, dir, e.Name))
		}
	}
	for _, name := range names {
		want(t, name, seen[name], 1)
	}
	must(t, f.Rmdir(t.Context(), alice, f.Root(), "big"))
}

// To list a long directory is not to remember all that is in it; who goes on
// with the entries gets the Inode of each.
func TestListingsMakeABoundedNumberOfInodes(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	bigDir(t, r, maxMade+300)
	known := "big/f" + fmt.Sprintf("%05d", maxMade+200)
	for _, tt := range []struct {
		name string
		read func(*Dir, context.Context, int) ([]DirEntry, error)
		want int
	}{
		{"Read", (*Dir).Read, maxMade + 1},
		{"ReadPlus", (*Dir).ReadPlus, maxMade + 300},
	} {
		fs := r.mount("", Options{})
		ino := find(t, fs, known)
		var all []DirEntry
		d := openDir(t, fs, "big")
		for {
			entries, err := tt.read(d, t.Context(), 100)
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			all = append(all, entries...)
		}
		inodes := 0
		for i, e := range all { // all pages are still what they were
			if e.Name != fmt.Sprintf("f%05d", i) || e.Attr == nil || e.Attr.Size != 6 || e.Type != nfs3.TypeReg || e.Attr.FileID != e.FileID {
				t.Fatalf("%s: entry %d is %+v with %+v", tt.name, i, e, e.Attr)
			}
			if e.Inode != nil {
				inodes++
			}
		}
		want(t, tt.name+": entries", len(all), maxMade+300)
		want(t, tt.name+": entries with an Inode", inodes, tt.want)
		want(t, tt.name+": the one that was there before", all[maxMade+200].Inode, ino)
	}
}

// A server's dtpref is asked for first, so that a short listing costs no more;
// a long one takes pages that grow, but never past what it sends or we bear.
func TestPagesOfALongListingGrow(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    nfstest.Options
		want []uint32
	}{
		{"a short page is preferred", nfstest.Options{Dtpref: 8 << 10}, []uint32{8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 256 << 10}},
		{"no READ can be that long", nfstest.Options{Dtpref: 8 << 10, Rtmax: 32 << 10}, []uint32{8 << 10, 16 << 10, 32 << 10, 32 << 10}},
		{"a long page is preferred", nfstest.Options{Dtpref: 512 << 10}, []uint32{512 << 10, 512 << 10}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.o)
			bigDir(t, r, 5000)
			var asked []uint32
			r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcReaddirplus}, If: func(c *nfstest.Call) bool {
				asked = append(asked, c.Args.(*nfs3.ReaddirplusArgs).MaxCount)
				return false
			}})
			d := openDir(t, r.mount("", Options{}), "big")
			for {
				if _, err := d.Read(t.Context(), 0); errors.Is(err, io.EOF) {
					break
				} else {
					must(t, err)
				}
			}
			if n := min(len(asked), len(tt.want)); n < 2 || !slices.Equal(asked[:n], tt.want[:n]) {
				t.Errorf("pages of %d were asked for, want %d", asked, tt.want)
			}
		})
	}
}
