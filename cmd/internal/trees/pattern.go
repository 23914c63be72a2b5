package trees

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// classes are the character classes of POSIX, in ASCII and in the form that
// path.Match has for them.
var classes = map[string]string{
	"alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": "\t ", "cntrl": "\x00-\x1f\x7f", "digit": "0-9", "graph": "!-~",
	"lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~", "space": "\t-\r ", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}

// shellPattern turns a pattern of fnmatch(3) into one of path.Match, which
// writes [!a] as [^a], has no classes, and wants a "[" to end.
func shellPattern(text string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\\':
			if i++; i == len(text) {
				return "", fmt.Errorf("pattern %q: nothing follows the last %q", text, c)
			}
			b.WriteString(text[i-1 : i+1])
		case '[':
			set, n, err := bracket(text[i:])
			if err != nil {
				return "", fmt.Errorf("pattern %q: %w", text, err)
			}
			b.WriteString(set)
			i += n - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// bracket turns the "[…]" that text begins with into one of path.Match. n is
// how many bytes of text it takes: one if nothing ends it, for then "[" stands
// for itself.
func bracket(text string) (set string, n int, err error) {
	var b strings.Builder
	i := 1
	b.WriteByte('[')
	if strings.HasPrefix(text[i:], "!") || strings.HasPrefix(text[i:], "^") {
		b.WriteByte('^')
		i++
	}
	for first := true; i < len(text); first = false {
		if text[i] == ']' && !first {
			return b.String() + "]", i + 1, nil
		}
		if name, _, ok := strings.Cut(text[i:], ":]"); ok && strings.HasPrefix(name, "[:") {
			class, known := classes[name[2:]]
			if !known {
				return "", 0, fmt.Errorf("there is no class %s:]", name)
			}
			b.WriteString(class)
			i += len(name) + len(":]")
			continue
		}
		low, size := member(text[i:])
		b.WriteString(low)
		i += size
		if rest := text[i:]; len(rest) > 1 && rest[0] == '-' && rest[1] != ']' {
			high, size := member(rest[1:])
			b.WriteString("-" + high)
			i += 1 + size
		}
	}
	return `\[`, 1, nil
}

// member returns the character that text begins with, so that it means nothing
// special in "[…]", and how many bytes of text it takes.
func member(text string) (string, int) {
	skip := 0
	if text[0] == '\\' && len(text) > 1 {
		skip = 1
	}
	_, n := utf8.DecodeRuneInString(text[skip:])
	c := text[skip : skip+n]
	if strings.Contains(`\]-^[`, c) {
		c = `\` + c
	}
	return c, skip + n
}
