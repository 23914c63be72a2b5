package main

import (
	"errors"
	"fmt"
	"io"
)

// script writes down each call before it is made. Calls are made one at a
// time, so that the nth label is the nth call of the capture.
type script struct {
	out io.Writer
	err error // the first that went otherwise than expected; the rest is skipped
}

// ok makes a call that must succeed. folder is where it is kept, label tells
// it from others of its procedure and may be empty.
func (s *script) ok(folder, proc, label string, call func() error) {
	s.fails(folder, proc, label, nil, call)
}

// fails makes a call that must end in want.
func (s *script) fails(folder, proc, label string, want error, call func() error) {
	if s.err != nil {
		return
	}
	if _, s.err = fmt.Fprintf(s.out, "%s %s %s\n", folder, proc, label); s.err != nil {
		return
	}
	if err := call(); !errors.Is(err, want) {
		s.err = fmt.Errorf("%s %s %s: %v, want %v", folder, proc, label, err, want)
	}
}
