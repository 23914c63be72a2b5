package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	ci := flag.Bool("ci", false, "treat tests that were skipped for want of a server, device, tool or privilege as failed")
	flag.Parse()
	r := newReport(*ci)
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
	if !r.write(os.Stdout) {
		os.Exit(1)
	}
}
