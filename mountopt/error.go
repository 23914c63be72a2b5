package mountopt

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind tells why a text was refused, for callers that treat kinds differently.
type Kind uint8

// The kinds of Error.
const (
	Syntax      Kind = iota // the text cannot be taken apart: an unterminated quote, a bad spec
	Unknown                 // no option of this name: what sloppy skips
	BadValue                // the option is known, its value is missing, unwanted or not allowed
	Unsupported             // known, and refused because gonfs does not have its effect
	Conflict                // two options that cannot stand together
)

// Error is what is wrong with an option string or a spec. Its text is one line
// without a program's name in front, in the words of mount.nfs where it has
// some, because scripts search for these.
type Error struct {
	Kind   Kind
	Option string // the option's name as it was written; "" when it is about the spec
	Value  string // its value; the whole spec when it is about the spec
	Msg    string // the text that Error returns
}

// Error returns e.Msg.
func (e *Error) Error() string { return e.Msg }

// badValue says what was given and what is allowed.
func badValue(name, value, want string) *Error {
	return &Error{BadValue, name, value, fmt.Sprintf("invalid value for '%s=' option: %s is not %s", name, show(value), want)}
}

// unknown is the error of a name that is in no table.
func unknown(it item) *Error {
	return &Error{Unknown, it.name, it.value, "an incorrect mount option was specified: " + show(it.String()) + " is unknown to gonfs"}
}

// unsupported is the refusal of an option that gonfs knows but does not have;
// why may be "" when there is nothing to say but that.
func unsupported(it item, why string) *Error {
	msg := "option " + show(it.String()) + " is not supported yet by gonfs"
	if why != "" {
		msg = "option " + show(it.String()) + " is not supported by gonfs: " + why
	}
	return &Error{Unsupported, it.name, it.value, msg}
}

// versionError is the refusal of a protocol that is not there, in the words of
// mount.nfs.
func versionError(name, value, why string) *Error {
	it := item{name: name, value: value, hasValue: value != ""}
	return &Error{Unsupported, name, value,
		"requested NFS version or transport protocol is not supported: " + show(it.String()) + ": " + why}
}

// maxShown bounds how much of a text an error repeats.
const maxShown = 80

// show quotes what a user wrote: plainly if it can be read, escaped if it would
// play with a terminal, and cut where it is long.
func show(s string) string {
	cut := ""
	if len(s) > maxShown {
		s, cut = s[:maxShown], "…"
	}
	q := strconv.Quote(s)
	if inner := q[1 : len(q)-1]; inner == s || inner == strings.ReplaceAll(s, `"`, `\"`) {
		return "'" + s + cut + "'"
	}
	return q + cut
}
