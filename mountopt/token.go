package mountopt

import "strings"

// item is one option as it was written, its quotes taken off.
type item struct {
	name, value string
	hasValue    bool // "name=" has one, the empty one
}

// String returns the option as it was written.
func (it item) String() string {
	if it.hasValue {
		return it.name + "=" + it.value
	}
	return it.name
}

// split takes an option string apart at its commas. A double quote protects
// what follows, commas and equal signs included, until the next one; there is
// no way to write a quote itself (nfs-utils, utils/mount/token.c). Empty items
// are skipped, as in "ro,,soft".
func split(s string) ([]item, error) {
	var items []item
	for len(s) > 0 {
		word, equals, rest, err := token(s)
		if err != nil {
			return nil, err
		}
		s = rest
		switch {
		case equals >= 0:
			items = append(items, item{word[:equals], word[equals+1:], true})
		case word != "":
			items = append(items, item{name: word})
		}
	}
	return items, nil
}

// token returns the text up to the first comma of s that no quote protects,
// where in it the first unprotected equal sign is (-1: nowhere), and what
// follows the comma.
func token(s string) (word string, equals int, rest string, err error) {
	var b strings.Builder
	equals = -1
	quoted := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return b.String(), equals, s[i+1:], nil
		default:
			if c == '=' && !quoted && equals < 0 {
				equals = b.Len()
			}
			b.WriteByte(c)
		}
	}
	if quoted {
		return "", -1, "", &Error{Kind: Syntax, Value: s, Msg: "parsing error on mount options: unterminated quote in " + show(s)}
	}
	return b.String(), equals, "", nil
}
