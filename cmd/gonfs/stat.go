package main

import (
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/nfs3"
)

func statCommand() *cli.Command {
	return &cli.Command{
		Name:      "stat",
		Usage:     "show all that the server tells of a file",
		ArgsUsage: "SERVER:/PATH…",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.BoolFlag{Name: "L", Usage: "follow symbolic links"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 1, 0, "SERVER:/PATH")
			if err != nil {
				return err
			}
			users, groups := newUsers(), newGroups()
			return eachTarget(c, operands, func(t *target) error {
				look := t.Lstat
				if c.Bool("L") {
					look = t.Stat
				}
				fi, err := look(c.Context, t.path)
				if err != nil {
					return err
				}
				a, ok := fi.Sys().(*nfs3.Fattr)
				if !ok {
					return fmt.Errorf("the server told no attributes")
				}
				showAttr(c.App.Writer, t.arg, a, modeString(fi.Mode()), users.of(a.UID), groups.of(a.GID))
				return nil
			})
		},
	}
}

// showAttr prints fattr3 (RFC 1813 section 2.5.5) in the form of stat(1).
func showAttr(w io.Writer, name string, a *nfs3.Fattr, mode, user, group string) {
	fmt.Fprintf(w, "  File: %s\n", printable(name))
	fmt.Fprintf(w, "  Size: %-15d Used: %-15d %s\n", a.Size, a.Used, a.Type)
	fmt.Fprintf(w, "  Fsid: %-15x Inode: %-14d Links: %d\n", a.FSID, a.FileID, a.Nlink)
	if a.Type == nfs3.TypeBlk || a.Type == nfs3.TypeChr {
		fmt.Fprintf(w, "Device: %d, %d\n", a.Rdev.Major, a.Rdev.Minor)
	}
	fmt.Fprintf(w, "Access: (%04o/%s)  Uid: (%5d/%8s)   Gid: (%5d/%8s)\n", a.Mode&0o7777, mode, a.UID, user, a.GID, group)
	const layout = "2006-01-02 15:04:05.000000000 -0700"
	for _, x := range []struct {
		what string
		t    time.Time
	}{{"Access", a.Atime.Time()}, {"Modify", a.Mtime.Time()}, {"Change", a.Ctime.Time()}} {
		fmt.Fprintf(w, "%s: %s\n", x.what, x.t.Format(layout))
	}
}
