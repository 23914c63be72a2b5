package trees

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// wide makes dirs directories of files files each on the server.
func wide(t *testing.T, s *nfstest.Server, dirs, files int) {
	t.Helper()
	must(t, s.Mkdir("top", 0o777))
	for d := range dirs {
		must(t, s.Mkdir(fmt.Sprintf("top/d%d", d), 0o777))
		for f := range files {
			must(t, s.WriteFile(fmt.Sprintf("top/d%d/f%d", d, f), make([]byte, 1000), 0o666))
		}
	}
}

func TestAWalkMeetsEverythingOnceAndLeavesADirectoryAfterWhatIsInIt(t *testing.T) {
	s, server := there(t, nfstest.Options{})
	wide(t, server, 20, 30)
	for _, n := range []int{1, 2, 32} {
		var mu sync.Mutex
		met, left := map[string]int{}, map[string]bool{}
		w := &Walk{Side: s, Crew: NewCrew(n), Problems: none(t),
			Enter: func(_ context.Context, e *Entry) (bool, error) {
				mu.Lock()
				defer mu.Unlock()
				met[e.Name]++
				return true, nil
			},
			Leave: func(_ context.Context, e *Entry, whole bool) error {
				mu.Lock()
				defer mu.Unlock()
				left[e.Name] = true
				if !whole {
					t.Errorf("%s is not whole", e.Name)
				}
				if e.Name == "top" && len(met) != 1+20+20*30 {
					t.Errorf("top is left when %d entries were met", len(met))
				}
				return nil
			},
		}
		must(t, w.Run(t.Context(), "top"))
		for name, times := range met {
			if times != 1 {
				t.Errorf("%s was met %d times", name, times)
			}
		}
		if len(met) != 621 || len(left) != 21 {
			t.Errorf("%d helpers: %d entries were met, %d directories left", n, len(met), len(left))
		}
	}
}

func TestAWalkIsParallelAndBounded(t *testing.T) {
	s, server := there(t, nfstest.Options{})
	wide(t, server, 1, 64)
	var mu sync.Mutex
	now, most := 0, 0
	w := &Walk{Side: s, Crew: NewCrew(8), Problems: none(t), Enter: func(_ context.Context, e *Entry) (bool, error) {
		mu.Lock()
		now++
		most = max(most, now)
		for end := time.Now().Add(10 * time.Second); !e.Info.IsDir() && most < 4 && time.Now().Before(end); { // for others to come
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
		}
		mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		return true, nil
	}}
	must(t, w.Run(t.Context(), "top"))
	if most < 4 || most > 8 {
		t.Errorf("%d at once, want 8 at most, and about as many", most)
	}
}

// A server may pretend that a directory holds itself.
func TestAWalkEndsInALoop(t *testing.T) {
	s, server := there(t, nfstest.Options{})
	must(t, server.Mkdir("d", 0o777))
	must(t, server.Mkdir("d/d", 0o777))
	fh, err := server.Handle("d")
	must(t, err)
	a, err := server.Stat("d")
	must(t, err)
	server.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcReaddirplus}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Reply(func(_, reply any) {
		for i, e := range reply.(*nfs3.ReaddirplusReply).Entries {
			if e.Name == "d" {
				e.FileID, e.FH.FH, e.Attr.Attr = a.FileID, fh, a
				reply.(*nfs3.ReaddirplusReply).Entries[i] = e
			}
		}
	})}})
	var told []error
	server.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcLookup}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Reply(func(_, reply any) {
		r := reply.(*nfs3.LookupReply)
		r.Object, r.Attr.Attr = fh, a
	})}})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	w := &Walk{Side: s, Crew: NewCrew(1), Problems: collect(&told), Enter: func(context.Context, *Entry) (bool, error) { return true, nil }}
	if err := w.Run(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	if len(told) == 0 {
		t.Error("a loop without end is no problem")
	}
}

func TestAWalkEndsWithItsContext(t *testing.T) {
	s, server := there(t, nfstest.Options{})
	wide(t, server, 10, 10)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	w := &Walk{Side: s, Crew: NewCrew(1), Problems: none(t), Enter: func(context.Context, *Entry) (bool, error) {
		if n++; n == 5 {
			cancel()
		}
		return true, nil
	}}
	if err := w.Run(ctx, "top"); !errors.Is(err, context.Canceled) || n != 5 {
		t.Errorf("%v after %d entries", err, n)
	}
}

func TestATreeIsRemoved(t *testing.T) {
	for _, c := range []struct {
		name     string
		fault    func(s *nfstest.Server)
		problems int
		left     bool
	}{
		{"as it is", func(*nfstest.Server) {}, 0, false},
		{"though a listing leaves something out", func(s *nfstest.Server) {
			s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcReaddirplus}, Skip: 1, Times: 1, Do: []nfstest.Action{nfstest.Reply(func(_, reply any) {
				r := reply.(*nfs3.ReaddirplusReply)
				r.Entries = r.Entries[:len(r.Entries)-1]
			})}})
		}, 0, false},
		{"but for what the server keeps", func(s *nfstest.Server) { s.Fail(nfs3.ErrAcces, 1, nfs3.ProcRemove) }, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, server := there(t, nfstest.Options{})
			wide(t, server, 5, 20)
			c.fault(server)
			var told []error
			rm := &Remove{Side: s, Crew: NewCrew(4), Problems: collect(&told)}
			must(t, rm.Run(t.Context(), "top"))
			_, err := server.Stat("top")
			if len(told) != c.problems || (err == nil) != c.left {
				t.Errorf("problems %v; afterwards top: %v", told, err)
			}
			if !c.left && rm.Files.Load() != 5*20+5+1 {
				t.Errorf("%d names were removed", rm.Files.Load())
			}
		})
	}
}

