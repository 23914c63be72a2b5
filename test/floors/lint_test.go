package floors_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is the hard cap of a Go file; a longer one holds two ideas.
const maxLines = 450

// generated is the mark of https://go.dev/s/generatedcode.
var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

func TestFilesAreShort(t *testing.T) {
	var lengths []int
	for _, p := range packages(t) {
		for _, name := range p.all() {
			text := read(t, filepath.Join(p.Dir, name))
			if generated.Match(text) {
				continue
			}
			n := bytes.Count(text, []byte("\n"))
			if n > maxLines {
				t.Errorf("%s/%s has %d lines, more than %d: look for the second idea in it", p.rel(), name, n, maxLines)
			}
			if !strings.HasSuffix(name, "_test.go") {
				lengths = append(lengths, n)
			}
		}
	}
	slices.Sort(lengths)
	t.Logf("%d files without tests: median %d lines, nine in ten at most %d, longest %d",
		len(lengths), lengths[len(lengths)/2], lengths[len(lengths)*9/10], lengths[len(lengths)-1])
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		path := filepath.Join(p.Dir, "doc.go")
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Errorf("%s has no doc.go: %v", p.rel(), err)
			continue
		}
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + filepath.Base(p.Dir) + " "
		}
		if f.Doc == nil || !strings.HasPrefix(strings.Join(strings.Fields(f.Doc.Text()), " "), want) {
			t.Errorf("%s/doc.go does not begin with %q", p.rel(), "// "+want+"…")
		}
	}
}

func TestEveryLibraryPackageHasAnExample(t *testing.T) {
	for _, p := range packages(t) {
		if n, _ := floor(p.rel()); n >= 8 || strings.Contains(p.rel(), "internal") {
			continue
		}
		if p.rel() == "fuse" {
			continue // its ExampleMount needs /dev/fuse: a test of its own runs it where there is one
		}
		if !slices.ContainsFunc(slices.Concat(p.TestGoFiles, p.XTestGoFiles), func(name string) bool {
			return hasRunningExample(t, filepath.Join(p.Dir, name))
		}) {
			t.Errorf("%s has no Example test with an Output comment: only such a one is run", p.rel())
		}
	}
}

// hasRunningExample tells whether `go test` would run an example of the file:
// without an Output comment it is only compiled.
func hasRunningExample(t *testing.T, path string) bool {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Example") {
			continue
		}
		for _, c := range f.Comments {
			text := strings.ToLower(c.Text())
			if c.Pos() > fn.Pos() && c.End() < fn.End() &&
				(strings.HasPrefix(text, "output:") || strings.HasPrefix(text, "unordered output:")) {
				return true
			}
		}
	}
	return false
}

// forbidden are words that no file of the repository may hold, and why. They
// are split here so that this file does not hold them either.
var forbidden = []struct {
	word *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`\.\./` + `shared\b`), "the repository stands alone: it needs no folder beside it"},
	{regexp.MustCompile(`/work/` + `(main|shared)\b`), "a path of one machine"},
	{regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`), "finish it, or open an issue"},
	{regexp.MustCompile(`go install \S+@` + `latest`), "the module is not published"},
}

func TestNoFileHoldsAForbiddenWord(t *testing.T) {
	root := filepath.Join("..", "..")
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Skipf("the files of the repository are listed by git, which says: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			continue // deleted and not yet committed, or a symbolic link to a folder
		}
		for _, f := range forbidden {
			if at := f.word.FindIndex(text); at != nil {
				line := bytes.Count(text[:at[0]], []byte("\n")) + 1
				t.Errorf("%s:%d: %q: %s", name, line, text[at[0]:at[1]], f.why)
			}
		}
	}
}

// read returns a file's bytes.
func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
