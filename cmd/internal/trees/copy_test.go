package trees

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

var longAgo = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

// forest makes a tree with everything that a copy has to keep.
func forest(t *testing.T, dir string) {
	t.Helper()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.MkdirAll(at("tree/deep/deeper"), 0o755))
	must(t, os.Mkdir(at("tree/locked"), 0o755))
	for name, data := range map[string][]byte{
		"tree/empty": nil, "tree/small": []byte("small"), "tree/deep/big": bytes.Repeat([]byte("0123456789abcde\n"), 200_000),
		"tree/deep/deeper/bytes \xff\x01": []byte("a name of bytes"), "tree/locked/f": []byte("f"),
	} {
		must(t, os.WriteFile(at(name), data, 0o640))
	}
	for i := range 300 {
		must(t, os.WriteFile(at(fmt.Sprintf("tree/deep/file%03d", i)), fmt.Append(nil, i), 0o644))
	}
	sparse, err := os.Create(at("tree/sparse"))
	must(t, err)
	_, err = sparse.WriteAt([]byte("far"), 5<<20)
	must(t, errors.Join(err, sparse.Truncate(9<<20), sparse.Close()))
	must(t, os.Symlink("small", at("tree/link")))
	must(t, os.Symlink("/nowhere/at/all", at("tree/dangling")))
	must(t, os.Link(at("tree/small"), at("tree/deep/also small")))
	must(t, os.Chmod(at("tree/deep/big"), 0o755))
	must(t, os.Chmod(at("tree/deep/deeper"), 0o755|fs.ModeSetgid|fs.ModeSticky))
	must(t, os.Chmod(at("tree/empty"), 0o400))
	must(t, os.Chmod(at("tree/locked"), 0o555))
	t.Cleanup(func() { _ = os.Chmod(at("tree/locked"), 0o755) }) // for who is not root
	for _, name := range []string{"tree/small", "tree/deep/big", "tree/sparse", "tree/deep", "tree"} {
		must(t, os.Chtimes(at(name), longAgo, longAgo.Add(time.Hour)))
	}
}

// describe says what a tree is, a line an entry.
func describe(t *testing.T, s Side, name string) map[string]string {
	t.Helper()
	lines := map[string]string{}
	first := map[key]string{}
	var walk func(name, rel string)
	walk = func(name, rel string) {
		fi, err := s.Lstat(t.Context(), name)
		must(t, err)
		line := fmt.Sprint(fi.Mode())
		switch id := s.Identity(fi); fi.Mode().Type() {
		case fs.ModeSymlink:
			text, err := s.Readlink(t.Context(), name)
			must(t, err)
			line = "link to " + text
		case fs.ModeDir:
			line += fmt.Sprint(" ", fi.ModTime().Unix() == longAgo.Add(time.Hour).Unix())
		default:
			f, err := s.Open(t.Context(), name)
			must(t, err)
			data := make([]byte, fi.Size())
			_, err = f.ReadAt(data, 0)
			must(t, errors.Join(ignoreEOF(err), f.Close()))
			line += fmt.Sprintf(" %d bytes %x, changed %v, sparse %v, %d names", fi.Size(), sum(data), fi.ModTime().Unix(), id.Used < fi.Size()/2, id.Links)
			if id.Links > 1 {
				first[id.key()] += rel + ";"
			}
		}
		lines[rel] = line
		if fi.IsDir() {
			for e, err := range s.List(t.Context(), name) {
				must(t, err)
				walk(name+"/"+e.Name(), rel+"/"+e.Name())
			}
		}
	}
	walk(name, "")
	for _, names := range first {
		if strings.Count(names, ";") != 2 {
			lines["links"] += names
		}
	}
	return lines
}

func ignoreEOF(err error) error {
	if err != nil && err.Error() == "EOF" {
		return nil
	}
	return err
}

func sum(p []byte) (s uint32) {
	for _, b := range p {
		s = s*31 + uint32(b)
	}
	return s
}

func compare(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %q is\n%s, want\n%s", what, name, got[name], want[name])
		}
	}
	for name := range maps.Keys(got) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %q should not be there", what, name)
		}
	}
}

