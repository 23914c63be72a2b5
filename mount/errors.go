package mount

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// ErrNotDirectory means that the export is a file or something else that can
// not be mounted on a directory.
var ErrNotDirectory = errors.New("the export is not a directory")

// ErrConnectionLost means that the server accepted a connection and ended it
// before it answered.
var ErrConnectionLost = errors.New("connection closed by the server before it answered")

// Error is a mount that came to nothing.
type Error struct {
	Op     string // what was done: "resolve", "rpcbind", "MNT", "sec", "connect", "FSINFO", "UMNT"
	Server string // the address of the server, or its name as long as it has none
	Spec   string // what was to be mounted
	Err    error  // why it failed
	Hint   string // what to do about it, or ""
	// Temporary says that the same mount may succeed later: nobody answered,
	// nobody listened, or the program was not registered yet.
	Temporary bool
}

// Error implements error.
func (e *Error) Error() string {
	s := fmt.Sprintf("mount: %s of %s (server %s): %v", e.Op, e.Spec, e.Server, e.Err)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// ExitCode is the exit code of mount.nfs for the error: 32, mount failure
// (mount(8)).
func (e *Error) ExitCode() int { return 32 }

// Message is the text of mount.nfs for the error, without its "mount.nfs: ",
// in one line; where the cause is known, it follows behind a colon.
func (e *Error) Message() string {
	s := e.classic()
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// classic is the text that scripts look for (nfs-utils utils/mount/error.c).
func (e *Error) classic() string {
	var mnt mountd.Status
	var dns *net.DNSError
	var family *familyError
	var accept *rpc.AcceptError
	switch {
	case errors.As(e.Err, &family):
		return fmt.Sprintf("Failed to resolve server %s: Address family for hostname not supported", e.Server)
	case errors.As(e.Err, &dns) && (dns.IsTemporary || dns.IsTimeout):
		return fmt.Sprintf("Failed to resolve server %s: Temporary failure in name resolution", e.Server)
	case errors.As(e.Err, &dns) && dns.IsNotFound, e.Op == "resolve":
		return fmt.Sprintf("Failed to resolve server %s: Name or service not known", e.Server)
	case errors.As(e.Err, &mnt) && mnt.Errno() != syscall.EACCES && mnt != mountd.ErrPerm:
		return fmt.Sprintf("mounting %s failed, reason given by server: %s", e.Spec, mnt.Text())
	case errors.Is(e.Err, portmap.ErrNotRegistered), errors.As(e.Err, &accept):
		return "requested NFS version or transport protocol is not supported"
	case errors.Is(e.Err, syscall.EACCES), errors.Is(e.Err, syscall.EPERM):
		return fmt.Sprintf("access denied by server while mounting %s", e.Spec)
	case errors.Is(e.Err, ErrNotDirectory):
		return fmt.Sprintf("mount spec %s is not a directory", e.Spec)
	case isTimeout(e.Err):
		return "Connection timed out"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "Connection refused"
	case errors.Is(e.Err, syscall.ECONNRESET):
		return "Connection reset by peer"
	case errors.Is(e.Err, syscall.EHOSTUNREACH):
		return "No route to host"
	case errors.Is(e.Err, syscall.ENETUNREACH):
		return "Network is unreachable"
	case errors.Is(e.Err, nfs3.ErrStale):
		return "Stale file handle"
	}
	return fmt.Sprintf("mounting %s failed: %s: %v", e.Spec, e.Op, e.Err)
}

// noPort is the hint for a server that wants a reserved port when none is left.
const noPort = "the export wants a reserved port, and other connections have them all: end other mounts, or export it insecure and mount it with noresvport"

// newError makes the error of a step of the mount.
func (m *mounter) newError(op string, t target, err error, hint string) *Error {
	var silent *transport.SilentError
	if hint == "" && errors.As(err, &silent) {
		hint = silent.Cause()
	}
	return &Error{Op: op, Server: t.host, Spec: m.spec, Err: err, Hint: hint, Temporary: isTemporary(err)}
}

// isTemporary follows mount.nfs: these come and go with the server and the
// network.
func isTemporary(err error) bool {
	var dns *net.DNSError
	var nonsense *rpc.ProtocolError
	switch {
	case errors.Is(err, context.Canceled), errors.As(err, &nonsense):
		return false
	case errors.As(err, &dns):
		return dns.IsTemporary || dns.IsTimeout
	}
	for _, e := range []error{syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ECONNRESET, syscall.EPIPE,
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, portmap.ErrNotRegistered, nfs3.ErrStale, nfs3.ErrJukebox, ErrConnectionLost} {
		if errors.Is(err, e) {
			return true
		}
	}
	return isTimeout(err)
}

// isTimeout reports whether nobody answered in time.
func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) {
		return true
	}
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// otherWay reports whether the service may well answer over another transport
// or at another address, as mount.nfs sees it. A server that has looked at the
// path and refused it will say the same again.
func (e *Error) otherWay() bool {
	var s mountd.Status
	if errors.As(e.Err, &s) {
		return errors.Is(s, syscall.EACCES)
	}
	var flavor *FlavorError
	return !errors.As(e.Err, &flavor) && !errors.Is(e.Err, ErrNotDirectory) && !errors.Is(e.Err, context.Canceled)
}

// telling returns the error that says more: the answer of a server rather than
// that there was none, and the later one if they are alike.
func telling(a, b *Error) *Error {
	if a != nil && !a.Temporary && b.Temporary {
		return a
	}
	return b
}

// silenceError is the cause of a wait that was given up.
type silenceError struct {
	what  string // who was silent
	after time.Duration
}

func (e *silenceError) Error() string {
	return fmt.Sprintf("no answer from %s within %v", e.what, e.after)
}

func (e *silenceError) Timeout() bool { return true }

// familyError is an address that the transport cannot reach.
type familyError struct{ addr, netid string }

func (e *familyError) Error() string {
	return fmt.Sprintf("address %s is not one of the family of proto=%s", e.addr, e.netid)
}

// authHint explains an AUTH_ERROR, which servers use to refuse an export that
// mountd had granted. from is the source port, or 0 if it is unknown; taken says
// that it is none of the reserved because there is none left.
func (m *mounter) authHint(err error, netid string, from uint16, taken bool) string {
	var d *rpc.DeniedError
	if !errors.As(err, &d) || d.Stat != rpc.AuthError {
		return ""
	}
	reserved := from != 0 && from < 1024
	switch {
	case d.Auth == rpc.AuthTooWeak && taken:
		return noPort
	case d.Auth == rpc.AuthTooWeak && !reserved && !m.resvport:
		return "the export wants a reserved port: mount it without noresvport, as root, or export it insecure"
	case d.Auth == rpc.AuthTooWeak && !reserved:
		return "the export wants a reserved port: run as root or export it insecure"
	case d.Auth == rpc.AuthTooWeak:
		return "the server wants stronger authentication than sec=sys or sec=none"
	case d.Auth == rpc.AuthFailed:
		other := map[string]string{portmap.NetidTCP: portmap.NetidUDP, portmap.NetidUDP: portmap.NetidTCP,
			portmap.NetidTCP6: portmap.NetidUDP6, portmap.NetidUDP6: portmap.NetidTCP6}[netid]
		return fmt.Sprintf("this export does not serve this transport (%s): try proto=%s", netid, other)
	}
	return fmt.Sprintf("the server did not take the credential (%v)", d.Auth)
}
