package trees

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
	"time"
)

// Match is what find(1) calls a test: whether an entry is one of those that are
// looked for.
type Match func(e *Entry) bool

// NameMatch is -name: the last element of the path fits the pattern, which is
// one of fnmatch(3); fold ignores case (-iname). An error says what is wrong
// with the pattern.
func NameMatch(text string, fold bool) (Match, error) {
	pattern, err := shellPattern(text)
	if err != nil {
		return nil, err
	}
	if fold {
		pattern = strings.ToLower(pattern)
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("pattern %q: %w", text, err)
	}
	return func(e *Entry) bool {
		name := e.Info.Name()
		if fold {
			name = strings.ToLower(name)
		}
		ok, _ := path.Match(pattern, name) // the pattern was tried
		return ok
	}, nil
}

// TypeMatch is -type: letters of find(1), one or several separated by commas.
func TypeMatch(letters string) (Match, error) {
	var want []fs.FileMode
	for l := range strings.SplitSeq(letters, ",") {
		t, ok := map[string]fs.FileMode{
			"f": 0, "d": fs.ModeDir, "l": fs.ModeSymlink, "p": fs.ModeNamedPipe, "s": fs.ModeSocket,
			"b": fs.ModeDevice, "c": fs.ModeDevice | fs.ModeCharDevice,
		}[l]
		if !ok {
			return nil, fmt.Errorf("type %q: f, d, l, p, s, b and c are known", l)
		}
		want = append(want, t)
	}
	return func(e *Entry) bool {
		for _, t := range want {
			if e.Info.Mode().Type() == t {
				return true
			}
		}
		return false
	}, nil
}

// units are those of -size; without one it is blocks of 512 bytes.
var units = map[byte]int64{'c': 1, 'w': 2, 'b': 512, 'k': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}

// SizeMatch is -size: a number of units, rounded up; + means more and - less.
func SizeMatch(text string) (Match, error) {
	number, unit := text, int64(512)
	if n := len(text); n > 0 {
		if u, ok := units[text[n-1]]; ok {
			number, unit = text[:n-1], u
		}
	}
	compare, err := comparison(number)
	if err != nil {
		return nil, fmt.Errorf("size %q: a number with one of c w b k M G behind it, and + or - before, is expected", text)
	}
	return func(e *Entry) bool {
		return compare((e.Info.Size() + unit - 1) / unit)
	}, nil
}

// AgeMatch is -mtime and -mmin: how many whole units ago the content changed; +
// means longer ago and - less long.
func AgeMatch(text string, unit time.Duration, now time.Time) (Match, error) {
	compare, err := comparison(text)
	if err != nil {
		return nil, fmt.Errorf("age %q: a number is expected, with + or - before it if need be", text)
	}
	return func(e *Entry) bool {
		return compare(int64(math.Floor(float64(now.Sub(e.Info.ModTime())) / float64(unit))))
	}, nil
}

// comparison reads a number of find(1): n, +n for more or -n for less.
func comparison(text string) (func(int64) bool, error) {
	digits := strings.TrimLeft(text, "+-")
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil:
		return nil, err
	case len(text) > len(digits)+1:
		return nil, strconv.ErrSyntax
	case strings.HasPrefix(text, "+"):
		return func(v int64) bool { return v > n }, nil
	case strings.HasPrefix(text, "-"):
		return func(v int64) bool { return v < n }, nil
	}
	return func(v int64) bool { return v == n }, nil
}
