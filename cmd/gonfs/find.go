package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/trees"
)

func findCommand() *cli.Command {
	return &cli.Command{
		Name:      "find",
		Usage:     "look for files in trees of an export",
		ArgsUsage: "SERVER:/PATH…",
		Description: "The tests are those of find(1), and may be given more than once; an entry must pass\n" +
			"all of them. Names are printed as they are found, in no order, with ? for control\n" +
			"characters.",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.StringSliceFlag{Name: "name", Usage: "the name fits a shell `PATTERN`"},
			&cli.StringSliceFlag{Name: "iname", Usage: "likewise with a `PATTERN`, upper and lower case being the same"},
			&cli.StringSliceFlag{Name: "type", Usage: "one of these `TYPES`, separated by commas: f d l p s b c"},
			&cli.StringSliceFlag{Name: "size", Usage: "`N` blocks of 512 bytes, or bytes (c), KiB (k), MiB (M) or GiB (G); +N is more, -N less"},
			&cli.StringSliceFlag{Name: "mtime", Usage: "changed `N` days ago; +N is longer ago, -N less long"},
			&cli.StringSliceFlag{Name: "mmin", Usage: "likewise, in minutes (`N`)"},
			&cli.IntFlag{Name: "maxdepth", Value: -1, Usage: "go `N` directories deep; 0 is the operand alone"},
			&cli.IntFlag{Name: "mindepth", Usage: "leave out what is less than `N` directories deep"},
			&cli.BoolFlag{Name: "print0", Usage: "end each name with NUL, and print it as it is: for xargs -0"},
			crewFlag(),
		},
		Action: treeAction(openTarget, func(w *treeWork) (func(*target) error, error) {
			for _, flag := range []string{"maxdepth", "mindepth"} {
				if n := w.c.Int(flag); w.c.IsSet(flag) && n < 0 {
					return nil, fmt.Errorf("--%s %d: 0 or more is expected", flag, n)
				}
			}
			match, err := matchOf(w.c)
			return (&finder{treeWork: w, match: match}).find, err
		}),
	}
}

// matchOf returns the test that the flags make up.
func matchOf(c *cli.Context) (trees.Match, error) {
	now := time.Now()
	var tests []trees.Match
	for _, t := range []struct {
		flag string
		make func(value string) (trees.Match, error)
	}{
		{"name", func(v string) (trees.Match, error) { return trees.NameMatch(v, false) }},
		{"iname", func(v string) (trees.Match, error) { return trees.NameMatch(v, true) }},
		{"type", trees.TypeMatch},
		{"size", trees.SizeMatch},
		{"mtime", func(v string) (trees.Match, error) { return trees.AgeMatch(v, 24*time.Hour, now) }},
		{"mmin", func(v string) (trees.Match, error) { return trees.AgeMatch(v, time.Minute, now) }},
	} {
		for _, value := range c.StringSlice(t.flag) {
			m, err := t.make(value)
			if err != nil {
				return nil, err
			}
			tests = append(tests, m)
		}
	}
	return func(e *trees.Entry) bool {
		for _, m := range tests {
			if !m(e) {
				return false
			}
		}
		return true
	}, nil
}

type finder struct {
	*treeWork
	match trees.Match
	mu    sync.Mutex // held while a name is printed
}

// find looks through one operand.
func (f *finder) find(t *target) error {
	p := serverSpot(t)
	deepest := f.c.Int("maxdepth")
	w := &trees.Walk{
		Side: p, Crew: f.crew, Problems: f.problems(p),
		Enter: func(_ context.Context, e *trees.Entry) (bool, error) {
			if e.Depth >= f.c.Int("mindepth") && f.match(e) {
				f.print(p.say(e.Name))
			}
			return deepest < 0 || e.Depth < deepest, nil
		},
	}
	return w.Run(f.c.Context, p.name)
}

func (f *finder) print(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.c.Bool("print0") {
		fmt.Fprintf(f.w, "%s\x00", name)
		return
	}
	fmt.Fprintln(f.w, printable(name))
}
