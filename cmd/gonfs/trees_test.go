package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// on runs a command of gonfs against a server, and returns what it prints.
// EXPORT stands for the export in its arguments.
func on(t *testing.T, s *nfstest.Server, line string, more ...string) (stdout, stderr string, code int) {
	t.Helper()
	args := []string{"gonfs"}
	for _, a := range append(strings.Fields(line), more...) {
		args = append(args, strings.ReplaceAll(a, "EXPORT", s.Export()))
	}
	args = slices.Insert(args, 2, "-o", s.MountOptions())
	var out, errs bytes.Buffer
	app := newApp()
	app.Writer, app.ErrWriter = &out, &errs
	err := run(t.Context(), app, args)
	var exit cli.ExitCoder
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		code = 1
	}
	if err != nil && err.Error() != "" {
		errs.WriteString(err.Error())
	}
	return out.String(), errs.String(), code
}

// planted returns a server with a small tree.
func planted(t *testing.T) *nfstest.Server {
	t.Helper()
	s := nfstest.Start(t, nfstest.Options{})
	for _, d := range []string{"d", "d/sub"} {
		if err := s.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, size := range map[string]int{"d/a.txt": 1000, "d/b.log": 5000, "d/sub/c.txt": 3000, "f": 10} {
		if err := s.WriteFile(name, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestCommandsOnTrees(t *testing.T) {
	for _, c := range []struct {
		line   string
		stdout []string // lines, in any order; nil: not looked at
		stderr string   // part of it
		code   int
		gone   string // what must not be there afterwards
	}{
		{line: "find EXPORT", stdout: []string{"EXPORT", "EXPORT/d", "EXPORT/d/a.txt", "EXPORT/d/b.log", "EXPORT/d/sub", "EXPORT/d/sub/c.txt", "EXPORT/f"}},
		{line: "find EXPORT/d -name *.txt", stdout: []string{"EXPORT/d/a.txt", "EXPORT/d/sub/c.txt"}},
		{line: "find EXPORT/d/ -type d", stdout: []string{"EXPORT/d/", "EXPORT/d/sub"}},
		{line: "find EXPORT -type f -size +3k", stdout: []string{"EXPORT/d/b.log"}},
		{line: "find EXPORT -mindepth 1 -maxdepth 1", stdout: []string{"EXPORT/d", "EXPORT/f"}},
		{line: "find EXPORT -mtime +1", stdout: []string{}},
		{line: "find EXPORT -type f -name [!abf]*", stdout: []string{"EXPORT/d/sub/c.txt"}},
		{line: "find EXPORT -size +1k -size -4k -type d,f", stdout: []string{"EXPORT/d/sub/c.txt"}},
		{line: "find EXPORT -name *.txt -name a*", stdout: []string{"EXPORT/d/a.txt"}},
		{line: "find EXPORT -maxdepth -1", stderr: "--maxdepth -1: 0 or more", code: 1},
		{line: "find EXPORT -mindepth -1", stderr: "--mindepth -1: 0 or more", code: 1},
		{line: "du -d -2 EXPORT", stderr: "-d -2: 0 or more", code: 1},
		{line: "find EXPORT -type x", stderr: "f, d, l, p, s, b and c", code: 1},
		{line: "find EXPORT/none", stderr: "no such file", code: 1},
		{line: "du -b EXPORT/d", stdout: nil},
		{line: "du -sb EXPORT/d/sub/c.txt", stdout: []string{"3000\tEXPORT/d/sub/c.txt"}},
		{line: "du -s -a EXPORT", stderr: "-s goes with neither", code: 1},
		{line: "rm EXPORT/f", stdout: []string{}, gone: "f"},
		{line: "rm -v EXPORT/f", stdout: []string{"EXPORT/f"}, gone: "f"},
		{line: "rm EXPORT/d", stderr: "is a directory: give -r", code: 1},
		{line: "rm -r EXPORT/d", stdout: []string{}, gone: "d"},
		{line: "rm -rf EXPORT/d EXPORT/none", stdout: []string{}, gone: "d"},
		{line: "rm EXPORT/none", stderr: "no such file", code: 1},
		{line: "rm -rf EXPORT", stderr: "an export itself cannot be removed", code: 1},
		{line: "rm --inflight 0 EXPORT/f", stderr: "--inflight 0: 1 to 256", code: 1},
		{line: "cp EXPORT/d EXPORT/e", stderr: "give -r", code: 1},
		{line: "cp -r EXPORT/d EXPORT/d/sub", stderr: "copied into itself", code: 1},
		{line: "cp -r EXPORT/d EXPORT/d", stderr: "copied into itself", code: 1},
		{line: "cp -r EXPORT/d EXPORT/d/sub/new", stderr: "copied into itself", code: 1},
		{line: "cp -r EXPORT EXPORT/d", stderr: "copied into itself", code: 1},
		{line: "cp -rv EXPORT/d EXPORT/e", stdout: []string{"EXPORT/d", "EXPORT/d/a.txt", "EXPORT/d/b.log", "EXPORT/d/sub", "EXPORT/d/sub/c.txt"}},
		{line: "cp -rv EXPORT/d/sub EXPORT", stdout: []string{"EXPORT/d/sub", "EXPORT/d/sub/c.txt"}},
		{line: "cp -rv EXPORT/d/sub EXPORT/d/subs", stdout: []string{"EXPORT/d/sub", "EXPORT/d/sub/c.txt"}},
		{line: "cp EXPORT/f EXPORT/d/a.txt EXPORT/d/b.log", stderr: "more than one source", code: 1},
		{line: "cp EXPORT/f EXPORT/none/f", stderr: "no such file", code: 1},
		{line: "cp -v EXPORT/f EXPORT/d", stdout: []string{"EXPORT/f"}},
	} {
		t.Run(c.line, func(t *testing.T) {
			s := planted(t)
			stdout, stderr, code := on(t, s, c.line)
			if (code != 0) != (c.code != 0) || !strings.Contains(stderr, c.stderr) || c.code == 0 && stderr != "" {
				t.Errorf("exit code %d, %q, want %d, %q", code, stderr, c.code, c.stderr)
			}
			if c.stdout != nil {
				got := strings.FieldsFunc(strings.ReplaceAll(stdout, s.Export(), "EXPORT"), func(r rune) bool { return r == '\n' })
				slices.Sort(got)
				if !slices.Equal(got, c.stdout) {
					t.Errorf("it printed %q, want %q", got, c.stdout)
				}
			}
			if c.gone != "" {
				if _, err := s.Stat(c.gone); err == nil {
					t.Errorf("%s is still there", c.gone)
				}
			}
			if m := s.Mounts(); len(m) > 0 {
				t.Errorf("still mounted: %v", m)
			}
		})
	}
}

func TestATreeIsCopiedToADirectoryAndToANewName(t *testing.T) {
	s := planted(t)
	dir := t.TempDir()
	for _, c := range []struct{ to, at string }{{dir, "d/sub/c.txt"}, {filepath.Join(dir, "new"), "new/sub/c.txt"}} {
		if _, stderr, code := on(t, s, "cp -r EXPORT/d", c.to); code != 0 {
			t.Fatalf("exit code %d, %s", code, stderr)
		}
		if fi, err := os.Stat(filepath.Join(dir, c.at)); err != nil || fi.Size() != 3000 {
			t.Errorf("%s: %v, %v", c.at, fi, err)
		}
	}
	if _, stderr, code := on(t, s, "cp -r", filepath.Join(dir, "new"), filepath.Join(dir, "d"), s.Export()+"/f"); code == 0 {
		t.Errorf("two trees became one file: %s", stderr)
	}
	if _, stderr, code := on(t, s, "cp -r", filepath.Join(dir, "new")+"/.", s.Export()+"/d"); code != 0 {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if _, err := s.Stat("d/new"); err == nil {
		t.Error("the name of a directory that was given as DIR/. is in the copy")
	}
}

// A problem on the way is told, the rest is done, and the exit code says so.
func TestACopyOfATreeGoesOnAfterAProblem(t *testing.T) {
	s := planted(t)
	s.Fail(nfs3.ErrIO, 1, nfs3.ProcRead)
	dir := t.TempDir()
	_, stderr, code := on(t, s, "cp -r --inflight 1 EXPORT/d", dir)
	if code != 1 || !strings.Contains(stderr, "input/output error") || !strings.Contains(stderr, s.Export()+"/d/") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	n := 0
	for _, name := range []string{"d/a.txt", "d/b.log", "d/sub/c.txt"} {
		if fi, err := os.Stat(filepath.Join(dir, name)); err == nil && fi.Size() > 0 {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d of the other 2 files were copied", n)
	}
}

func TestFilesThatALinkLeadsToAreCopiedWithoutR(t *testing.T) {
	s := planted(t)
	if err := errors.Join(s.Symlink("d/a.txt", "link"), s.Symlink("/link", "far"), s.Symlink("round", "round")); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, stderr, code := on(t, s, "cp EXPORT/far", dir); code != 0 {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	if fi, err := os.Lstat(filepath.Join(dir, "far")); err != nil || fi.Size() != 1000 || !fi.Mode().IsRegular() {
		t.Errorf("%v, %v", fi, err)
	}
	if _, stderr, code := on(t, s, "cp EXPORT/round", dir); code == 0 || !strings.Contains(stderr, "symbolic links") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if err := os.Symlink(filepath.Join(dir, "far"), filepath.Join(dir, "here")); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := on(t, s, "cp", filepath.Join(dir, "here"), s.Export()+"/back"); code != 0 {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// What a terminal obeys in the name of a file does not get there in an error
// either.
func TestErrorsShowNamesThatAreHarmless(t *testing.T) {
	s := planted(t)
	if err := s.WriteFile("d/sub/\x1b[2J\n", []byte("data"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"rm -r EXPORT/d/sub", "cp -r EXPORT/d/sub " + t.TempDir()} {
		s.Fail(nfs3.ErrIO, nfstest.Forever, nfs3.ProcRemove, nfs3.ProcRead)
		_, stderr, code := on(t, s, line)
		s.ClearFaults()
		if code != 1 || strings.ContainsAny(stderr, "\x1b") || !strings.Contains(stderr, "/?[2J?: ") {
			t.Errorf("%s: exit code %d, %q", line, code, stderr)
		}
	}
}

// An interrupt ends a removal soon, and says so.
func TestAnInterruptEndsARemoval(t *testing.T) {
	s := planted(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRemove}, Times: nfstest.Forever, If: func(*nfstest.Call) bool { cancel(); return true },
		Do: []nfstest.Action{nfstest.DropCall()}})
	app := newApp()
	app.Writer, app.ErrWriter = io.Discard, io.Discard
	if err := app.RunContext(ctx, []string{"gonfs", "rm", "-r", "-o", s.MountOptions(), s.Export() + "/d"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
}
