package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A "/" at the end of a name says that it is a directory's, and ".." is nothing
// to remove.
func TestTheEndsOfNamesAreHeeded(t *testing.T) {
	here := filepath.Join(t.TempDir(), "here")
	if err := os.WriteFile(here, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line   string
		stdout []string // lines, in any order
		stderr string   // part of it; "" for success
		there  []string // afterwards, on the server
	}{
		{line: "ls EXPORT/dir/", stdout: []string{"a.txt", "b.log", "sub"}},
		{line: "ls EXPORT/dir", stdout: []string{"a.txt", "b.log", "sub"}},
		{line: "ls -d EXPORT/dir", stdout: []string{"dir"}},
		{line: "ls EXPORT/round", stdout: []string{"round"}},
		{line: "ls EXPORT/f/", stderr: "not a directory"},
		{line: "ls EXPORT/round/", stderr: "symbolic links"},
		{line: "cat EXPORT/f/", stderr: "not a directory"},
		{line: "cat EXPORT/none/", stderr: "no such file"},
		{line: "find EXPORT/dir", stdout: []string{"EXPORT/dir"}},
		{line: "find EXPORT/dir/ -type f -name a*", stdout: []string{"EXPORT/dir/a.txt"}},
		{line: "du -sb EXPORT/dir/sub/", stdout: []string{"7096\tEXPORT/dir/sub/"}},
		{line: "rm EXPORT/f/", stderr: "not a directory", there: []string{"f"}},
		{line: "rm -rf EXPORT/dir/", stderr: "not a directory", there: []string{"dir", "d/a.txt"}},
		{line: "rm -r EXPORT/dir", there: []string{"d/a.txt"}},
		{line: "rm -r EXPORT/d/sub/", there: []string{"d/a.txt"}},
		{line: "rm -rf EXPORT/d/sub/..", stderr: `ends in ".." is not removed`, there: []string{"d/a.txt", "d/sub/c.txt"}},
		{line: "rm -rf EXPORT/d/sub/../", stderr: `ends in ".." is not removed`, there: []string{"d/a.txt", "d/sub/c.txt"}},
		{line: "rm -rf EXPORT/d/.", stderr: `ends in "." is not removed`, there: []string{"d/a.txt"}},
		{line: "cp EXPORT/f/ EXPORT/g", stderr: "not a directory"},
		{line: "cp HERE/ EXPORT/g", stderr: "not a directory"},
		{line: "cp EXPORT/f EXPORT/new/", stderr: "is no directory"},
		{line: "cp EXPORT/f EXPORT/d/a.txt/", stderr: "not a directory"},
		{line: "cp EXPORT/f EXPORT/dir/", there: []string{"dir", "d/f"}},
		{line: "cp -r EXPORT/d/sub EXPORT/new/", there: []string{"new/c.txt"}},
		{line: "cp -r EXPORT/dir/ EXPORT/new", there: []string{"new/a.txt", "new/sub/c.txt"}},
		{line: "cp EXPORT/f HEREnew/", stderr: "is no directory"},
		{line: "cp EXPORT/d/a.txt EXPORT/d/../d/a.txt EXPORT", stderr: "another source was copied to EXPORT/a.txt", there: []string{"a.txt"}},
	} {
		t.Run(c.line, func(t *testing.T) {
			s := planted(t)
			if err := errors.Join(s.Symlink("d", "dir"), s.Symlink("round", "round")); err != nil {
				t.Fatal(err)
			}
			stdout, stderr, code := on(t, s, strings.ReplaceAll(c.line, "HERE", here))
			stdout, stderr = strings.ReplaceAll(stdout, s.Export(), "EXPORT"), strings.ReplaceAll(stderr, s.Export(), "EXPORT")
			if (code != 0) != (c.stderr != "") || !strings.Contains(stderr, c.stderr) || code == 0 && stderr != "" {
				t.Errorf("exit code %d, %q, want %q", code, stderr, c.stderr)
			}
			if got := slices.Sorted(strings.SplitSeq(strings.TrimSuffix(stdout, "\n"), "\n")); c.stdout != nil && !slices.Equal(got, c.stdout) {
				t.Errorf("it printed %q, want %q", got, c.stdout)
			}
			for _, name := range c.there {
				if _, err := s.Stat(name); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if m := s.Mounts(); len(m) > 0 {
				t.Errorf("still mounted: %v", m)
			}
		})
	}
}

// An empty name is not that of the directory one is in.
func TestAnEmptyNameIsNothing(t *testing.T) {
	s := planted(t)
	for _, args := range [][]string{{"", "EXPORT/copy"}, {"EXPORT/d", ""}, {"EXPORT/f", "", "EXPORT/d"}} {
		_, stderr, code := on(t, s, "cp -r", args...)
		if code != 1 || !strings.Contains(stderr, "the name is empty") {
			t.Errorf("cp -r %q: exit code %d, %q", args, code, stderr)
		}
	}
	if _, err := s.Stat("copy"); err == nil {
		t.Error("this directory was copied")
	}
	if _, err := os.Stat("d"); err == nil {
		t.Error("it was copied to this directory")
	}
}
