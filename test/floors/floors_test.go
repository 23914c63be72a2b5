package floors_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floorOf is the table of the house. Folders stand for all packages below
// them.
var floorOf = map[string]int{
	"xdr": 0, "transport": 1, "rpc": 2,
	"portmap": 3, "mountd": 3, "nlm": 3, "nsm": 3, "nfs3": 3, "mountopt": 3,
	"lock": 4, "nfsacl": 4, "mount": 5, "nfstest": 5, "client": 6,
	".": 7, "fuse": 7, "mounttab": 7, "cmd": 8, "test": 9,
}

// goPackage is what `go list -json` tells about one package.
type goPackage struct {
	Dir, ImportPath, Name              string
	GoFiles, TestGoFiles, XTestGoFiles []string
	IgnoredGoFiles                     []string
	Module                             struct{ Path string }
}

// rel is the package's folder under the module's root, "." for the root.
func (p *goPackage) rel() string {
	if p.ImportPath == p.Module.Path {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, p.Module.Path+"/")
}

// production lists the files that are built on some platform, without tests.
func (p *goPackage) production() []string {
	files := slices.Clone(p.GoFiles)
	for _, f := range p.IgnoredGoFiles {
		if !strings.HasSuffix(f, "_test.go") {
			files = append(files, f)
		}
	}
	return files
}

// all lists every Go file of the package.
func (p *goPackage) all() []string {
	return slices.Concat(p.GoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles)
}

// packages lists the packages of this module.
func packages(t *testing.T) []*goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var list []*goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := new(goPackage)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatalf("go list -json: %v", err)
		}
		list = append(list, p)
	}
}

// floor finds the floor of a folder of the module.
func floor(rel string) (int, bool) {
	for dir := rel; ; dir = filepath.Dir(dir) {
		if n, ok := floorOf[dir]; ok && (dir != "." || rel == ".") {
			return n, true
		}
		if dir == "." {
			return 0, false
		}
	}
}

// mayImport tells whether a package in folder from may import one in folder
// to, and if not, why.
func mayImport(from, to string) (bool, string) {
	ff, ok := floor(from)
	if !ok {
		return false, from + " has no floor: enter it in the table of test/floors"
	}
	tf, ok := floor(to)
	if !ok {
		return false, to + " has no floor: enter it in the table of test/floors"
	}
	top := func(rel string) string { return strings.SplitN(rel, "/", 2)[0] }
	switch {
	case ff > tf:
		return true, ""
	case ff == tf && top(from) == top(to) && strings.Contains(to, "internal"):
		return true, ""
	case ff == tf && top(from) == "test" && top(to) == "test":
		return true, ""
	}
	return false, "imports must point down"
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range p.production() {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ImportsOnly)
			if err != nil {
				t.Error(err)
				continue
			}
			for _, spec := range f.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				to, ours := strings.CutPrefix(path+"/", p.Module.Path+"/")
				if !ours {
					continue
				}
				to = cmp.Or(strings.TrimSuffix(to, "/"), ".")
				if ok, why := mayImport(p.rel(), to); !ok {
					t.Errorf("%s/%s imports %s: %s", p.rel(), name, to, why)
				}
			}
		}
	}
}

func TestFloorRules(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		want           bool
	}{
		{"rpc stands on transport", "rpc", "transport", true},
		{"transport does not know rpc", "transport", "rpc", false},
		{"two RPC programs do not know each other", "nfs3", "mountd", false},
		{"the front door stands on client", ".", "client", true},
		{"client does not know the front door", "client", ".", false},
		{"fuse does not know the front door", "fuse", ".", false},
		{"the front door does not link FUSE", ".", "fuse", false},
		{"a command uses what commands share", "cmd/gonfs", "cmd/internal/mounter", true},
		{"a command does not import a command", "cmd/gonfs", "cmd/mount.gonfs", false},
		{"a package's internal folder is on its floor", "client", "client/internal/slab", true},
		{"nothing imports the tests", "cmd/gonfs", "test/e2e", false},
		{"a folder that the table does not know is refused", "util", "xdr", false},
		{"importing a folder that the table does not know is refused", "client", "util", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, why := mayImport(c.from, c.to); got != c.want {
				t.Errorf("mayImport(%q, %q) = %v (%s), want %v", c.from, c.to, got, why, c.want)
			}
		})
	}
}
