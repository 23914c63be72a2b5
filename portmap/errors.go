package portmap

import (
	"errors"
	"fmt"
)

// ErrNotRegistered means that the server's rpcbind answered, and knows no such
// program, version and transport. ErrBadAnswer means that its answer is no
// address. ErrRefused means that rpcbind of this host did not do a SET or UNSET:
// the program is registered by somebody else, or we are not who registered it,
// or may not register at all. All come wrapped in an Error.
var (
	ErrNotRegistered = errors.New("not registered with the server's rpcbind")
	ErrBadAnswer     = errors.New("not an address")
	ErrRefused       = errors.New("refused by rpcbind: registered by somebody else, or not permitted")
)

// Error tells which program was asked for, and what the answer was.
type Error struct {
	Prog, Vers uint32
	Netid      string // over which transport the program was wanted
	Answer     string // the port or universal address that came, as text; SET or UNSET if that was refused
	Err        error  // ErrNotRegistered, ErrBadAnswer, ErrRefused or a *UaddrError
}

// Error implements error.
func (e *Error) Error() string {
	switch {
	case errors.Is(e.Err, ErrRefused):
		return fmt.Sprintf("%s of program %d version %d over %s: %v", e.Answer, e.Prog, e.Vers, e.Netid, e.Err)
	case errors.Is(e.Err, ErrNotRegistered):
		return fmt.Sprintf("program %d version %d over %s is %v", e.Prog, e.Vers, e.Netid, e.Err)
	}
	return fmt.Sprintf("rpcbind answered %q for program %d version %d over %s: %v", e.Answer, e.Prog, e.Vers, e.Netid, e.Err)
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }
