package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

// wanting are reasons to skip that do not count where everything is there.
var wanting = regexp.MustCompile(`(?i)/dev/fuse|no fuse|not installed|is missing|not found in \$?path|must be root|needs root|permission denied`)

// report gathers what the events tell.
type report struct {
	ci     bool
	order  []string            // tests and packages as they came
	output map[string][]string // of those that have not passed
	failed []string
	skips  []skip
	passed int
	other  []string // lines that are no events: what the compiler says
	slow   []timed
}

// skip is a test that was not run.
type skip struct{ test, reason string }

// why is the reason without the line of the source that gave it.
func (s skip) why() string {
	if _, why, ok := strings.Cut(s.reason, ": "); ok {
		return why
	}
	return s.reason
}

// timed is how long a package took.
type timed struct {
	name    string
	seconds float64
}

func newReport(ci bool) *report { return &report{ci: ci, output: make(map[string][]string)} }

// read takes all events.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				r.other = append(r.other, line)
			} else {
				r.add(&e)
			}
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// add takes one event.
func (r *report) add(e *event) {
	key := e.Package
	if e.Test != "" {
		key += " " + e.Test
	}
	switch e.Action {
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "build-output":
		r.other = append(r.other, e.Output)
	case "pass":
		if e.Test != "" {
			r.passed++
		} else {
			r.slow = append(r.slow, timed{key, e.Elapsed})
		}
		delete(r.output, key)
	case "fail", "build-fail":
		r.order = append(r.order, key)
		r.failed = append(r.failed, key)
	case "skip":
		if e.Test != "" { // a package without tests is "skipped", too
			r.skips = append(r.skips, skip{key, reasonOf(r.output[key])})
		}
		delete(r.output, key)
	}
}

// reasonOf takes the reason out of a skipped test's output.
func reasonOf(output []string) string {
	var reason []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") && line != "" {
			reason = append(reason, line)
		}
	}
	return strings.Join(reason, " ")
}

// write prints the report and tells whether all is well.
func (r *report) write(out io.Writer) bool {
	ok := len(r.failed) == 0
	for _, line := range r.other {
		fmt.Fprint(out, line)
	}
	for _, key := range r.order {
		for _, line := range r.output[key] {
			fmt.Fprint(out, line)
		}
	}
	for _, key := range r.failed {
		fmt.Fprintf(out, "FAIL %s\n", key)
	}
	for i, s := range r.skips {
		switch {
		case s.reason == "" || r.ci && wanting.MatchString(s.reason):
			ok = false
			fmt.Fprintf(out, "FAIL: skipped %s: %s\n", s.test, s.reason)
		case i > 0 && r.skips[i-1].why() == s.why():
			fmt.Fprintf(out, "skip %s: the same\n", s.test)
		default:
			fmt.Fprintf(out, "skip %s: %s\n", s.test, s.reason)
		}
	}
	slices.SortFunc(r.slow, func(a, b timed) int { return int(1000 * (b.seconds - a.seconds)) })
	for _, t := range r.slow[:min(5, len(r.slow))] {
		fmt.Fprintf(out, "%6.1f s %s\n", t.seconds, t.name)
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", r.passed, len(r.failed), len(r.skips))
	if r.passed == 0 && len(r.skips) == 0 {
		fmt.Fprintln(out, "FAIL: nothing was run")
		ok = false
	}
	return ok
}
