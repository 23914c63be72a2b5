package mountopt

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Over returns the option string given with the defaults of c for a mount of
// spec at dir put in front. A default counts only where nothing of the kind was
// given: "udp" on the command line silences Proto=, "lock" silences
// local_lock=. What holds for the mount point goes before what holds for the
// server, and that before what holds for all mounts; within one section the
// first line of a kind counts. dir may be "", where there is none yet.
//
// Errors are *Error: of given if it cannot be taken apart, and of a default that
// Parse would refuse, with the file and line where it stands. A default that is
// not used is not looked at.
func (c *Conf) Over(spec Spec, dir, given string) (string, error) {
	taken, err := split(given)
	if err != nil {
		return "", err
	}
	sloppy := slices.Contains(taken, item{name: "sloppy"})
	defaults := ""
	for _, s := range c.matching(spec, dir) {
		var words []string
		for _, l := range s.lines {
			it, err := l.item()
			if err != nil {
				return "", c.at(l, err)
			}
			if it.name == "" || slices.ContainsFunc(taken, func(t item) bool { return silences(t.name, it.name) }) {
				continue
			}
			word := quote(it)
			var e *Error
			if _, err := Parse(word); errors.As(err, &e) {
				if sloppy && e.Kind == Unknown {
					continue
				}
				return "", c.at(l, e)
			}
			words, taken = append(words, word), append(taken, it)
		}
		if len(words) > 0 { // what holds for more mounts stands further left
			defaults = strings.Join(words, ",") + "," + defaults
		}
	}
	return strings.TrimSuffix(defaults+given, ","), nil
}

// matching returns the sections that concern a mount, what goes before others
// first.
func (c *Conf) matching(spec Spec, dir string) []confSection {
	var l []confSection
	for _, kind := range []string{confMountPoint, confServer, confGlobal} {
		for _, s := range c.sections {
			switch {
			case s.kind != kind:
			case kind == confMountPoint && (dir == "" || path.Clean(s.arg) != path.Clean(dir)):
			case kind == confServer && !slices.ContainsFunc(spec.Hosts(), func(h string) bool { return strings.EqualFold(h, s.arg) }):
			default:
				l = append(l, s)
			}
		}
	}
	return l
}

// item returns the line as an option, with an empty name if it asks for
// nothing.
func (l confLine) item() (item, *Error) {
	name, value := l.name, l.value
	switch name {
	case "background":
		name = "bg"
	case "foreground":
		name = "fg"
	case "defaultvers": // where negotiation would begin; there is only one version to end at
		return item{}, nil
	case "defaultproto":
		if strings.EqualFold(value, "tcp") { // as it is anyway
			return item{}, nil
		}
		return item{}, unsupported(item{name, value, true}, "TCP is tried first; Proto= settles it")
	}
	on := strings.EqualFold(value, "true")
	if !on && !strings.EqualFold(value, "false") || takesValue(name) {
		return item{name, value, true}, nil
	}
	if on {
		return item{name: name}, nil
	}
	if off := opposite(name); off != "" {
		return item{name: off}, nil
	}
	return item{}, badValue(name, value, "True: the option has no opposite")
}

// takesValue reports whether name is an option that cannot do without a value.
func takesValue(name string) bool {
	e := find(name)
	return e != nil && e.arg == valued
}

// opposite returns the option that undoes the flag name, "" if there is none.
func opposite(name string) string {
	switch name {
	case "bg":
		return "fg"
	case "fg":
		return "bg"
	case "hard":
		return "soft"
	case "soft", "softerr":
		return "hard"
	}
	for _, w := range vfsTable {
		switch name {
		case w.on:
			return w.off
		case w.off:
			return w.on
		}
	}
	if known("no" + name) {
		return "no" + name
	}
	if yes, ok := strings.CutPrefix(name, "no"); ok && known(yes) {
		return yes
	}
	return ""
}

// known reports whether name is an option of the tables.
func known(name string) bool { return find(name) != nil || slices.Contains(swallowed, name) }

// silences reports whether an option given leaves no room for a default.
func silences(given, def string) bool {
	if kind(given) == kind(def) {
		return true
	}
	// noac is about all of these.
	times := []string{"acregmin", "acregmax", "acdirmin", "acdirmax", "actimeo"}
	return kind(def) == "ac" && slices.Contains(times, given)
}

// kind names the options that are about one thing.
func kind(name string) string {
	switch name {
	case "local_lock":
		return "lock"
	case "mountaddr":
		return "mounthost"
	}
	if e := find(name); e != nil {
		if e.Group != "" {
			return e.Group
		}
		return e.Names[0]
	}
	for _, w := range vfsTable {
		if name == w.on || name == w.off {
			return w.on
		}
	}
	return name
}

// quote writes an option so that split reads it again. Quotes have no place in
// a value.
func quote(it item) string {
	if s := it.String(); strings.Contains(s, ",") {
		return `"` + it.name + `"="` + it.value + `"`
	}
	return it.String()
}

// at says where a default stands that is wrong.
func (c *Conf) at(l confLine, e *Error) *Error {
	return &Error{Kind: e.Kind, Option: e.Option, Value: e.Value, Msg: fmt.Sprintf("%s:%d: %s", c.name, l.number, e.Msg)}
}
