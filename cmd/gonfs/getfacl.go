package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	iofs "io/fs"
	"os/user"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
)

func getfaclCommand() *cli.Command {
	return &cli.Command{
		Name:      "getfacl",
		Usage:     "show the access control lists of files",
		ArgsUsage: "SERVER:/PATH…",

		Description: "The output is that of getfacl(1), and what gonfs setfacl --set-file reads. Where the\n" +
			"server has no lists the mode is shown as one.",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.BoolFlag{Name: "access", Aliases: []string{"a"}, Usage: "the access list alone"},
			&cli.BoolFlag{Name: "default", Aliases: []string{"d"}, Usage: "the default list alone"},
			&cli.BoolFlag{Name: "omit-header", Aliases: []string{"c"}, Usage: "no comments that name file and owner"},
			&cli.BoolFlag{Name: "skip-base", Aliases: []string{"s"}, Usage: "leave out files whose mode says it all"},
			&cli.BoolFlag{Name: "numeric", Aliases: []string{"n"}, Usage: "numbers of users and groups instead of names"},
			&cli.BoolFlag{Name: "recursive", Aliases: []string{"R"}, Usage: "all that is in directories, too; symbolic links in them are left out"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 1, 0, "SERVER:/PATH")
			if err != nil {
				return err
			}
			s := aclShow{
				w: c.App.Writer, numeric: c.Bool("numeric"), bare: c.Bool("omit-header"), skipBase: c.Bool("skip-base"),
				access: c.Bool("access") || !c.Bool("default"), initial: c.Bool("default") || !c.Bool("access"),
				users: newUsers(), groups: newGroups(),
			}
			return eachTarget(c, operands, func(t *target) error {
				return t.eachFile(c, func(path, show string) error {
					a, l, err := t.lists(c, path)
					if err == nil {
						s.show(show, a, l)
					}
					return err
				})
			})
		},
	}
}

// eachFile runs do for the operand of a command and, with -R, for all that is
// below it but symbolic links. show is the name by which the user knows a file.
// After an error it goes on: the error is printed, and one is returned.
func (t *target) eachFile(c *cli.Context, do func(path, show string) error) error {
	if !c.Bool("recursive") {
		return do(t.path, t.arg)
	}
	failed := false
	err := t.Walk(c.Context, t.path, func(path string, e iofs.DirEntry, err error) error {
		show := t.arg
		if path != t.path {
			show = strings.TrimSuffix(t.arg, "/") + strings.TrimPrefix(path, strings.TrimSuffix(t.path, "/"))
		}
		if err == nil && (path == t.path || e.Type()&iofs.ModeSymlink == 0) {
			err = do(path, show)
		}
		if c.Context.Err() != nil {
			return context.Canceled
		}
		if err != nil {
			failed = true
			fmt.Fprintf(c.App.ErrWriter, "gonfs %s: %s: %v\n", c.Command.Name, printable(show), plain(err))
		}
		return nil
	})
	if err == nil && failed {
		err = errors.New("not all that is in it could be done")
	}
	return err
}

// lists returns attributes and lists of a file. A server, or a file, without
// lists has none.
func (t *target) lists(c *cli.Context, path string) (*nfs3.Fattr, client.ACLs, error) {
	fi, err := t.Stat(c.Context, path)
	if err != nil {
		return nil, client.ACLs{}, err
	}
	a, ok := fi.Sys().(*nfs3.Fattr)
	if !ok {
		return nil, client.ACLs{}, errors.New("the server told no attributes")
	}
	l, err := t.GetACLs(c.Context, path)
	if errors.Is(err, nfs3.ErrNotsupp) {
		err = nil
	}
	if l.Access == nil {
		l.Access = nfsacl.FromMode(a.Mode)
	}
	return a, l, err
}

// aclShow prints lists in the form of getfacl(1).
type aclShow struct {
	w                       io.Writer
	access, initial         bool // which lists
	numeric, bare, skipBase bool
	users, groups           *names
}

func (s *aclShow) show(name string, a *nfs3.Fattr, l client.ACLs) {
	if s.skipBase && l.Access.Minimal() && len(l.Default) == 0 {
		return
	}
	n := nfsacl.Names{User: s.users.of, Group: s.groups.of}
	owner, group := s.users.of(a.UID), s.groups.of(a.GID)
	if s.numeric {
		n, owner, group = nfsacl.Names{}, decimal(a.UID), decimal(a.GID)
	}
	if !s.bare {
		fmt.Fprintf(s.w, "# file: %s\n# owner: %s\n# group: %s\n", printable(name), owner, group)
		if f := setIDs(a.Mode); f != "---" {
			fmt.Fprintf(s.w, "# flags: %s\n", f)
		}
	}
	if s.access {
		s.list("", l.Access, n)
	}
	if s.initial {
		s.list("default:", l.Default, n)
	}
	fmt.Fprintln(s.w)
}

// list prints one list. What the mask takes away of an entry is told beside it.
func (s *aclShow) list(prefix string, a nfsacl.ACL, n nfsacl.Names) {
	for _, e := range a {
		line := prefix + e.Text(n)
		if eff := a.Effective(e); eff != e.Perm {
			line += "\t#effective:" + nfsacl.PermText(eff)
		}
		fmt.Fprintln(s.w, line)
	}
}

// setIDs shows the bits above the permissions as getfacl(1) does.
func setIDs(mode uint32) string {
	b := []byte("---")
	for i, c := range "sst" {
		if mode&(0o4000>>i) != 0 {
			b[i] = byte(c)
		}
	}
	return string(b)
}

func decimal(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

// aclNames finds the ids of local users and groups.
func aclNames() nfsacl.Names {
	id := func(text string) (uint32, bool) {
		n, err := strconv.ParseUint(text, 10, 32)
		return uint32(n), err == nil
	}
	return nfsacl.Names{
		UserID: func(name string) (uint32, bool) {
			u, err := user.Lookup(name)
			if err != nil {
				return 0, false
			}
			return id(u.Uid)
		},
		GroupID: func(name string) (uint32, bool) {
			g, err := user.LookupGroup(name)
			if err != nil {
				return 0, false
			}
			return id(g.Gid)
		},
	}
}
