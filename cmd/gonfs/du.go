package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/trees"
)

func duCommand() *cli.Command {
	return &cli.Command{
		Name:      "du",
		Usage:     "add up what files and trees of an export take",
		ArgsUsage: "SERVER:/PATH…",
		Description: "Sums are of the space on the server's disk, in KiB, a directory behind all that is\n" +
			"in it. A file of several names counts once.",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.BoolFlag{Name: "s", Usage: "only the sum of each operand"},
			&cli.BoolFlag{Name: "a", Usage: "files as well, not only directories"},
			&cli.IntFlag{Name: "d", Value: -1, Usage: "directories down to this `DEPTH`; 0 is -s"},
			&cli.BoolFlag{Name: "human", Aliases: []string{"H"}, Usage: "sizes as 1.5G instead of KiB"},
			&cli.BoolFlag{Name: "b", Usage: "the sizes of files in bytes, rather than what they take on the disk"},
			crewFlag(),
		},
		Action: treeAction(openTarget, beginUsage),
	}
}

// beginUsage returns what adds one operand up.
func beginUsage(w *treeWork) (func(*target) error, error) {
	c, depth := w.c, w.c.Int("d")
	if c.IsSet("d") && depth < 0 {
		return nil, fmt.Errorf("-d %d: 0 or more is expected", depth)
	}
	if c.Bool("s") {
		if depth > 0 || c.Bool("a") {
			return nil, errors.New("-s goes with neither -a nor -d")
		}
		depth = 0
	}
	size := kib
	switch {
	case c.Bool("human"):
		size = human
	case c.Bool("b"):
		size = count
	}
	return func(t *target) error {
		p := serverSpot(t)
		u := &trees.Usage{
			Side: p, Crew: w.crew, Problems: w.problems(p), Apparent: c.Bool("b"),
			Tell: func(e *trees.Entry, bytes int64) {
				if e.Depth == 0 || (e.Info.IsDir() || c.Bool("a")) && (depth < 0 || e.Depth <= depth) {
					fmt.Fprintf(w.w, "%s\t%s\n", size(uint64(bytes)), printable(p.say(e.Name)))
				}
			},
		}
		_, err := u.Run(c.Context, p.name)
		return err
	}, nil
}
