package mounttab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// maxPath is the longest path of a socket: sun_path of unix(7), with its NUL.
const maxPath = 107

// within calls f with a path of name in dir that is short enough for a socket,
// through a descriptor of dir if need be.
func within(dir, name string, f func(path string) error) error {
	if path := filepath.Join(dir, name); len(path) <= maxPath {
		return f(path)
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return f(fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), name))
}

// listen makes the socket. Its directory is closed to others; the mode is for
// those who look.
func listen(dir, name string) (l *net.UnixListener, err error) {
	err = within(dir, name, func(path string) error {
		if l, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"}); err != nil {
			return err
		}
		l.SetUnlinkOnClose(false) // remove does, in its order
		return os.Chmod(path, 0o600)
	})
	return l, err
}

// peer returns the user at the other end, as it was when it connected or
// listened (SO_PEERCRED, unix(7)).
func peer(c *net.UnixConn) (uid int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *unix.Ucred
	cerr := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(cerr, err); err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}

// allowed reports whether peer may speak for user or ask him: it is him, or
// root.
func allowed(peer, user int) bool { return peer == 0 || peer == user }

// RefusedError is a daemon's answer that it did not do what it was asked to.
type RefusedError struct {
	Op      Op
	Message string
}

// Error implements error.
func (e *RefusedError) Error() string { return e.Message }

// ErrStranger means that somebody else than the mount's user answered.
var ErrStranger = errors.New("mounttab: the socket is another user's")

// Call asks the daemon of rec, a record of List or Add, and returns its answer.
// ctx bounds the wait. The error is a *RefusedError if the daemon says that it
// did not do it.
func Call(ctx context.Context, rec Record, req Request) (*Response, error) {
	if rec.socket == "" {
		return nil, fmt.Errorf("mounttab: the record of %s does not come from a table", rec.Dir)
	}
	var conn net.Conn
	dir, name := filepath.Split(rec.socket)
	err := within(dir, name, func(path string) (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "unix", path)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("mounttab: daemon of %s: %w", rec.Dir, err)
	}
	defer conn.Close()
	uid, err := peer(conn.(*net.UnixConn))
	if err != nil {
		return nil, fmt.Errorf("mounttab: daemon of %s: %w", rec.Dir, err)
	}
	if !allowed(uid, rec.UID) {
		return nil, fmt.Errorf("%w: %s is of user %d, and user %d answers", ErrStranger, rec.Dir, rec.UID, uid)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	resp := new(Response)
	if err = writeMessage(conn, &req); err == nil {
		err = readMessage(conn, resp)
	}
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("mounttab: daemon of %s: %w", rec.Dir, context.Cause(ctx))
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("mounttab: daemon of %s: it hung up: %w", rec.Dir, io.ErrUnexpectedEOF)
	case err != nil:
		return nil, fmt.Errorf("mounttab: daemon of %s: %w", rec.Dir, err)
	case resp.Error != "":
		return nil, &RefusedError{req.Op, resp.Error}
	}
	return resp, nil
}
