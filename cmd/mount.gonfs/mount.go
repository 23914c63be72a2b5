package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/cmd/internal/mounter"
	"github.com/gonfs/gonfs/mountopt"
)

// mountApp is mount.gonfs and mount.fuse.gonfs.
func mountApp(name string) *cli.App {
	app := newApp(name, mountHelp, mountAction)
	app.Flags = append(commonFlags(),
		&cli.StringSliceFlag{Name: "o"},
		&cli.BoolFlag{Name: "r"},
		&cli.BoolFlag{Name: "w"},
		&cli.BoolFlag{Name: "s"},
		&cli.BoolFlag{Name: "f"},
		&cli.BoolFlag{Name: "foreground"},
		&cli.StringFlag{Name: "log"},
	)
	return app
}

func mountAction(c *cli.Context) error {
	if c.NArg() != 2 {
		return usage(c.App.Name, fmt.Errorf("what to mount, and where, are expected: got %d operands", c.NArg()))
	}
	r := request(c)
	// The daemon reads the options again; here they tell what is to be done,
	// and a wrong one needs no daemon to be found.
	o, err := mountopt.Parse(sloppy(r))
	if err != nil {
		return exitcodes.New(exitcodes.Failure, "%w", err)
	}
	if _, err := mountopt.ParseSpec(r.Spec); err != nil && !o.Remount {
		return exitcodes.New(exitcodes.Failure, "%w", err)
	}
	if !o.Remount {
		if r, err = r.WithDefaults(); err != nil {
			return err
		}
	}
	ns := c.String("N")
	if ns != "" && c.Bool("foreground") {
		return usage(c.App.Name, errors.New("-N and --foreground cannot be combined: use nsenter(1)"))
	}
	if err := enter(ns); err != nil {
		return err
	}
	switch {
	case o.Remount:
		return remount(r.Dir, sloppy(r), r.Fake)
	case c.Bool("foreground"):
		return mounter.Foreground(context.WithoutCancel(c.Context), r) // it has signals of its own
	}
	rec, err := mounter.Background(c.Context, r, c.App.ErrWriter)
	if err == nil && r.Verbose && rec != nil {
		fmt.Fprintf(c.App.Writer, "%s: %s mounted on %s (%s), served by process %d\n", c.App.Name, rec.Spec, rec.Dir, rec.Options, rec.PID)
	}
	return err
}

// request puts the command line together. Of -r, -w and the options ro and rw
// the options win, as with mount.nfs.
func request(c *cli.Context) mounter.Request {
	var options []string
	if c.Bool("r") {
		options = append(options, "ro")
	}
	if c.Bool("w") {
		options = append(options, "rw")
	}
	return mounter.Request{
		Program: c.App.Name,
		// mount(8) has "gonfs#host:/path" for the type fuse.
		Spec:    strings.TrimPrefix(c.Args().Get(0), "gonfs#"),
		Dir:     c.Args().Get(1),
		Options: strings.Join(append(options, c.StringSlice("o")...), ","),
		Sloppy:  c.Bool("s"), Verbose: c.Bool("v"), Fake: c.Bool("f"), LogFile: c.String("log"),
	}
}

// sloppy returns the options with what -s means.
func sloppy(r mounter.Request) string {
	if r.Sloppy {
		return "sloppy," + r.Options
	}
	return r.Options
}
