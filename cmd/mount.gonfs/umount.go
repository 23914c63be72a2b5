package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/mounter"
)

// umountApp is umount.gonfs and umount.fuse.gonfs.
func umountApp(name string) *cli.App {
	app := newApp(name, umountHelp, umountAction)
	app.Flags = append(commonFlags(),
		&cli.BoolFlag{Name: "f"},
		&cli.BoolFlag{Name: "l"},
		&cli.BoolFlag{Name: "r"},
	)
	return app
}

func umountAction(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage(c.App.Name, fmt.Errorf("one mount point is expected: got %d operands", c.NArg()))
	}
	if err := enter(c.String("N")); err != nil {
		return err
	}
	target := c.Args().First()
	err := mounter.Umount(c.Context, mounter.UmountRequest{
		Target: target, Force: c.Bool("f"), Lazy: c.Bool("l"), ReadOnly: c.Bool("r"),
	})
	if err == nil && c.Bool("v") {
		fmt.Fprintf(c.App.Writer, "%s: %s unmounted\n", c.App.Name, target)
	}
	return err
}
