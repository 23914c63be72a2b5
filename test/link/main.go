package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "usage: link NAMESPACE DEVICE NAMESPACE DEVICE [KEY=VALUE…]")
		os.Exit(2)
	}
	if err := run(os.Args[1:5], os.Args[5:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "link:", err)
		os.Exit(1)
	}
}

// run joins the devices until the end of in.
func run(ends, words []string, in io.Reader, out io.Writer) error {
	p, err := parse(words)
	if err != nil {
		return err
	}
	a, err := openTUN(ends[0], ends[1])
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := openTUN(ends[2], ends[3])
	if err != nil {
		return err
	}
	defer b.Close()
	there, back := newWire(b, 1), newWire(a, 2)
	stop, failed := make(chan struct{}), make(chan error, 2)
	defer close(stop)
	for _, d := range []struct {
		from io.Reader
		w    *wire
	}{{a, there}, {b, back}} {
		d.w.set(p)
		go d.w.deliver(stop)                        // ends with run
		go func() { failed <- read(d.from, d.w) }() // ends when its device is closed, at the end of run
	}
	fmt.Fprintln(out, "ready")
	lines := make(chan error, 1)
	go func() { lines <- control(in, out, there, back) }() // ends at the end of in, or with the process
	select {
	case err = <-lines:
	case err = <-failed:
	}
	return err
}

// read reads packets into w.
func read(from io.Reader, w *wire) error {
	packet := make([]byte, 1<<16)
	for {
		n, err := from.Read(packet)
		if err != nil {
			return err
		}
		if n > 0 {
			w.take(packet[:n], time.Now())
		}
	}
}

// control obeys the lines of in.
func control(in io.Reader, out io.Writer, there, back *wire) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		p, err := parse(strings.Fields(lines.Text()))
		if err != nil {
			fmt.Fprintln(out, "error:", err)
			continue
		}
		fmt.Fprintf(out, "ok there: %v back: %v\n", there.set(p), back.set(p))
	}
	if err := lines.Err(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
