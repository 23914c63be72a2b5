package mounttab

import (
	"errors"
	"io"
)

// Result is what became of a mount: the one message that a daemon sends to the
// command that started it, over a pipe. A pipe that ends without one means that
// the daemon died.
type Result struct {
	Code     int      `json:"code"`               // exit code of the command
	Message  string   `json:"message,omitempty"`  // for its stderr, without a program's name in front
	Warnings []string `json:"warnings,omitempty"` // the same, when the mount succeeded
	Record   *Record  `json:"record,omitempty"`   // of the mount, if there is one
}

// ErrNoResult is the error of ReadResult when the other end is gone and has
// said nothing.
var ErrNoResult = errors.New("mounttab: the daemon ended without a result")

// WriteResult writes r to w.
func WriteResult(w io.Writer, r *Result) error { return writeMessage(w, r) }

// ReadResult reads a Result from r, waiting for it as long as r does.
func ReadResult(r io.Reader) (*Result, error) {
	res := new(Result)
	switch err := readMessage(r, res); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, ErrNoResult
	case err != nil:
		return nil, err
	}
	return res, nil
}
