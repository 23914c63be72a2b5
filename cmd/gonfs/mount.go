package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/mounter"
)

func mountCommand() *cli.Command {
	return &cli.Command{
		Name:      "mount",
		Usage:     "mount an export through FUSE",
		ArgsUsage: "SERVER:/EXPORT DIR",
		Description: "Returns when DIR can be used; a daemon serves it until it is unmounted. Root\n" +
			"mounts for everybody, other users for themselves, with the help of fusermount3\n" +
			"(Debian: package fuse3). mount.gonfs(8) explains the options.",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.BoolFlag{Name: "foreground", Usage: "serve the mount in this process, until it is unmounted or Ctrl-C is typed"},
			&cli.BoolFlag{Name: "fake", Aliases: []string{"f"}, Usage: "ask the server, but do not mount"},
			&cli.BoolFlag{Name: "s", Usage: "skip options that gonfs does not know"},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "say each step, with its answer"},
			&cli.StringFlag{Name: "log", Usage: "write the daemon's log to `FILE` instead of the system log"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 2, 2, "SERVER:/EXPORT and DIR")
			if err != nil {
				return err
			}
			r := mounter.Request{
				Program: "gonfs", Spec: operands[0], Dir: operands[1],
				Options: strings.Join(c.StringSlice("o"), ","),
				Sloppy:  c.Bool("s"), Verbose: c.Bool("verbose"), Fake: c.Bool("fake"), LogFile: c.String("log"),
			}
			if r, err = r.WithDefaults(); err != nil {
				return err
			}
			if c.Bool("foreground") {
				return mounter.Foreground(context.WithoutCancel(c.Context), r)
			}
			_, err = mounter.Background(c.Context, r, c.App.ErrWriter)
			return err
		},
	}
}

func umountCommand() *cli.Command {
	return &cli.Command{
		Name:      "umount",
		Usage:     "unmount, and wait until all data is safe on the server",
		ArgsUsage: "DIR|SERVER:/EXPORT…",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "even if the server is away: what cannot be saved within a second is lost"},
			&cli.BoolFlag{Name: "lazy", Aliases: []string{"l"}, Usage: "take it out of sight now, and end it when nobody uses it any more"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 1, 0, "DIR")
			if err != nil {
				return err
			}
			for _, target := range operands {
				if err := mounter.Umount(c.Context, mounter.UmountRequest{Target: target, Force: c.Bool("force"), Lazy: c.Bool("lazy")}); err != nil {
					return fmt.Errorf("umount: %w", err)
				}
			}
			return nil
		},
	}
}
