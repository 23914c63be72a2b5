package trees

import "testing"

// The patterns are those of fnmatch(3), as find -name has them.
func TestNamesFitPatternsOfTheShell(t *testing.T) {
	for _, c := range []struct {
		pattern  string
		yes, not []string
	}{
		{"*", []string{"", "a", ".hidden", "new\nline", "\xff"}, nil},
		{"?", []string{"a", "ä", "\n", "\xff"}, []string{"", "ab"}},
		{"a*c", []string{"ac", "abbc"}, []string{"abcd", "xac"}},
		{"[abc]", []string{"a", "c"}, []string{"d", "[", "ab"}},
		{"[!abc]", []string{"d", "!"}, []string{"a", ""}},
		{"[^abc]", []string{"d", "!"}, []string{"a"}},
		{"[a!]", []string{"a", "!"}, []string{"b"}},
		{"[]x]", []string{"]", "x"}, []string{"[", "[]x]"}},
		{"[!]x]", []string{"a"}, []string{"]", "x"}},
		{"[-x]", []string{"-", "x"}, []string{"w"}},
		{"[x-]", []string{"-", "x"}, []string{"y"}},
		{"[a-c-]", []string{"b", "-"}, []string{"d"}},
		{"[+--]", []string{"+", ",", "-"}, []string{"."}},
		{"[ä-ü]", []string{"ö"}, []string{"a"}},
		{"[[:digit:]]*", []string{"1a", "0"}, []string{"a1", "d]"}},
		{"[![:alpha:]_]", []string{"1", "-"}, []string{"a", "Z", "_"}},
		{"[[:punct:]]", []string{"!", "[", "`", "~", "\\"}, []string{"a", "0", " "}},
		{"[[:space:][:xdigit:]]", []string{" ", "\t", "f", "9"}, []string{"g", ":"}},
		{`[\]a]`, []string{"]", "a"}, []string{`\`}},
		{`[\\]`, []string{`\`}, []string{"]"}},
		{`\*`, []string{"*"}, []string{"a"}},
		{`\[a]`, []string{"[a]"}, []string{"a"}},
		{"[a", []string{"[a"}, []string{"a"}},
		{"[", []string{"["}, []string{""}},
		{"a[!", []string{"a[!"}, []string{"ab"}},
		{"\xff?", []string{"\xffa"}, []string{"\xfea"}},
	} {
		m, err := NameMatch(c.pattern, false)
		must(t, err)
		for name, want := range fits(c.yes, c.not) {
			if got := m(&Entry{Info: fake{name: name}}); got != want {
				t.Errorf("%q fits %q: %v, want %v", name, c.pattern, got, want)
			}
		}
	}
}

// fits says of each name whether it should.
func fits(yes, not []string) map[string]bool {
	m := map[string]bool{}
	for _, n := range yes {
		m[n] = true
	}
	for _, n := range not {
		m[n] = false
	}
	return m
}
