package main

import (
	"cmp"
	"errors"
	"fmt"
	iofs "io/fs"
	"path"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/cmd/internal/trees"
)

func cpCommand() *cli.Command {
	return &cli.Command{
		Name:      "cp",
		Usage:     "copy files and trees to or from an export",
		ArgsUsage: "SOURCE… DESTINATION",
		Description: "Sources and destination are SERVER:/PATH or local (write ./a:/b for a local name\n" +
			"that looks like a server's). A destination that is a directory gets copies of the\n" +
			"sources' names. Copies have the permissions and times of their sources, holes stay\n" +
			"holes; with -r symbolic links stay links and files of several names stay one file.\n" +
			"Owners are not kept. gonfs cp ends with 0 only when all is safe on the disk.",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.BoolFlag{Name: "r", Aliases: []string{"R", "recursive"}, Usage: "copy directories with all that is in them"},
			&cli.BoolFlag{Name: "continue", Usage: "go on with a copy that was interrupted: leave out what is complete, write what differs"},
			&cli.BoolFlag{Name: "checksum", Usage: "read each copy again and compare it (xxhash)"},
			crewFlag(),
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress bar, even on a terminal"},
			&cli.BoolFlag{Name: "v", Usage: "print the name of each file"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 2, 0, "SOURCE and DESTINATION")
			if err != nil {
				return err
			}
			helpers, err := crew(c)
			if err != nil {
				return err
			}
			sources, to := operands[:len(operands)-1], operands[len(operands)-1]
			for _, from := range sources {
				if !looksRemote(from) && !looksRemote(to) {
					return exitcodes.Usage(errors.New("cp: both names are local: use cp(1), or name one as SERVER:/PATH"))
				}
			}
			return copyAll(c, helpers, sources, to)
		},
	}
}

// copyAll copies each source. The destination is opened once.
func copyAll(c *cli.Context, helpers *trees.Crew, sources []string, to string) (err error) {
	dst, err := openSpot(c, to, true)
	if err != nil {
		return fmt.Errorf("cp: %s: %w", to, plain(err))
	}
	defer func() { err = dst.close(c.Context, err) }()
	fi, serr := dst.Lstat(c.Context, dst.name)
	into := serr == nil && fi.IsDir()
	switch {
	case serr != nil && !errors.Is(serr, iofs.ErrNotExist):
		return fmt.Errorf("cp: %s: %w", to, plain(serr))
	case len(sources) > 1 && !into:
		return fmt.Errorf("cp: %s: is no directory, and there is more than one source", to)
	}
	bar := newBar(c)
	problem := &trees.Problems{Tell: bar.problem}
	made := map[string]bool{}
	for _, from := range sources {
		if err := copyOne(c, helpers, problem, bar, from, dst, into, made); err != nil {
			if c.Context.Err() != nil || len(sources) == 1 {
				return fmt.Errorf("cp: %w", err)
			}
			problem.Add(err)
		}
	}
	return ended(problem)
}

// copyOne copies one source to dst, or into it, where made tells the files that
// were copied before.
func copyOne(
	c *cli.Context, helpers *trees.Crew, problem *trees.Problems, bar *bar, from string, dst *spot, into bool,
	made map[string]bool,
) (err error) {
	src, err := openSpot(c, from, !c.Bool("r"))
	if err != nil {
		return fmt.Errorf("%s: %w", from, plain(err))
	}
	defer func() { err = src.close(c.Context, err) }()
	ctx := c.Context
	fi, err := src.Lstat(ctx, src.name)
	if err != nil {
		return fmt.Errorf("%s: %w", from, plain(err))
	}
	to := dst.name
	if into {
		to = path.Join(to, src.base)
	}
	switch {
	case fi.IsDir() && !c.Bool("r"):
		return fmt.Errorf("%s: is a directory: give -r to copy it", from)
	case !fi.IsDir() && !fi.Mode().IsRegular() && fi.Mode().Type() != iofs.ModeSymlink:
		return fmt.Errorf("%s: is no regular file (%s)", from, modeString(fi.Mode()))
	case !fi.IsDir() && !into && strings.HasSuffix(dst.arg, "/"):
		return fmt.Errorf("%s: is no directory", dst.arg)
	case made[to]:
		return fmt.Errorf("%s: another source was copied to %s, and is not overwritten", from, dst.say(to))
	}
	made[to] = !fi.IsDir()
	if err := apart(src, fi, dst, to); err != nil {
		return err
	}
	var only error // of a file: there is nothing to go on with
	cp := &trees.Copy{
		From: src, To: dst, OneServer: src.sameServer(dst), Crew: helpers,
		Continue: c.Bool("continue"), Checksum: c.Bool("checksum"),
		Problems: &trees.Problems{Tell: func(err error) {
			if err = sayCopy(src, dst, err); !fi.IsDir() {
				only = err
				return
			}
			problem.Add(err)
		}},
	}
	cp.Moved = bar.add
	if c.Bool("v") {
		cp.Named = func(name string) { bar.name(src.say(name)) }
	}
	bar.begin(ctx, src, &cp.Files)
	err = cp.Run(ctx, src.name, to)
	bar.end()
	return cmp.Or(err, only)
}

// apart refuses to copy a directory into itself before anything is made. It goes
// by the names; what they hide, package trees sees while it copies.
func apart(src *spot, fi iofs.FileInfo, dst *spot, to string) error {
	if !fi.IsDir() || !src.sameServer(dst) {
		return nil
	}
	if from, at := src.whole(src.name), dst.whole(to); at == from || strings.HasPrefix(at, strings.TrimRight(from, "/")+"/") {
		return fmt.Errorf("%s: a directory cannot be copied into itself", src.arg)
	}
	return nil
}

// sayCopy says what could not be copied, by the names that the user knows.
func sayCopy(src, dst *spot, err error) error {
	var ce *trees.CopyError
	if !errors.As(err, &ce) {
		return fmt.Errorf("%s: %w", src.arg, err)
	}
	return fmt.Errorf("%s to %s: %w", src.say(ce.From), dst.say(ce.To), plain(ce.Err))
}
