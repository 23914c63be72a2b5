package argv

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Permute returns args with the flags in front of the operands, each group in
// its order, for the command of app that args name. What follows "--" is
// operands. args[0] is the program. One-letter flags may stand together, and
// before their value ("-Rm u:joe:r", "-oro").
func Permute(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	flags, head, rest := app.Flags, args[:1], args[1:]
	if c := app.Command(rest[0]); c != nil {
		flags, head, rest = c.Flags, args[:2], rest[1:]
	}
	valued := map[string]bool{} // of the names of all flags
	for _, f := range flags {
		d, ok := f.(cli.DocGenerationFlag)
		for _, n := range f.Names() {
			valued[n] = ok && d.TakesValue()
		}
	}
	l := permute(rest, func(flag string) bool { return valued[flag] }, func(flag string) bool {
		name, _, _ := strings.Cut(flag, "=")
		_, known := valued[name]
		_, first := valued[flag[:1]]
		return known || !first
	})
	return slices.Concat(head, l.permuted())
}

// PermuteFlags is Permute for a program without commands. valued names the
// flags, of one letter each, that take a value; one-letter flags without may
// stand together ("-fnv").
func PermuteFlags(args []string, valued string) []string {
	l := permute(args[1:], func(flag string) bool {
		return len(flag) == 1 && strings.Contains(valued, flag)
	}, func(string) bool { return false })
	return slices.Concat(args[:1], l.permuted())
}

// line is a command line that was taken apart.
type line struct {
	flags    []string // with their values
	operands []string // with "--" in front if there are any
	short    bool     // the last flag lacks its value
	help     bool     // one of the flags asks for help
}

// permuted returns the flags and then the operands. A call for help is nothing
// else than that, and a flag that lacks its value is left without operands, one
// of which the command would take for it.
func (l *line) permuted() []string {
	switch {
	case l.help:
		return []string{"--help"}
	case l.short:
		return l.flags
	}
	return slices.Concat(l.flags, l.operands)
}

// permute takes a command line apart. A flag takes the next argument as its
// value if valued says so. What stands behind one "-" is letters ("-fnv",
// "-oro") unless whole says that it is one flag.
func permute(args []string, valued, whole func(flag string) bool) (l line) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			l.operands = append(l.operands, args[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' {
			l.operands = append(l.operands, a)
			continue
		}
		needs := false // the next argument
		if a[1] == '-' || whole(a[1:]) {
			needs = valued(strings.TrimLeft(a, "-"))
			l.add(a)
		} else {
			for j := 1; j < len(a); j++ {
				l.add("-" + a[j:j+1])
				if !valued(a[j : j+1]) {
					continue
				}
				if needs = j+1 == len(a); !needs {
					l.flags = append(l.flags, a[j+1:])
				}
				break
			}
		}
		if !needs {
			continue
		}
		if i++; i < len(args) {
			l.flags = append(l.flags, args[i])
		} else {
			l.short = true
		}
	}
	if len(l.operands) > 0 {
		l.operands = slices.Insert(l.operands, 0, "--")
	}
	return l
}

func (l *line) add(flag string) {
	l.flags = append(l.flags, flag)
	l.help = l.help || slices.Contains([]string{"-h", "-help", "--help"}, flag)
}
