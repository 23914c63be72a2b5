package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	bin := flags.String("bin", "", "`DIR` of the programs, as build.sh makes it")
	results := flags.String("results", "", "`DIR` of the results")
	doc := flags.String("doc", "", "write the report to `FILE`, charts beside it")
	reps := flags.Int("reps", 5, "how often each contender runs")
	short := flags.Bool("quick", false, "a quarter of the work, for development")
	again := flags.Bool("again", false, "measure also what was measured with these programs")
	list := flags.Bool("list", false, "list the rows")
	only := flags.Bool("report", false, "measure nothing: report what was measured, with whichever programs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s := full
	if *short {
		s = quick
	}
	all := rows(s)
	if *list {
		for _, r := range all {
			fmt.Printf("%-12s %s\n", r.id, r.title)
		}
		return nil
	}
	chosen, err := choose(all, flags.Args())
	if err != nil {
		return err
	}
	kept, err := newStore(*results, *bin, s)
	if err != nil {
		return err
	}
	w := &world{ctx: ctx, bin: *bin, log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if !*only {
		if *doc != "" {
			rest(ctx, os.Stdout, load)
		}
		if err := w.measureAll(chosen, kept, *reps, *again || flags.NArg() > 0); err != nil {
			return err
		}
	}
	if *doc == "" {
		return nil
	}
	return w.report(*doc, all, kept)
}

// measureAll measures the rows and keeps the results; again measures those too
// that were measured with these programs.
func (w *world) measureAll(chosen []row, kept *store, reps int, again bool) error {
	if err := w.startServer(); err != nil {
		return err
	}
	defer w.stopServer()
	for i := range chosen {
		r := &chosen[i]
		if old, fresh, err := kept.load(r.id); err != nil {
			return err
		} else if fresh && !again {
			show(os.Stdout, r, old)
			continue
		}
		res, err := w.measure(r, reps)
		if err != nil {
			return err
		}
		show(os.Stdout, r, res)
		if err := kept.save(res); err != nil {
			return err
		}
	}
	return nil
}

// choose returns the rows with the given names, or all.
func choose(all []row, names []string) (chosen []row, err error) {
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		i := slices.IndexFunc(all, func(r row) bool { return r.id == name })
		if i < 0 {
			err = errors.Join(err, fmt.Errorf("no row %q; -list shows them", name))
			continue
		}
		chosen = append(chosen, all[i])
	}
	return chosen, err
}
