package mountopt

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// row is one line of testdata/options.
type row struct {
	where, input  string
	effective     string
	err           string
	warnings      []string
	lineOfTheFile int
}

// rows reads all tables; the README beside them says what a line means.
func rows(t testing.TB) []row {
	files, err := filepath.Glob("../testdata/options/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables in testdata/options: %v", err)
	}
	var all []row
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(b), "\n") {
			if line == "" || line[0] == '#' {
				continue
			}
			r := row{where: filepath.Base(f), lineOfTheFile: i + 1}
			input, want, isGood := strings.Cut(line, " -> ")
			if isGood {
				want := strings.Split(want, " ~ ")
				r.effective, r.warnings = want[0], want[1:]
			} else if input, want, isGood = strings.Cut(line, " !! "); isGood {
				r.err = want
			} else {
				t.Fatalf("%s:%d: no row: %q", f, i+1, line)
			}
			if r.input = strings.TrimRight(input, " "); r.input == "(empty)" {
				r.input = ""
			}
			all = append(all, r)
		}
	}
	return all
}

// Every row of testdata/options has the effect, or the error, that it names.
func TestTables(t *testing.T) {
	all := rows(t)
	if len(all) < 150 {
		t.Errorf("only %d rows: some were lost", len(all))
	}
	for _, r := range all {
		o, err := Parse(r.input)
		if r.err != "" {
			var e *Error
			switch {
			case err == nil:
				t.Errorf("%s:%d: %q is accepted as %q, want error %q", r.where, r.lineOfTheFile, r.input, o, r.err)
			case err.Error() != r.err:
				t.Errorf("%s:%d: %q\n got %s\nwant %s", r.where, r.lineOfTheFile, r.input, err, r.err)
			case !errors.As(err, &e):
				t.Errorf("%s:%d: %q: error is a %T", r.where, r.lineOfTheFile, r.input, err)
			case e.Kind != Syntax && e.Option == "" && !strings.HasPrefix(r.input, "="):
				t.Errorf("%s:%d: %q: the error names no option", r.where, r.lineOfTheFile, r.input)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s:%d: %q: %v", r.where, r.lineOfTheFile, r.input, err)
			continue
		}
		if got := o.String(); got != r.effective {
			t.Errorf("%s:%d: %q\n got %s\nwant %s", r.where, r.lineOfTheFile, r.input, got, r.effective)
		}
		if got := o.Warnings; !slices.Equal(got, r.warnings) {
			t.Errorf("%s:%d: %q warns %q, want %q", r.where, r.lineOfTheFile, r.input, got, r.warnings)
		}
	}
}

// Every name of every table is met by some row, so that none changes unseen.
func TestEveryNameHasARow(t *testing.T) {
	var seen []string
	for _, r := range rows(t) {
		if items, err := split(r.input); err == nil {
			for _, it := range items {
				seen = append(seen, it.name)
			}
		}
	}
	for _, k := range Table() {
		for _, n := range k.Names {
			if !slices.Contains(seen, n) && !strings.HasPrefix(n, "v4") && n != "trunkdiscovery" {
				t.Errorf("no row in testdata/options has %q", n)
			}
		}
	}
}

// A name stands for one thing only.
func TestNamesAreUnique(t *testing.T) {
	var all []string
	for _, k := range Table() {
		all = append(all, k.Names...)
	}
	for _, w := range vfsTable {
		all = append(all, w.on)
		if w.off != "" {
			all = append(all, w.off)
		}
	}
	all = append(all, slices.Concat(swallowed, remountOnly, refused)...)
	slices.Sort(all)
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			t.Errorf("%q is in two tables", all[i])
		}
	}
}

// What Table calls supported is accepted in its default form, and nothing else
// is: the two must not drift apart.
func TestSupportedIsTrue(t *testing.T) {
	values := map[string]string{
		"vers": "3", "nfsvers": "3", "mountvers": "3", "proto": "tcp", "mountproto": "udp", "port": "1", "mountport": "1", "mountaddr": "::1",
		"nconnect": "1", "retry": "0", "lookupcache": "pos", "replay": "strict", "local_lock": "all", "locks": "auto", "sec": "sys", "xprtsec": "none", "write": "lazy",
		"udpfrag": "warn", "bsize": "4096", "nfsprog": "100003", "mountprog": "100005",
	}
	for _, e := range table {
		for _, n := range e.Names {
			in := n
			if e.arg == valued {
				v, ok := values[n]
				if !ok {
					v = "9"
				}
				in += "=" + v
			}
			_, err := Parse(in)
			refusedVersion := strings.HasPrefix(n, "v2") || strings.HasPrefix(n, "v4")
			if e.Supported != (err == nil) && !refusedVersion {
				t.Errorf("%s: Table says supported: %v, Parse says %v", in, e.Supported, err)
			}
		}
	}
}
