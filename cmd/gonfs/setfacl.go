package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
)

func setfaclCommand() *cli.Command {
	return &cli.Command{
		Name:      "setfacl",
		Usage:     "change the access control lists of files",
		ArgsUsage: "SERVER:/PATH…",

		Description: "ENTRIES are those of setfacl(1), separated by commas: u:joe:rw, g:adm:r-x, m::rwx, o::-,\n" +
			"with d: in front for the default list of a directory. Names of users and groups are this\n" +
			"host's; numbers are sent as they are. A FILE of entries may be -, standard input:\n" +
			"   gonfs getfacl a:/x | gonfs setfacl --set-file - a:/y",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.StringSliceFlag{Name: "modify", Aliases: []string{"m"}, Usage: "set or add `ENTRIES`"},
			&cli.StringFlag{Name: "modify-file", Aliases: []string{"M"}, Usage: "the same, of a `FILE`"},
			&cli.StringSliceFlag{Name: "remove", Aliases: []string{"x"}, Usage: "remove `ENTRIES`, which name no permissions"},
			&cli.StringFlag{Name: "remove-file", Aliases: []string{"X"}, Usage: "the same, of a `FILE`"},
			&cli.StringSliceFlag{Name: "set", Usage: "replace the lists by `ENTRIES`"},
			&cli.StringFlag{Name: "set-file", Usage: "the same, of a `FILE`"},
			&cli.BoolFlag{Name: "remove-all", Aliases: []string{"b"}, Usage: "remove all that the mode does not say"},
			&cli.BoolFlag{Name: "remove-default", Aliases: []string{"k"}, Usage: "remove the default list"},
			&cli.BoolFlag{Name: "default", Aliases: []string{"d"}, Usage: "all entries are of the default list"},
			&cli.BoolFlag{Name: "no-mask", Aliases: []string{"n"}, Usage: "leave the mask as it is; otherwise it becomes all that is granted"},
			&cli.BoolFlag{Name: "recursive", Aliases: []string{"R"}, Usage: "all that is in directories, too; only directories get default entries"},
		},
		Action: func(c *cli.Context) error {
			edit, err := parseEdit(c)
			if err != nil {
				return exitcodes.Usage(fmt.Errorf("setfacl: %w", err))
			}
			operands, err := args(c, 1, 0, "SERVER:/PATH")
			if err != nil {
				return err
			}
			return eachTarget(c, operands, func(t *target) error {
				return t.eachFile(c, func(path, _ string) error { return t.edit(c, path, edit) })
			})
		},
	}
}

// parseEdit reads what the flags ask for.
func parseEdit(c *cli.Context) (*nfsacl.Edit, error) {
	e := &nfsacl.Edit{Clear: c.Bool("remove-all"), ClearDefault: c.Bool("remove-default"), KeepMask: c.Bool("no-mask")}
	for _, part := range []struct {
		flag string
		to   *[]nfsacl.TextEntry
	}{{"modify", &e.Modify}, {"remove", &e.Remove}, {"set", &e.Set}} {
		texts := c.StringSlice(part.flag)
		if name := c.String(part.flag + "-file"); name != "" {
			text, err := readEntries(name)
			if err != nil {
				return nil, err
			}
			texts = append(texts, text)
		}
		for _, text := range texts {
			entries, err := nfsacl.ParseEntries(text, aclNames())
			if err != nil {
				return nil, err
			}
			for _, t := range entries {
				t.Default = t.Default || c.Bool("default")
				if t.NoPerm != (part.flag == "remove") {
					return nil, wrongPerm(t, part.flag)
				}
				*part.to = append(*part.to, t)
			}
		}
		if len(texts) > 0 && len(*part.to) == 0 {
			return nil, fmt.Errorf("--%s has no entries", part.flag)
		}
	}
	if !e.Clear && !e.ClearDefault && len(e.Modify)+len(e.Remove)+len(e.Set) == 0 {
		return nil, errors.New("nothing is to be done: give -m, -x, -b, -k or --set; see gonfs setfacl --help")
	}
	return e, nil
}

func wrongPerm(t nfsacl.TextEntry, flag string) error {
	if flag == "remove" {
		return fmt.Errorf("-x %s: an entry to be removed has no permissions", t.Text(nfsacl.Names{}))
	}
	return fmt.Errorf("--%s: an entry has no permissions: give some of rwxX, or - for none", flag)
}

// readEntries reads a file of entries; "-" is standard input.
func readEntries(name string) (string, error) {
	if name != "-" {
		b, err := os.ReadFile(name)
		return string(b), err
	}
	b, err := io.ReadAll(os.Stdin)
	return string(b), err
}

// edit changes the lists of one file. With -R, files are spared the default
// entries.
func (t *target) edit(c *cli.Context, path string, e *nfsacl.Edit) error {
	a, l, err := t.lists(c, path)
	if err != nil {
		return err
	}
	dir := a.Type == nfs3.TypeDir
	if c.Bool("recursive") && !dir {
		spared := *e
		spared.Modify, spared.Set, spared.Remove = nfsacl.WithoutDefault(e.Modify), nfsacl.WithoutDefault(e.Set), nfsacl.WithoutDefault(e.Remove)
		e = &spared
	}
	access, initial, err := e.Apply(l.Access, l.Default, a.Mode, dir)
	if err != nil {
		return err
	}
	err = t.SetACLs(c.Context, path, client.ACLs{Access: access, Default: initial})
	if errors.Is(err, nfs3.ErrNotsupp) {
		if access.Minimal() && len(initial) == 0 { // the mode can say that
			return t.Chmod(c.Context, path, os.FileMode(access.Mode(0)))
		}
		return errors.New("the server has no access control lists there (NFSACL)")
	}
	return err
}
