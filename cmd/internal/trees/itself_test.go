package trees

import (
	"errors"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfstest"
)

// Neither a link on the way nor another mount hides that a copy is its own
// source.
func TestNothingIsCopiedOntoOrIntoItself(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		want           string // the problem
		mounts         int
	}{
		{"a file", "a/f", "a/f", "f: is the same file as the source", 1},
		{"a file by another name", "a/f", "b/f", "f: is the same file as the source", 1},
		{"a file through a link", "a/f", "l/a/f", "f: is the same file as the source", 1},
		{"a file through another mount", "a/f", "b/f", "f: is the same file as the source", 2},
		{"a directory", "a", "a", "a: a directory cannot be copied into itself", 1},
		{"a directory through a link", "a", "l/a", "a: a directory cannot be copied into itself", 1},
		{"a directory through another mount", "a", "a", "a: a directory cannot be copied into itself", 2},
		{"a directory into one in it", "a", "l/a/d/new", "a/d/new: a directory cannot be copied into itself", 1},
		{"a directory into one in it, through another mount", "a", "l/a/d/new", "a/d/new: a directory cannot be copied into itself", 2},
		{"a directory with a file that has a name in the copy", "a", "b", "a/f: is the same file as the source", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, server := there(t, nfstest.Options{})
			must(t, errors.Join(server.Mkdir("a", 0o777), server.Mkdir("a/d", 0o777), server.Mkdir("b", 0o777),
				server.WriteFile("a/f", []byte("data"), 0o666), server.Symlink(".", "l"), s.FS.Link(t.Context(), "a/f", "b/f")))
			to := s
			if c.mounts == 2 {
				to = mounted(t, server)
			}
			var told []error
			must(t, (&Copy{From: s, To: to, OneServer: c.mounts == 1, Crew: NewCrew(1), Problems: collect(&told)}).Run(t.Context(), c.from, c.to))
			if len(told) != 1 || told[0].Error() != c.want && told[0].Error() != "a/"+c.want {
				t.Errorf("problems: %v, want one: %s", told, c.want)
			}
			if got, err := server.ReadFile("a/f"); string(got) != "data" {
				t.Errorf("the source holds %q, %v", got, err)
			}
			if _, err := server.Stat("a/d/new/d/new"); err == nil {
				t.Error("the copy holds a copy of itself")
			}
		})
	}
}

func TestWhatIsTheSameFile(t *testing.T) {
	then := time.Unix(1e9, 123)
	served := Identity{FS: 1, ID: 2, Served: true, Ctime: then}
	for _, c := range []struct {
		name      string
		oneServer bool
		to        Identity
		want      bool
	}{
		{"one file of one server, changed since", true, Identity{FS: 1, ID: 2, Served: true, Ctime: then.Add(1)}, true},
		{"another file system of one server", true, Identity{FS: 3, ID: 2, Served: true, Ctime: then}, false},
		{"one server at another address", false, Identity{FS: 1, ID: 2, Served: true, Ctime: then}, true},
		{"a copy of its disk", false, Identity{FS: 3, ID: 2, Served: true, Ctime: then}, false},
		{"another file", false, Identity{FS: 1, ID: 4, Served: true, Ctime: then}, false},
		{"another server that counts alike", false, Identity{FS: 1, ID: 2, Served: true, Ctime: then.Add(1)}, false},
		{"a mount of it", false, Identity{FS: 77, ID: 2, Ctime: then}, true},
		{"a local file", false, Identity{FS: 77, ID: 2, Ctime: then.Add(1)}, false},
	} {
		if got := (&Copy{OneServer: c.oneServer}).same(served, c.to); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if (&Copy{OneServer: true}).same(Identity{}, Identity{}) {
		t.Error("two files of which nothing is known are one")
	}
}
