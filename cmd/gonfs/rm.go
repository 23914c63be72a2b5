package main

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"strings"
	"sync"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/trees"
)

func rmCommand() *cli.Command {
	return &cli.Command{
		Name:      "rm",
		Usage:     "remove files and trees from an export",
		ArgsUsage: "SERVER:/PATH…",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.BoolFlag{Name: "r", Aliases: []string{"R", "recursive"}, Usage: "remove directories with all that is in them"},
			&cli.BoolFlag{Name: "f", Aliases: []string{"force"}, Usage: "that a name is missing is no error"},
			&cli.BoolFlag{Name: "v", Usage: "print each name that is gone"},
			crewFlag(),
		},
		Action: treeAction(openInParent, func(w *treeWork) (func(*target) error, error) {
			return func(t *target) error { return removeTarget(w, t) }, nil
		}),
	}
}

func removeTarget(w *treeWork, t *target) error {
	p, ctx := serverSpot(t), w.c.Context
	fi, err := p.Lstat(ctx, p.name)
	switch {
	case errors.Is(err, iofs.ErrNotExist) && w.c.Bool("f"):
		return nil
	case err != nil:
		return err
	case !fi.IsDir() && strings.HasSuffix(t.arg, "/"):
		return syscall.ENOTDIR
	case fi.IsDir() && !w.c.Bool("r"):
		return errors.New("is a directory: give -r to remove it with all that is in it")
	}
	rm := &trees.Remove{Side: p, Crew: w.crew, Problems: w.problems(p)}
	if w.c.Bool("v") {
		var mu sync.Mutex // guards w.w
		rm.Removed = func(name string) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintln(w.w, printable(p.say(name)))
		}
	}
	return rm.Run(ctx, p.name)
}
