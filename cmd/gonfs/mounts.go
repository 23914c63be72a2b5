package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/cmd/internal/mounter"
	"github.com/gonfs/gonfs/mounttab"
)

// askTime is how long a daemon may take to answer.
const askTime = 2 * time.Second

// jsonFlag returns the flag of eachMount.
func jsonFlag() cli.Flag { return &cli.BoolFlag{Name: "json", Usage: "as one JSON array"} }

// eachMount is the action of a command [--json] [DIR…] that asks the daemon of
// each mount something, and shows what it knows then.
func eachMount[T any](ask func(context.Context, mounttab.Record) T, show func(io.Writer, T)) cli.ActionFunc {
	return func(c *cli.Context) error {
		all, err := mounter.Records()
		if err != nil {
			return err
		}
		if all, err = choose(all, c.Command.Name, c.Args().Slice()); err != nil {
			return err
		}
		out := make([]T, 0, len(all))
		for _, rec := range all {
			ctx, cancel := context.WithTimeout(c.Context, askTime)
			out = append(out, ask(ctx, rec))
			cancel()
		}
		if c.Bool("json") {
			e := json.NewEncoder(c.App.Writer)
			e.SetIndent("", "  ")
			return e.Encode(out)
		}
		for i, m := range out {
			if i > 0 {
				fmt.Fprintln(c.App.Writer)
			}
			show(c.App.Writer, m)
		}
		return nil
	}
}

// choose returns the records of dirs, or all.
func choose(all []mounttab.Record, command string, dirs []string) ([]mounttab.Record, error) {
	if len(dirs) == 0 {
		return all, nil
	}
	var out []mounttab.Record
	for _, d := range dirs {
		abs, err := filepath.Abs(d)
		if err != nil {
			return nil, err
		}
		found := false
		for _, rec := range all {
			if rec.Dir == abs || rec.Spec == d {
				out, found = append(out, rec), true
			}
		}
		if !found {
			return nil, exitcodes.New(exitcodes.UsageError, "%s: %s: no mount of gonfs is there; gonfs status lists all", command, d)
		}
	}
	return out, nil
}
