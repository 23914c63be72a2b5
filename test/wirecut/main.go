package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "wirecut:", err)
		os.Exit(1)
	}
}

// run carries out one command line.
func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "talk":
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		labels, err := os.Create(args[2])
		if err != nil {
			return err
		}
		if err := talk(ctx, args[1], &script{out: labels}); err != nil {
			return err
		}
		return labels.Close()
	case len(args) == 4 && args[0] == "cut":
		return cut(args[1], args[2], args[3])
	}
	return fmt.Errorf("usage: wirecut talk SERVER LABELS | wirecut cut CAPTURE LABELS OUTDIR")
}