func TestUsageCountsEachFileOnce(t *testing.T) {
	l, dir := here(t)
	forest(t, dir)
	s, _ := there(t, nfstest.Options{})
	must(t, (&Copy{From: l, To: s, Crew: NewCrew(8), Problems: none(t)}).Run(t.Context(), "tree", "tree"))
	var want int64
	seen := map[key]bool{}
	for name := range describe(t, s, "tree") {
		fi, err := s.Lstat(t.Context(), "tree"+name)
		must(t, err)
		if id := s.Identity(fi); !seen[id.key()] {
			seen[id.key()] = true
			want += fi.Size()
		}
	}
	var order []string
	u := &Usage{Side: s, Crew: NewCrew(8), Problems: none(t), Apparent: true, Tell: func(e *Entry, _ int64) { order = append(order, e.Name) }}
	got, err := u.Run(t.Context(), "tree")
	must(t, err)
	if got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
	for i, name := range order {
		if j := slices.Index(order, "tree/deep/deeper"); name == "tree/deep" && j > i || order[len(order)-1] != "tree" {
			t.Errorf("%s is told before what is in it", name)
		}
	}
	if again, err := u.Run(t.Context(), "tree/small"); err != nil || again != 0 {
		t.Errorf("a file that was counted counts %d more, %v", again, err)
	}
}

func TestMatchesAreThoseOfFind(t *testing.T) {
	now := time.Now()
	e := &Entry{Name: "dir/Report.TXT", Info: fake{"Report.TXT", 1500, 0o644, now.Add(-36 * time.Hour)}}
	for _, c := range []struct {
		test string
		make func() (Match, error)
		want bool
	}{
		{"-name *.TXT", func() (Match, error) { return NameMatch("*.TXT", false) }, true},
		{"-name *.txt", func() (Match, error) { return NameMatch("*.txt", false) }, false},
		{"-iname *.txt", func() (Match, error) { return NameMatch("*.txt", true) }, true},
		{"-type f", func() (Match, error) { return TypeMatch("f") }, true},
		{"-type d,l", func() (Match, error) { return TypeMatch("d,l") }, false},
		{"-type d,f", func() (Match, error) { return TypeMatch("d,f") }, true},
		{"-size 3", func() (Match, error) { return SizeMatch("3") }, true},
		{"-size 2k", func() (Match, error) { return SizeMatch("2k") }, true},
		{"-size 1500c", func() (Match, error) { return SizeMatch("1500c") }, true},
		{"-size +1500c", func() (Match, error) { return SizeMatch("+1500c") }, false},
		{"-size -1501c", func() (Match, error) { return SizeMatch("-1501c") }, true},
		{"-size -1M", func() (Match, error) { return SizeMatch("-1M") }, false},
		{"-mtime 1", func() (Match, error) { return AgeMatch("1", 24*time.Hour, now) }, true},
		{"-mtime +1", func() (Match, error) { return AgeMatch("+1", 24*time.Hour, now) }, false},
		{"-mtime -2", func() (Match, error) { return AgeMatch("-2", 24*time.Hour, now) }, true},
		{"-mmin +2000", func() (Match, error) { return AgeMatch("+2000", time.Minute, now) }, true},
	} {
		m, err := c.make()
		must(t, err)
		if got := m(e); got != c.want {
			t.Errorf("%s: %v, want %v", c.test, got, c.want)
		}
	}
	for what, f := range map[string]func() (Match, error){
		"a pattern that ends in \\": func() (Match, error) { return NameMatch(`a\`, false) },
		"a class of fantasy":        func() (Match, error) { return NameMatch("[[:letter:]]", false) },
		"a type of fantasy":         func() (Match, error) { return TypeMatch("x") },
		"no type":                   func() (Match, error) { return TypeMatch("") },
		"a size that is no number":  func() (Match, error) { return SizeMatch("big") },
		"no size":                   func() (Match, error) { return SizeMatch("") },
		"two signs":                 func() (Match, error) { return SizeMatch("+-1") },
		"an age that is no number":  func() (Match, error) { return AgeMatch("x", time.Hour, now) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

// fake is a description of a file.
type fake struct {
	name  string
	size  int64
	mode  fs.FileMode
	mtime time.Time
}

func (f fake) Name() string       { return f.name }
func (f fake) Size() int64        { return f.size }
func (f fake) Mode() fs.FileMode  { return f.mode }
func (f fake) ModTime() time.Time { return f.mtime }
func (f fake) IsDir() bool        { return f.mode.IsDir() }
func (f fake) Sys() any           { return nil }
