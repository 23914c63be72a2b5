package main

import (
	"io"
	"sync"
)

// output is standard output. It remembers what went wrong with it, so that a
// command whose lines did not all get to a full disk does not end with 0.
type output struct {
	w  io.Writer
	mu sync.Mutex // guards err
	// err is the first error of w.
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.err == nil {
			o.err = err
		}
	}
	return n, err
}

// failed returns the first error.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}
