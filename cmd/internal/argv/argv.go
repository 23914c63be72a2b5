package argv

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Permute returns args with the flags in front of the operands, each group in
// its order, for the command of app that args name. What follows "--" is
// operands. args[0] is the program. One-letter flags may stand together, and
// before their value ("-Rm u:joe:r"), where the command has
// UseShortOptionHandling.
func Permute(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	flags, head, rest := app.Flags, args[:1], args[1:]
	if c := app.Command(rest[0]); c != nil {
		flags, head, rest = c.Flags, args[:2], rest[1:]
		if c.UseShortOptionHandling {
			rest = split(rest, shortValued(flags))
		}
	}
	return slices.Concat(head, permute(rest, takesValue(flags)))
}

// PermuteFlags is Permute for a program without commands. valued names the
// flags, of one letter each, that take a value; one-letter flags without may
// stand together ("-fnv").
func PermuteFlags(args []string, valued string) []string {
	return slices.Concat(args[:1], permute(split(args[1:], valued), func(flag string) bool {
		return len(flag) == 1 && strings.Contains(valued, flag)
	}))
}

// takesValue returns which flags take the next argument as their value.
func takesValue(flags []cli.Flag) func(string) bool {
	names := map[string]bool{}
	for _, f := range flags {
		if d, ok := f.(cli.DocGenerationFlag); ok && d.TakesValue() {
			for _, n := range f.Names() {
				names[n] = true
			}
		}
	}
	return func(n string) bool { return names[n] }
}

// shortValued returns the one-letter flags that take a value.
func shortValued(flags []cli.Flag) (letters string) {
	for _, f := range flags {
		for _, n := range f.Names() {
			if d, ok := f.(cli.DocGenerationFlag); ok && d.TakesValue() && len(n) == 1 {
				letters += n
			}
		}
	}
	return letters
}

func permute(args []string, valued func(string) bool) []string {
	var flags, operands []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			operands = append(operands, args[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' {
			operands = append(operands, a)
			continue
		}
		flags = append(flags, a)
		if valued(strings.TrimLeft(a, "-")) && i+1 < len(args) {
			i++
			flags = append(flags, args[i])
		}
	}
	if len(operands) > 0 {
		flags = append(append(flags, "--"), operands...)
	}
	return flags
}

// split takes "-fnv" apart and "-oro" as well, up to "--".
func split(args []string, valued string) (out []string) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return append(out, args[i:]...)
		}
		if len(a) < 2 || a[0] != '-' || a[1] == '-' {
			out = append(out, a)
			continue
		}
		for j := 1; j < len(a); j++ {
			out = append(out, "-"+a[j:j+1])
			if !strings.Contains(valued, a[j:j+1]) {
				continue
			}
			if j+1 < len(a) {
				out = append(out, a[j+1:])
			} else if i+1 < len(args) {
				i++
				out = append(out, args[i])
			}
			break
		}
	}
	return out
}
