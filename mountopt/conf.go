package mountopt

import (
	"bytes"
	"fmt"
	"strings"
)

// maxConf bounds a file of defaults.
const maxConf = 1 << 20

// Conf is what an nfsmount.conf(5) says: default options for mount points,
// servers, and all mounts.
type Conf struct {
	name     string
	sections []confSection
}

// confSection is one section: [ MountPoint "/mnt" ], [ Server "host" ] or
// [ NFSMount_Global_Options ].
type confSection struct {
	kind  string // in small letters
	arg   string
	lines []confLine
}

// confLine is "Option = value".
type confLine struct {
	number      int
	name, value string
}

// The kinds of sections in small letters, what stands for fewer mounts first.
const (
	confMountPoint = "mountpoint"
	confServer     = "server"
	confGlobal     = "nfsmount_global_options"
)

// ParseConf reads the text of an nfsmount.conf; name is its file name, for
// errors. Names of sections and options may be in any case, values may stand in
// quotes, lines that begin with "#" or ";" say nothing. Whether an option is
// one of ours is looked at when it is used: see Conf.Over. Errors are *Error.
func ParseConf(name string, text []byte) (*Conf, error) {
	c := &Conf{name: name}
	if len(text) > maxConf {
		return nil, &Error{Kind: Syntax, Value: name, Msg: name + ": longer than 1 MiB"}
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, &Error{Kind: Syntax, Value: name, Msg: name + ": NUL byte in it"}
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			s, msg := parseSection(line)
			if msg != "" {
				return nil, c.wrong(number, line, msg)
			}
			c.sections = append(c.sections, s)
			continue
		}
		option, value, ok := strings.Cut(line, "=")
		option, value = strings.TrimSpace(option), strings.TrimSpace(value)
		switch {
		case !ok || option == "" || value == "":
			return nil, c.wrong(number, line, "it is not 'Option = value'")
		case len(c.sections) == 0:
			return nil, c.wrong(number, line, "it stands before the first section")
		}
		if value = unquote(value); strings.Contains(value, `"`) {
			return nil, c.wrong(number, line, "a quote within the value")
		}
		s := &c.sections[len(c.sections)-1]
		s.lines = append(s.lines, confLine{number, strings.ToLower(option), value})
	}
	return c, nil
}

// parseSection reads a line in brackets; msg says what is wrong with it.
func parseSection(line string) (s confSection, msg string) {
	if !strings.HasSuffix(line, "]") {
		return s, "the closing bracket is missing"
	}
	kind, arg, _ := strings.Cut(strings.TrimSpace(line[1:len(line)-1]), " ")
	if i := strings.IndexAny(kind, "\"\t"); i >= 0 { // [Server"host"] will do
		kind, arg = kind[:i], kind[i:]+" "+arg
	}
	s = confSection{kind: strings.ToLower(kind), arg: unquote(strings.TrimSpace(arg))}
	switch s.kind {
	case confMountPoint, confServer:
		if s.arg == "" {
			return s, "the section names no " + s.kind
		}
	case confGlobal:
	default:
		return s, "a section is MountPoint, Server or NFSMount_Global_Options"
	}
	return s, ""
}

// unquote takes the quotes off that a value may stand in.
func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

// wrong is the error of a line.
func (c *Conf) wrong(number int, line, msg string) *Error {
	return &Error{Kind: Syntax, Value: line, Msg: fmt.Sprintf("%s:%d: %s: %s", c.name, number, show(line), msg)}
}
