package floors_test

import (
	"bytes"
	"go/ast"
	"go/doc"
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
		if !runsAnExample(t, p) {
			t.Errorf("%s has no Example that is run: one with an Output comment, or called by a test", p.rel())
		}
	}
}

// runsAnExample tells whether an example of the package is run by `go test`.
// Without an Output comment it is only compiled, unless a test calls it, as
// one that needs a device must be called.
func runsAnExample(t *testing.T, p *goPackage) bool {
	t.Helper()
	uses := make(map[string]int) // of identifiers; the declaration is one
	var silent []string
	for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range doc.Examples(f) {
			if e.Output != "" || e.EmptyOutput {
				return true
			}
			silent = append(silent, "Example"+e.Name)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				uses[id.Name]++
			}
			return true
		})
	}
	return slices.ContainsFunc(silent, func(name string) bool { return uses[name] > 1 })
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
