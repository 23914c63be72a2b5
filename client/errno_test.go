package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

func TestErrno(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want syscall.Errno
	}{
		{"no error", nil, 0},
		{"the end", io.EOF, 0},
		{"a status", nfs3.ErrNoent, syscall.ENOENT},
		{"a status in a reply", &nfs3.Error{Proc: 1, Status: nfs3.ErrDquot}, syscall.EDQUOT},
		{"a status in a path error", &fs.PathError{Op: "open", Path: "/x", Err: nfs3.ErrStale}, syscall.ESTALE},
		{"what the server cannot do is no ENOSYS", nfs3.ErrNotsupp, syscall.EOPNOTSUPP},
		{"a status that nobody knows", nfs3.Status(4711), syscall.EIO},
		{"a number", fmt.Errorf("x: %w", syscall.EBUSY), syscall.EBUSY},
		{"ENOSYS", syscall.ENOSYS, syscall.EIO},
		{"soft", &rpc.TimeoutError{Recovery: rpc.Soft}, syscall.EIO},
		{"softerr", &rpc.TimeoutError{Recovery: rpc.SoftErr}, syscall.ETIMEDOUT},
		{"soft without a connection", &rpc.TimeoutError{Recovery: rpc.Soft, Err: syscall.ECONNREFUSED}, syscall.EIO},
		{"nobody knows what happened", &rpc.ReplayError{Transmissions: 2}, syscall.EIO},
		{"nonsense", &rpc.ProtocolError{What: "results"}, syscall.EIO},
		{"nonsense of nfs3", &nfs3.ReplyError{Proc: 6}, syscall.EIO},
		{"the program is missing", &rpc.AcceptError{Stat: rpc.ProgUnavail}, syscall.EPFNOSUPPORT},
		{"the procedure is missing", &rpc.AcceptError{Stat: rpc.ProcUnavail}, syscall.EOPNOTSUPP},
		{"the credential is refused", &rpc.DeniedError{Stat: rpc.AuthError}, syscall.EACCES},
		{"a listing that goes in circles", &DirError{}, syscall.EIO},
		{"the caller gave up", context.Canceled, syscall.EINTR},
		{"the caller's time is over", context.DeadlineExceeded, syscall.ETIMEDOUT},
		{"closed", ErrClosed, syscall.ENOTCONN},
		{"the connection is closed", fmt.Errorf("x: %w", rpc.ErrClosed), syscall.ENOTCONN},
		{"permission", os.ErrPermission, syscall.EACCES},
		{"a closed file", os.ErrClosed, syscall.EBADF},
		{"anything else", errors.New("x"), syscall.EIO},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { want(t, "errno", Errno(tt.err), tt.want) })
	}
}

func TestNoStatusIsENOSYS(t *testing.T) {
	for s := range nfs3.Status(11000) {
		if e := Errno(s); e == syscall.ENOSYS || e == 0 && s != nfs3.OK {
			t.Errorf("%v is %v", s, e)
		}
	}
}
