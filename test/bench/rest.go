package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// restLoad is the load average over the last minute of a machine at rest.
	restLoad = 0.5
	// restMost is how long one that does not come to rest is waited for.
	restMost = 90 * time.Second
)

// load is the machine's load average over the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// rest waits until the machine has come to rest after it has built the programs
// and counted calls: what was measured just after that was 10 to 20 % off. read
// tells the load.
func rest(ctx context.Context, out io.Writer, read func() string) {
	end := time.Now().Add(restMost)
	for told := false; time.Now().Before(end) && ctx.Err() == nil; told = true {
		l, err := strconv.ParseFloat(read(), 64)
		if err != nil || l < restLoad {
			return
		}
		if !told {
			fmt.Fprintf(out, "waiting, up to %v, for the machine to come to rest: its load is %.2f\n", restMost, l)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}
