package main

import (
	"bufio"
	"fmt"
	"io"
	iofs "io/fs"
	"path"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/nfs3"
)

func lsCommand() *cli.Command {
	return &cli.Command{
		Name:      "ls",
		Usage:     "list a directory of an export",
		ArgsUsage: "SERVER:/PATH…",
		Description: "Entries come in the server's order and are printed as they come, so that a\n" +
			"directory of millions starts at once and needs no memory.",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.BoolFlag{Name: "l", Usage: "mode, links, owner, group, size and time as well"},
			&cli.BoolFlag{Name: "a", Usage: "names that begin with a dot as well"},
			&cli.BoolFlag{Name: "d", Usage: "the directory itself, not what is in it"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 1, 0, "SERVER:/PATH")
			if err != nil {
				return err
			}
			w := bufio.NewWriter(c.App.Writer)
			l := &lister{c: c, w: w, users: newUsers(), groups: newGroups()}
			err = eachTarget(c, operands, func(t *target) error {
				if len(operands) > 1 {
					fmt.Fprintf(w, "%s:\n", t.arg)
				}
				l.t = t
				return l.list()
			})
			if ferr := w.Flush(); err == nil {
				err = ferr
			}
			return err
		},
	}
}

// lister prints entries.
type lister struct {
	c             *cli.Context
	w             io.Writer
	t             *target
	users, groups *names
}

func (l *lister) list() error {
	c, t := l.c, l.t
	fi, err := t.Lstat(c.Context, t.path)
	if err != nil {
		return err
	}
	if fi.Mode().Type() == iofs.ModeSymlink && !c.Bool("l") && !c.Bool("d") { // as ls has it
		if to, err := t.Stat(c.Context, t.path); err == nil {
			fi = to
		}
	}
	if !fi.IsDir() || c.Bool("d") {
		return l.entry(t.path, path.Base(t.arg), fi)
	}
	for e, err := range t.ReadDir(c.Context, t.path) {
		if err != nil {
			return err
		}
		if strings.HasPrefix(e.Name(), ".") && !c.Bool("a") {
			continue
		}
		if !c.Bool("l") {
			fmt.Fprintln(l.w, printable(e.Name()))
			continue
		}
		fi, err := e.Info()
		if err != nil {
			return err
		}
		if err := l.entry(path.Join(t.path, e.Name()), e.Name(), fi); err != nil {
			return err
		}
	}
	return nil
}

// entry prints one line.
func (l *lister) entry(name, show string, fi iofs.FileInfo) error {
	if !l.c.Bool("l") {
		fmt.Fprintln(l.w, printable(show))
		return nil
	}
	a, ok := fi.Sys().(*nfs3.Fattr)
	if !ok {
		return fmt.Errorf("%s: the server told no attributes", show)
	}
	size := fmt.Sprint(a.Size)
	if a.Type == nfs3.TypeBlk || a.Type == nfs3.TypeChr {
		size = fmt.Sprintf("%d, %d", a.Rdev.Major, a.Rdev.Minor)
	}
	arrow := ""
	if a.Type == nfs3.TypeLnk {
		target, err := l.t.Readlink(l.c.Context, name)
		if err != nil {
			target = "?"
		}
		arrow = " -> " + printable(target)
	}
	fmt.Fprintf(l.w, "%s %3d %-5s %-5s %10s %s %s%s\n", modeString(fi.Mode()), a.Nlink, l.users.of(a.UID), l.groups.of(a.GID),
		size, listTime(fi.ModTime(), time.Now()), printable(show), arrow)
	return nil
}

// modeString is the first column of ls -l.
func modeString(m iofs.FileMode) string {
	const rwx = "rwxrwxrwx"
	b := []byte("----------")
	switch m.Type() {
	case iofs.ModeDir:
		b[0] = 'd'
	case iofs.ModeSymlink:
		b[0] = 'l'
	case iofs.ModeNamedPipe:
		b[0] = 'p'
	case iofs.ModeSocket:
		b[0] = 's'
	case iofs.ModeDevice:
		b[0] = 'b'
	case iofs.ModeDevice | iofs.ModeCharDevice:
		b[0] = 'c'
	}
	for i := range 9 {
		if m&(1<<(8-i)) != 0 {
			b[i+1] = rwx[i]
		}
	}
	special := func(set bool, at int, letter byte) {
		if !set {
			return
		}
		if b[at] == '-' {
			letter -= 'a' - 'A' // without the x below it
		}
		b[at] = letter
	}
	special(m&iofs.ModeSetuid != 0, 3, 's')
	special(m&iofs.ModeSetgid != 0, 6, 's')
	special(m&iofs.ModeSticky != 0, 9, 't')
	return string(b)
}

// listTime writes times within the last half year with the hour, others with
// the year, as ls does.
func listTime(t, now time.Time) string {
	if age := now.Sub(t); age < 0 || age > 182*24*time.Hour {
		return t.Format("Jan _2  2006")
	}
	return t.Format("Jan _2 15:04")
}

// printable makes a name from a server harmless to a terminal: control bytes
// become "?".
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
