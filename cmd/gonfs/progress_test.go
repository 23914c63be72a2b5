package main

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
)

// A bar overwrites the line above it: while there is one, errors go through it,
// and names do where they would be on the same terminal.
func TestLinesBesideABar(t *testing.T) {
	here, err := openLocal(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = here.close(t.Context(), nil) }()
	for _, lists := range []bool{true, false} {
		var out, errs, screen bytes.Buffer
		b := &bar{shown: true, lists: lists, out: &out, errOut: &screen}
		b.begin(t.Context(), here, new(atomic.Int64))
		b.errOut = &errs // what does not go through the bar
		b.name("dir/name\x1b")
		b.problem(errors.New("no such file"))
		b.add(10)
		b.end()
		if errs.Len() > 0 || !strings.Contains(screen.String(), "gonfs cp: no such file\n") {
			t.Errorf("the error is not above the bar: %q, %q", errs.String(), screen.String())
		}
		if above := strings.Contains(screen.String(), "dir/name?\n"); above != lists || lists == (out.String() == "dir/name?\n") {
			t.Errorf("standard output is a terminal: %v, and got %q; on the screen is %q", lists, out.String(), screen.String())
		}
		b.problem(errors.New("later"))
		if errs.String() != "gonfs cp: later\n" {
			t.Errorf("an error after the copy: %q", errs.String())
		}
	}
}
