package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/mounter"
	"github.com/gonfs/gonfs/mounttab"
	"github.com/gonfs/gonfs/nfstest"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:      "demo",
		Usage:     "start a server and mount it, to see gonfs at work",
		ArgsUsage: "[DIR]",
		Description: "The server is the one of the project's tests. It listens on ports of its own on the\n" +
			"loopback interface, and serves a few files from memory or, with DIR, the files of\n" +
			"that directory. Ctrl-C unmounts and ends all. Where FUSE cannot be had, demo says\n" +
			"why, and shows the same through the library.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "once", Usage: "mount, write, read back, list, unmount, say how long it took, and end"},
			&cli.StringFlag{Name: "at", Usage: "mount at `MOUNTPOINT` instead of a new directory in /tmp"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 0, 1, "at most one DIR")
			if err != nil {
				return err
			}
			d := &demo{w: c.App.Writer, once: c.Bool("once"), start: time.Now()}
			if len(operands) == 1 {
				d.dir = operands[0]
			}
			return d.run(c.Context, c.String("at"))
		},
	}
}

// demo is a server and its mount.
type demo struct {
	w      io.Writer
	dir    string // served; "" for memory
	once   bool
	start  time.Time
	server *nfstest.Server
}

func (d *demo) run(ctx context.Context, at string) (err error) {
	if err := errors.Join(wantDir("demo", d.dir), wantDir("demo: --at", at)); err != nil {
		return err
	}
	d.server = nfstest.New(nfstest.Options{Dir: d.dir, Lax: true})
	defer func() { err = errors.Join(err, d.server.Close()) }()
	if d.dir == "" {
		if err := d.fill(); err != nil {
			return err
		}
	}
	if err := d.server.Start(); err != nil {
		return fmt.Errorf("demo: the server could not be started: %w", err)
	}
	d.step("server started: %s, options %s", d.server.Export(), d.server.MountOptions())
	if at == "" {
		if at, err = os.MkdirTemp("", "gonfs-demo-"); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.Remove(at)) }() // Remove, not RemoveAll: never into a mount
	}
	rec, merr := mounter.Background(ctx, mounter.Request{
		Program: "gonfs demo", Spec: d.server.Export(), Dir: at, Options: d.server.MountOptions(),
	}, io.Discard)
	if ctx.Err() != nil {
		return context.Canceled
	}
	if merr != nil {
		fmt.Fprintf(d.w, "It cannot be mounted here: %v\n", merr)
		fmt.Fprintln(d.w, "(FUSE needs /dev/fuse and, unless you are root, fusermount3: Debian's package fuse3.)")
		fmt.Fprintln(d.w, "The same through the library, which needs neither:")
		return d.library(ctx)
	}
	d.step("mounted at %s by process %d", at, rec.PID)
	if d.once {
		err = d.try(local{at})
	} else {
		err = d.wait(ctx, at, rec)
	}
	// The context may have ended: that is how people leave.
	if uerr := mounter.Umount(context.WithoutCancel(ctx), mounter.UmountRequest{Target: at, Lazy: rec.Live() && !d.once}); uerr != nil && rec.Live() {
		return errors.Join(err, uerr)
	}
	d.waitGone(rec)
	d.step("unmounted")
	return err
}

// wantDir makes sure that name, if it is given, is a directory's.
func wantDir(what, name string) error {
	if name == "" {
		return nil
	}
	fi, err := os.Stat(name)
	if err == nil && !fi.IsDir() {
		err = fmt.Errorf("%s is not a directory", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// fill puts a few files on the server.
func (d *demo) fill() error {
	if err := d.server.Mkdir("dir", 0o777); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"README":       "This file is served over NFS version 3 from the memory of gonfs demo.\n",
		"dir/hello.sh": "#!/bin/sh\necho hello from $0\n",
	} {
		if err := d.server.WriteFile(name, []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) step(format string, a ...any) {
	fmt.Fprintf(d.w, "%7.3fs  %s\n", time.Since(d.start).Seconds(), fmt.Sprintf(format, a...))
}

// wait says what to try, and returns when ctx or the mount has ended.
func (d *demo) wait(ctx context.Context, at string, rec *mounttab.Record) error {
	fmt.Fprintf(d.w, "Try:  ls -l %s\n", at)
	fmt.Fprintf(d.w, "      cp -r /etc/ssl %s && diff -r /etc/ssl %s/ssl\n", at, at)
	fmt.Fprintf(d.w, "      gonfs status          (or: go run ./cmd/gonfs status)\n")
	fmt.Fprintf(d.w, "      gonfs ls -l %s/ -o %s\n", d.server.Export(), d.server.MountOptions())
	fmt.Fprintf(d.w, "Ctrl-C ends the demo and unmounts.\n")
	t := time.NewTicker(200 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if !rec.Live() {
				return nil // somebody has unmounted it
			}
		}
	}
}

// waitGone waits until the daemon has ended.
func (d *demo) waitGone(rec *mounttab.Record) {
	for deadline := time.Now().Add(10 * time.Second); rec.Live() && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
}