func TestACopyToAServerAndBackIsTheSame(t *testing.T) {
	l, dir := here(t)
	forest(t, dir)
	s, _ := there(t, nfstest.Options{})
	want := describe(t, l, "tree")
	must(t, os.Chmod(filepath.Join(dir, "tree/deep/big"), 0o755|fs.ModeSetuid|fs.ModeSetgid)) // of its owner, who is not kept
	for _, workers := range []int{1, 32} {
		to := fmt.Sprint("copy", workers)
		crew := NewCrew(workers)
		must(t, (&Copy{From: l, To: s, Crew: crew, Problems: none(t), Checksum: true}).Run(t.Context(), "tree", to))
		compare(t, "on the server", describe(t, s, to), want)
		must(t, (&Copy{From: s, To: s, Crew: crew, Problems: none(t)}).Run(t.Context(), to, to+"+"))
		compare(t, "on the server, twice", describe(t, s, to+"+"), want)
		must(t, (&Copy{From: s, To: l, Crew: crew, Problems: none(t)}).Run(t.Context(), to, to))
		compare(t, "back", describe(t, l, to), want)
		_ = os.Chmod(filepath.Join(dir, to, "locked"), 0o755) // for who is not root
	}
}

func TestACopyGoesOn(t *testing.T) {
	l, dir := here(t)
	forest(t, dir)
	server := nfstest.NewFor(t, nfstest.Options{})
	cp := func(c *Copy) *Copy {
		c.From, c.To, c.Crew, c.Problems = l, mounted(t, server), NewCrew(8), none(t)
		must(t, c.Run(t.Context(), "tree", "tree"))
		return c
	}
	cp(&Copy{})
	server.ResetCounts()
	if again := cp(&Copy{Continue: true}); again.Files.Load() != 0 || server.Counts()["WRITE"] != 0 {
		t.Errorf("what was complete: %d files copied, %d WRITEs", again.Files.Load(), server.Counts()["WRITE"])
	}
	// A copy that was interrupted has some of the pieces, and not the time.
	must(t, server.WriteFile("tree/deep/big", append(bytes.Repeat([]byte("0123456789abcde\n"), 65536*2), "garbage"...), 0o644))
	must(t, server.WriteFile("tree/small", []byte("smell and more"), 0o644))
	must(t, server.WriteFile("tree/empty", []byte("was not empty once"), 0o644))
	server.ResetCounts()
	if again := cp(&Copy{Continue: true}); again.Files.Load() != 3 || server.Counts()["WRITE"] > 4 {
		t.Errorf("what was interrupted: %d files copied, %d WRITEs", again.Files.Load(), server.Counts()["WRITE"])
	}
	want := describe(t, l, "tree")
	compare(t, "after it", describe(t, mounted(t, server), "tree"), want)
	// Of the right size and time, and wrong all the same: only a checksum tells.
	a, err := server.Stat("tree/deep/file007")
	must(t, err)
	must(t, server.WriteFile("tree/deep/file007", []byte("8"), 0o644))
	must(t, server.Setattr("tree/deep/file007", &nfs3.Sattr{Mtime: nfs3.SetTime{How: nfs3.SetToClientTime, Time: a.Mtime}}))
	if again := cp(&Copy{Continue: true}); again.Files.Load() != 0 {
		t.Errorf("without a checksum %d files were copied", again.Files.Load())
	}
	cp(&Copy{Continue: true, Checksum: true})
	compare(t, "after a comparison of everything", describe(t, mounted(t, server), "tree"), want)
}

// What grows while it is copied replaces what an older copy has there, holes
// included.
func TestAFileThatGrowsWhileItIsCopiedIsCopiedWhole(t *testing.T) {
	for _, tail := range [][]byte{bytes.Repeat([]byte("more"), 300_000), make([]byte, 1_200_000)} {
		l, dir := here(t)
		at := filepath.Join(dir, "f")
		must(t, os.WriteFile(at, nil, 0o644))
		must(t, os.Truncate(at, 1_500_000))
		s, server := there(t, nfstest.Options{})
		must(t, server.WriteFile("f", bytes.Repeat([]byte("old"), 1_200_000), 0o644))
		cp := &Copy{From: l, To: s, Crew: NewCrew(4), Problems: none(t), Continue: true, Checksum: true, Named: func(string) {
			f, err := os.OpenFile(at, os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = f.Write(tail)
			must(t, errors.Join(err, f.Close()))
		}}
		must(t, cp.Run(t.Context(), "f", "f"))
		if got, err := server.ReadFile("f"); err != nil || !bytes.Equal(got, append(make([]byte, 1_500_000), tail...)) {
			t.Errorf("%d bytes that are not the source's, %v", len(got), err)
		}
	}
}

func TestAChecksumFindsACopyThatIsNotWhatWasWritten(t *testing.T) {
	l, dir := here(t)
	must(t, os.WriteFile(filepath.Join(dir, "f"), bytes.Repeat([]byte("x"), 100_000), 0o644))
	s, server := there(t, nfstest.Options{})
	server.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRead}, Do: []nfstest.Action{nfstest.Reply(func(_, reply any) {
		reply.(*nfs3.ReadReply).Data[77] ^= 4
	})}})
	var told []error
	must(t, (&Copy{From: l, To: s, Crew: NewCrew(2), Problems: collect(&told), Checksum: true}).Run(t.Context(), "f", "f"))
	if len(told) != 1 || !strings.Contains(told[0].Error(), "differs from the source") {
		t.Errorf("%v", told)
	}
}

