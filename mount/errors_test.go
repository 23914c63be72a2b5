package mount

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

func TestMessagesAreThoseOfMountNFS(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)} }
	for _, tt := range []struct {
		name      string
		err       error
		msg       string
		temporary bool
		otherWay  bool
	}{
		{"refused by mountd", &mountd.Error{Path: "/e", Status: mountd.ErrAcces}, "access denied by server while mounting h:/e", false, true},
		{"no such export", &mountd.Error{Path: "/e", Status: mountd.ErrNoent}, "mounting h:/e failed, reason given by server: No such file or directory", false, false},
		{"not registered", &portmap.Error{Err: portmap.ErrNotRegistered}, "requested NFS version or transport protocol is not supported", true, true},
		{"another version", &rpc.AcceptError{Stat: rpc.ProgMismatch, Low: 4, High: 4}, "requested NFS version or transport protocol is not supported", false, true},
		{"credential refused", &rpc.DeniedError{Stat: rpc.AuthError, Auth: rpc.AuthBadCred}, "access denied by server while mounting h:/e", false, true},
		{"no flavour", &FlavorError{Offered: []uint32{390003}}, "access denied by server while mounting h:/e", false, false},
		{"a file", ErrNotDirectory, "mount spec h:/e is not a directory", false, false},
		{"silence", fmt.Errorf("%w (%w)", context.DeadlineExceeded, &silenceError{"mountd", answerTCP}), "Connection timed out", true, true},
		{"a SYN without answer", dial(syscall.ETIMEDOUT), "Connection timed out", true, true},
		{"refused", dial(syscall.ECONNREFUSED), "Connection refused", true, true},
		{"reset", dial(syscall.ECONNRESET), "Connection reset by peer", true, true},
		{"hung up", io.EOF, "mounting h:/e failed: MNT: EOF", true, true},
		{"no route", dial(syscall.EHOSTUNREACH), "No route to host", true, true},
		{"no network", dial(syscall.ENETUNREACH), "Network is unreachable", true, true},
		{"a stale handle", &nfs3.Error{Proc: nfs3.ProcFsinfo, Status: nfs3.ErrStale}, "Stale file handle", true, true},
		{"nonsense", &rpc.ProtocolError{What: "results", Err: io.ErrUnexpectedEOF}, "mounting h:/e failed: MNT: rpc: malformed reply: results: unexpected EOF", false, true},
		{"given up", context.Canceled, "mounting h:/e failed: MNT: context canceled", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMounter(Config{Spec: mountopt.Spec{Host: "h", Path: "/e"}})
			e := m.newError("MNT", target{host: "192.0.2.1"}, tt.err, "")
			if e.Message() != tt.msg || e.Temporary != tt.temporary || e.otherWay() != tt.otherWay {
				t.Errorf("got %q, temporary %v, other way %v; want %q, %v, %v", e.Message(), e.Temporary, e.otherWay(), tt.msg, tt.temporary, tt.otherWay)
			}
			if !errors.Is(e, tt.err) || e.ExitCode() != 32 {
				t.Errorf("%v, exit code %d", e, e.ExitCode())
			}
			e.Hint = "do this"
			if e.Message() != tt.msg+": do this" {
				t.Errorf("with a hint: %q", e.Message())
			}
		})
	}
}

func TestAuthErrorsAreExplained(t *testing.T) {
	tooWeak := &rpc.DeniedError{Stat: rpc.AuthError, Auth: rpc.AuthTooWeak}
	for _, tt := range []struct {
		name     string
		err      error
		netid    string
		from     uint16
		resvport bool
		taken    bool
		want     string
	}{
		{"a reserved port could not be had", tooWeak, "tcp", 40000, true, false, "the export wants a reserved port: run as root or export it insecure"},
		{"none was left", tooWeak, "tcp", 40000, true, true, noPort},
		{"none was asked for", tooWeak, "tcp", 40000, false, false, "the export wants a reserved port: mount it without noresvport, as root, or export it insecure"},
		{"through a tunnel the port is unknown", tooWeak, "tcp", 0, true, false, "the export wants a reserved port: run as root or export it insecure"},
		{"it was reserved", tooWeak, "udp", 700, true, false, "the server wants stronger authentication than sec=sys or sec=none"},
		{"the transport", &rpc.DeniedError{Stat: rpc.AuthError, Auth: rpc.AuthFailed}, "udp6", 700, true, false, "this export does not serve this transport (udp6): try proto=tcp6"},
		{"another error", io.EOF, "tcp", 40000, true, false, ""},
		{"another version of RPC", &rpc.DeniedError{Stat: rpc.RPCMismatch}, "tcp", 40000, true, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMounter(Config{})
			m.resvport = tt.resvport
			if got := m.authHint(fmt.Errorf("FSINFO: %w", tt.err), tt.netid, tt.from, tt.taken); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
