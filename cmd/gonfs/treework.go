package main

import (
	"bufio"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/cmd/internal/trees"
)

// crewFlag is --inflight, which all commands have that go through trees.
func crewFlag() cli.Flag {
	return &cli.IntFlag{Name: "inflight", Value: defaultCrew, Usage: fmt.Sprintf("how many requests are under way at once, 1 to %d", maxCrew)}
}

const (
	defaultCrew = 32
	maxCrew     = 256
)

// crew returns the helpers that --inflight asks for.
func crew(c *cli.Context) (*trees.Crew, error) {
	n := c.Int("inflight")
	if n < 1 || n > maxCrew {
		return nil, exitcodes.Usage(fmt.Errorf("%s: --inflight %d: 1 to %d are allowed", c.Command.Name, n, maxCrew))
	}
	return trees.NewCrew(n), nil
}

// problems prints what goes wrong on the way, with names that may be a server's.
func problems(c *cli.Context) *trees.Problems {
	return &trees.Problems{Tell: func(err error) {
		fmt.Fprintf(c.App.ErrWriter, "gonfs %s: %s\n", c.Command.Name, printable(err.Error()))
	}}
}

// ended is the end of a command that may have had problems on the way.
func ended(p *trees.Problems) error {
	if p.Count() > 0 {
		return cli.Exit("", 1)
	}
	return nil
}

// treeWork is what a command has that goes through the trees of its operands.
type treeWork struct {
	c       *cli.Context
	crew    *trees.Crew
	problem *trees.Problems
	w       *bufio.Writer // standard output
}

// treeAction returns the action of a command that does something to each tree
// that its operands name. open opens an operand; begin looks at the flags, and
// returns what is done to each.
func treeAction(open func(*cli.Context, string) (*target, error), begin func(w *treeWork) (func(*target) error, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		operands, err := args(c, 1, 0, "SERVER:/PATH")
		if err != nil {
			return err
		}
		helpers, err := crew(c)
		if err != nil {
			return err
		}
		w := &treeWork{c: c, crew: helpers, problem: problems(c), w: bufio.NewWriter(c.App.Writer)}
		do, err := begin(w)
		if err != nil {
			return exitcodes.Usage(fmt.Errorf("%s: %w", c.Command.Name, err))
		}
		err = eachOpened(c, operands, open, do)
		if ferr := w.w.Flush(); err == nil {
			err = ferr
		}
		if err == nil {
			err = ended(w.problem)
		}
		return err
	}
}

// problems are those on the way through p, told by the names that the user knows.
func (w *treeWork) problems(p *spot) *trees.Problems {
	return &trees.Problems{Tell: func(err error) { w.problem.Add(p.sayPath(err)) }}
}
