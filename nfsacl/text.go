package nfsacl

import (
	"fmt"
	"strconv"
	"strings"
)

// Names turns ids into names and back, for the text forms. The zero value knows
// none: ids are shown and read as numbers.
type Names struct {
	// User and Group return the name of an id, or "" if it has none.
	User, Group func(id uint32) string
	// UserID and GroupID return the id of a name, and whether there is one.
	UserID, GroupID func(name string) (id uint32, ok bool)
}

// tagNames are the words of acl(5)'s text forms, in the order of the tags.
var tagNames = [...]struct {
	tag       Tag
	text, abb string
}{
	{UserObj, "user", "u"}, {User, "user", "u"},
	{GroupObj, "group", "g"}, {Group, "group", "g"},
	{Mask, "mask", "m"}, {Other, "other", "o"},
}

// Text returns the entry in the long text form of acl(5): "user:joe:rw-".
func (e Entry) Text(n Names) string {
	word, id := "", ""
	for _, t := range tagNames {
		if t.tag == e.Tag {
			word = t.text
		}
	}
	name := n.User
	if e.Tag == Group {
		name = n.Group
	}
	if e.Tag.named() {
		if name != nil {
			id = name(e.ID)
		}
		if id == "" {
			id = strconv.FormatUint(uint64(e.ID), 10)
		}
	}
	return word + ":" + id + ":" + PermText(e.Perm)
}

// PermText returns permissions as acl(5) writes them: "r-x".
func PermText(perm uint32) string {
	b := []byte("---")
	for i, p := range []uint32{Read, Write, Execute} {
		if perm&p != 0 {
			b[i] = "rwx"[i]
		}
	}
	return string(b)
}

// Effective returns what of e's permissions the mask of a leaves.
func (a ACL) Effective(e Entry) uint32 {
	if m := a.find(Mask); m != nil && e.Tag != UserObj && e.Tag != Other {
		return e.Perm & m.Perm
	}
	return e.Perm
}

// TextError tells which part of a text is no entry, and why.
type TextError struct{ Text, Msg string }

// Error implements error.
func (e *TextError) Error() string { return fmt.Sprintf("%q: %s", e.Text, e.Msg) }

// TextEntry is an entry as setfacl(1) takes it.
type TextEntry struct {
	Entry
	Default bool // of the default list: "d:" in front
	// NoPerm says that the text named no permissions, as in setfacl -x.
	NoPerm bool
	// CapX says that the permissions have an X: Execute for directories, and
	// where somebody has it already.
	CapX bool
}

// ParseEntries reads a list of entries in the short or long text form of
// setfacl(1), separated by commas or newlines: "u:joe:rw,d:g:adm:r-x,o::-".
// What follows a "#" is a comment. Errors are *TextError.
func ParseEntries(text string, n Names) ([]TextEntry, error) {
	var out []TextEntry
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for part := range strings.SplitSeq(line, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			e, err := parseEntry(part, n)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
	}
	return out, nil
}

func parseEntry(text string, n Names) (e TextEntry, err error) {
	fields := strings.Split(text, ":")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	if f := strings.ToLower(fields[0]); (f == "d" || f == "default") && len(fields) > 1 {
		e.Default, fields = true, fields[1:]
	}
	word := strings.ToLower(fields[0])
	var tags []Tag
	for _, t := range tagNames {
		if word == t.text || word == t.abb {
			tags = append(tags, t.tag)
		}
	}
	if len(tags) == 0 {
		return e, &TextError{text, "begins with none of user, group, mask, other (or u, g, m, o), with default: or d: in front"}
	}
	e.Tag, fields = tags[0], fields[1:]
	switch {
	case len(tags) == 2: // user or group: with a name or without
		if len(fields) > 0 && fields[0] != "" {
			e.Tag = tags[1]
			if e.ID, err = parseID(e.Tag, fields[0], n); err != nil {
				return e, &TextError{text, err.Error()}
			}
		}
		fields = fields[min(1, len(fields)):]
	case len(fields) == 2: // mask::rwx; mask:rwx is allowed too
		if fields[0] != "" {
			return e, &TextError{text, word + " takes no name"}
		}
		fields = fields[1:]
	}
	switch len(fields) {
	case 0:
		e.NoPerm = true
		return e, nil
	case 1:
		if fields[0] == "" {
			e.NoPerm = true
			return e, nil
		}
		e.Perm, e.CapX, err = parsePerm(fields[0])
		if err != nil {
			err = &TextError{text, err.Error()}
		}
		return e, err
	}
	return e, &TextError{text, "has too many colons"}
}

// parseID reads the name or number of a user or group.
func parseID(t Tag, text string, n Names) (uint32, error) {
	lookup, kind := n.UserID, "user"
	if t == Group {
		lookup, kind = n.GroupID, "group"
	}
	if lookup != nil {
		if id, ok := lookup(text); ok {
			return id, nil
		}
	}
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil || id == 1<<32-1 {
		return 0, fmt.Errorf("there is no %s %q", kind, text)
	}
	return uint32(id), nil
}

// parsePerm reads permissions: letters in any order with "-" for what is not
// granted, or a digit.
func parsePerm(text string) (perm uint32, capX bool, err error) {
	if len(text) == 1 && text[0] >= '0' && text[0] <= '7' {
		return uint32(text[0] - '0'), false, nil
	}
	for _, r := range text {
		switch r {
		case 'r':
			perm |= Read
		case 'w':
			perm |= Write
		case 'x':
			perm |= Execute
		case 'X':
			capX = true
		case '-':
		default:
			return 0, false, fmt.Errorf("permission %q is none of r, w, x, X, -, 0 to 7", r)
		}
	}
	return perm, capX, nil
}

// Parse reads a whole list in the text forms of acl(5): "u::rw,g::r,o::-".
// Errors are *TextError or, for what is no list by Valid, *ListError.
func Parse(text string, n Names) (ACL, error) {
	entries, err := ParseEntries(text, n)
	if err != nil {
		return nil, err
	}
	var a ACL
	for _, e := range entries {
		if e.Default || e.NoPerm || e.CapX {
			return nil, &TextError{text, "a list has neither default entries nor X, and permissions for everybody"}
		}
		a = append(a, e.Entry)
	}
	a.Sort()
	return a, a.Valid()
}

// String returns the list in the short text form: "user::rw-,group::r--,…".
func (a ACL) String() string {
	parts := make([]string, len(a))
	for i, e := range a {
		parts[i] = e.Text(Names{})
	}
	return strings.Join(parts, ",")
}