func TestProblemsOfACopyAreToldAndTheRestIsCopied(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, dir string, s *nfstest.Server)
		want string // in the one problem
	}{
		{"a pipe", func(t *testing.T, dir string, _ *nfstest.Server) {
			must(t, syscall.Mkfifo(filepath.Join(dir, "tree/pipe"), 0o600))
		}, "pipe: is no regular file"},
		{"a directory in the way of a file", func(t *testing.T, _ string, s *nfstest.Server) {
			must(t, errors.Join(s.Mkdir("tree", 0o777), s.Mkdir("tree/b", 0o777)))
		}, "it is a directory"},
		{"a file in the way of a directory", func(t *testing.T, dir string, s *nfstest.Server) {
			must(t, os.WriteFile(filepath.Join(dir, "tree/d/below"), nil, 0o644)) // one problem tells it all
			must(t, errors.Join(s.Mkdir("tree", 0o777), s.WriteFile("tree/d", nil, 0o604)))
		}, "it is no directory"},
		{"a pipe in the way of a file", func(t *testing.T, _ string, s *nfstest.Server) {
			must(t, s.Mkdir("tree", 0o777))
			must(t, mounted(t, s).FS.Mknod(t.Context(), "tree/b", fs.ModeNamedPipe|0o604, 0, 0))
		}, "pipe or a socket"},
		{"no room", func(t *testing.T, _ string, s *nfstest.Server) {
			s.Fail(nfs3.ErrNospc, 1, nfs3.ProcWrite)
		}, "no space"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, dir := here(t)
			must(t, os.MkdirAll(filepath.Join(dir, "tree/d"), 0o755))
			for _, name := range []string{"tree/a", "tree/b", "tree/c"} {
				must(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
			}
			s, server := there(t, nfstest.Options{})
			c.do(t, dir, server)
			var told []error
			must(t, (&Copy{From: l, To: s, Crew: NewCrew(1), Problems: collect(&told)}).Run(t.Context(), "tree", "tree"))
			if len(told) != 1 || !strings.Contains(told[0].Error(), c.want) {
				t.Errorf("problems: %v, want one with %q", told, c.want)
			}
			if got, err := server.ReadFile("tree/c"); string(got) != "tree/c" {
				t.Errorf("the last file: %q, %v", got, err)
			}
			for _, name := range []string{"tree/d", "tree/b"} { // what is in the way stays as it is
				if a, err := server.Stat(name); err == nil && a.Type != nfs3.TypeDir && a.Mode != 0o604 && a.Mode != 0o644 {
					t.Errorf("%s: mode %o", name, a.Mode)
				}
			}
		})
	}
}

// What a server has under a name never lands outside of the directory that is
// copied to, whatever links lie there.
func TestACopyNeverLeavesItsDirectory(t *testing.T) {
	s, server := there(t, nfstest.Options{})
	must(t, errors.Join(server.Mkdir("tree", 0o777), server.Mkdir("tree/d", 0o777), server.WriteFile("tree/d/f", []byte("theirs"), 0o666),
		server.WriteFile("tree/g", []byte("theirs"), 0o666)))
	l, dir := here(t)
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "f"), []byte("mine"), 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "tree"), 0o755))
	must(t, os.Symlink(outside, filepath.Join(dir, "tree/d")))
	must(t, os.Symlink(filepath.Join(outside, "f"), filepath.Join(dir, "tree/g")))
	var told []error
	must(t, (&Copy{From: s, To: l, Crew: NewCrew(4), Problems: collect(&told)}).Run(t.Context(), "tree", "tree"))
	if got, _ := os.ReadFile(filepath.Join(outside, "f")); string(got) != "mine" {
		t.Errorf("the file outside holds %q", got)
	}
	if len(told) == 0 {
		t.Error("a link in the place of a directory is no problem")
	}
	if fi, err := os.Lstat(filepath.Join(dir, "tree/g")); err != nil || !fi.Mode().IsRegular() {
		t.Errorf("a link in the place of a file was not replaced: %v, %v", fi, err)
	}
}
