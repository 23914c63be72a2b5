package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// refused, silent and the like are what a network answers.
func network(err error) error { return &net.OpError{Op: "dial", Net: "tcp4", Err: err} }

func TestEveryFaultHasACauseAndALineToType(t *testing.T) {
	var silent error = &silence{"h", time.Second}
	for _, tt := range []struct {
		name, op, netid string
		err             error
		cause, try      string // in the cause, and in a line to type; "" where none is
	}{
		{"a name that nobody knows", "resolve", "", &net.DNSError{IsNotFound: true}, "neither DNS nor /etc/hosts", "getent ahosts h"},
		{"a silent name server", "resolve", "", &net.DNSError{IsTimeout: true}, "name server does not answer", "/etc/resolv.conf"},
		{"an address of the other family", "resolve", "", errors.New("family"), "another family", "proto=tcp6"},
		{"rpcbind refuses", "rpcbind", "tcp", network(syscall.ECONNREFUSED), "no rpcbind over tcp", "port=2049,mountport=20048"},
		{"rpcbind is silent", "rpcbind", "udp", silent, "swallows port 111 over udp", "port=2049,mountport=20048"},
		{"a silent rpcbind, as mount says it", "rpcbind", "udp", context.DeadlineExceeded, "swallows port 111", "ping"},
		{"rpcbind does not have it", "rpcbind", "tcp", &portmap.Error{Err: portmap.ErrNotRegistered}, "does not run on the server", "gonfs rpcinfo -s h"},
		{"rpcbind talks nonsense", "rpcbind", "tcp", &portmap.Error{Err: portmap.ErrBadAnswer}, "no port", "gonfs rpcinfo h"},
		{"no route", "rpcbind", "tcp", network(syscall.EHOSTUNREACH), "no route", "ip route get h"},
		{"no network", "connect", "tcp", network(syscall.ENETUNREACH), "no route", "ip route get h"},
		{"a firewall of our own", "connect", "tcp", network(syscall.EPERM), "firewall of this host", "nft list ruleset"},
		{"mountd is not there", "MNT", "udp", network(syscall.ECONNREFUSED), "mountd does not run", "gonfs rpcinfo -T udp -n 9 h mountd"},
		{"mountd is not there over this transport", "MNT", "udp", network(syscall.ECONNREFUSED), "", "mountproto=tcp"},
		{"mountd is silent", "MNT", "tcp6", silent, "swallows mountd's port", "mountproto=udp6"},
		{"mountd hangs up", "MNT", "tcp", mount.ErrConnectionLost, "mountd hung up", "gonfs rpcinfo -T tcp -n 9 h mountd"},
		{"not exported to us", "MNT", "tcp", mountd.ErrAcces, "not to this host", "gonfs showmount -e h"},
		{"not exported to us, says another server", "MNT", "tcp", mountd.ErrPerm, "not to this host", "exportfs -v"},
		{"no such path", "MNT", "tcp", mountd.ErrNoent, "no such path", "gonfs showmount -e h"},
		{"no directory", "MNT", "tcp", mountd.ErrNotdir, "no directory", "gonfs showmount -e h"},
		{"the server fails", "MNT", "tcp", mountd.ErrServerfault, "a fault of the server's", "journalctl"},
		{"a status of fantasy", "MNT", "tcp", mountd.Status(4711), "does not have", "exportfs"},
		{"Kerberos alone", "sec", "", &mount.FlavorError{Offered: []uint32{390003}}, "other flavours", "sec=sys"},
		{"NFS is not there", "connect", "tcp", network(syscall.ECONNREFUSED), "NFS does not run", "gonfs rpcinfo -T tcp -n 9 h nfs"},
		{"SYN unanswered", "connect", "tcp", network(syscall.ETIMEDOUT), "SYN unanswered: a firewall swallows the port, or the SNAT ports on the way are used up", "proto=udp"},
		{"no reserved port is left", "connect", "tcp", &transport.PortError{}, "hold all reserved ports", "noresvport"},
		{"a reserved port is wanted", "FSINFO", "tcp", &rpc.DeniedError{Stat: rpc.AuthError, Auth: rpc.AuthTooWeak}, "another port or flavour", "sudo gonfs doctor h:/e"},
		{"the wrong transport", "FSINFO", "tcp", &rpc.DeniedError{Stat: rpc.AuthError, Auth: rpc.AuthFailed}, "does not serve this transport", "proto=udp"},
		{"a credential that is not wanted", "FSINFO", "tcp", &rpc.DeniedError{Stat: rpc.AuthError, Auth: rpc.AuthBadCred}, "the credential", "sec=none"},
		{"NFS is silent", "FSINFO", "tcp", silent, "is silent", "ping -c 3 -M do -s 1472 h"},
		{"NFS hangs up", "FSINFO", "tcp", network(syscall.ECONNRESET), "NFS hung up", "gonfs rpcinfo"},
		{"stale", "FSINFO", "tcp", nfs3.ErrStale, "disagree", "exportfs -ra"},
		{"JUKEBOX", "FSINFO", "tcp", nfs3.ErrJukebox, "busy", ""},
		{"an export that is a file", "FSINFO", "tcp", mount.ErrNotDirectory, "a single file", "gonfs cat h:/e"},
		{"messages that would be cut", "sizes", "udp", &mount.FragmentError{Risk: mount.AssessUDP(mount.Route{MTU: 1500}, mount.Sizes{Rsize: 8192, Wsize: 8192})}, "larger than a frame", "proto=tcp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := fault{op: tt.op, host: "h", path: "/e", netid: tt.netid, port: 9, err: fmt.Errorf("x: %w", tt.err)}
			cause, try := f.diagnose()
			if cause == "" || !strings.Contains(cause, tt.cause) {
				t.Errorf("cause %q, want %q", cause, tt.cause)
			}
			if lines := strings.Join(try, "\n"); !strings.Contains(lines, tt.try) || len(try) == 0 != (tt.try == "") {
				t.Errorf("lines to type:\n%s\nwant %q", lines, tt.try)
			}
			f.hint = "mount knows"
			if cause, _ := f.diagnose(); cause != "mount knows" {
				t.Errorf("the hint is lost: %q", cause)
			}
		})
	}
}

func TestWhatACallerMayDoIsExplained(t *testing.T) {
	const reads, all = nfs3.AccessRead | nfs3.AccessLookup, nfs3.AccessRead | nfs3.AccessLookup | writeBits
	for _, tt := range []struct {
		name     string
		uid, gid uint32
		mode     uint32
		granted  uint32
		ro       bool
		result   result
		cause    string
	}{
		{"all", 1000, 1000, 0o777, all, false, isOK, ""},
		{"root is root", 0, 0, 0o700, all, false, isOK, ""},
		{"to read is enough of a mount with ro", 1000, 1000, 0o777, reads, true, isOK, ""},
		{"root may read only where others may not write", 0, 0, 0o755, reads, false, isNote, "the export is read-only, or root is squashed"},
		{"root may read only where others may write", 0, 0, 0o777, reads, false, isNote, "mode 0777 would let user 0 write"},
		{"root may not look in", 0, 0, 0o700, 0, false, isWarning, "root is squashed to nobody"},
		{"a user may not look in", 1000, 1000, 0o700, 0, false, isWarning, "mode 0700 counts for others"},
		{"the owner may not look in", 500, 1000, 0o077, 0, false, isWarning, "mode 0077 counts for its owner"},
		{"a user may look in by the mode and not at the server", 1000, 1000, 0o755, 0, false, isWarning, "all_squash"},
		{"a user may write by the mode and not at the server", 1000, 600, 0o775, reads, false, isNote, "mode 0775 would let user 1000 write"},
		{"a user may read", 1000, 1000, 0o755, reads, false, isNote, "who counts as others"},
		{"a user of the group may read", 1000, 600, 0o755, reads, false, isNote, "who counts as its group"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := nfs3.Fattr{Mode: tt.mode, UID: 500, GID: 600}
			r, cause, _ := judgeAccess(rpc.NewCred(tt.uid, tt.gid, nil), a, tt.granted, tt.ro)
			if r != tt.result || !strings.Contains(cause, tt.cause) || (cause == "") != (tt.cause == "") {
				t.Errorf("%s: %q, want %s: %q", r, cause, tt.result, tt.cause)
			}
		})
	}
	if r, cause, _ := judgeAccess(rpc.NewCred(1000, 1, []uint32{600}), nfs3.Fattr{Mode: 0o755, GID: 600}, reads, false); r != isNote || !strings.Contains(cause, "its group") {
		t.Errorf("a supplementary group does not count: %s, %q", r, cause)
	}
}

func TestWhatBecameOfAnIdleConnection(t *testing.T) {
	var silent error = &silence{"h", time.Second}
	for _, tt := range []struct {
		name      string
		err       error
		first     bool
		keepalive time.Duration
		result    result
		cause     string
	}{
		{"it lives", nil, false, 30 * time.Second, isOK, ""},
		{"it never lived", silent, true, 30 * time.Second, isWarning, "even before it was idle"},
		{"dead in silence, and probes come too late", silent, false, 300 * time.Second, isWarning, "is dead in silence"},
		{"dead in silence, and probes come sooner", silent, false, 30 * time.Second, isNote, "keepalive=30) come more often"},
		{"reset", network(syscall.ECONNRESET), false, 300 * time.Second, isWarning, "was reset"},
	} {
		r, cause, try := judgeIdle(tt.err, tt.first, 240*time.Second, tt.keepalive, "h:/e")
		if r != tt.result || !strings.Contains(cause, tt.cause) || (len(try) == 0) != (r == isOK) {
			t.Errorf("%s: %s, %q, %q; want %s, %q", tt.name, r, cause, try, tt.result, tt.cause)
		}
	}
}

func TestWhatBecameOfAJumboFrame(t *testing.T) {
	var silent error = &silence{"h", time.Second}
	for _, tt := range []struct {
		name          string
		err, ordinary error
		tooLong       bool
		result        result
		cause         string
	}{
		{"it got through", nil, nil, false, isOK, ""},
		{"our own frames are ordinary", &transport.SizeError{}, nil, true, isOK, ""},
		{"it vanished, and a small one did not", silent, nil, false, isWarning, "eth0 has an MTU of 9000, but some station"},
		{"both vanished", silent, silent, false, isNote, "does not answer datagrams"},
		{"refused", network(syscall.ECONNREFUSED), nil, false, isNote, ""},
	} {
		r, cause, _ := judgeJumbo(tt.err, tt.ordinary, tt.tooLong, &mount.Route{Interface: "eth0", MTU: 9000}, netip.MustParseAddr("192.0.2.1"))
		if r != tt.result || !strings.Contains(cause, tt.cause) {
			t.Errorf("%s: %s, %q; want %s, %q", tt.name, r, cause, tt.result, tt.cause)
		}
	}
}

func TestPrivateToPublicIsThroughANAT(t *testing.T) {
	for pair, want := range map[[2]string]bool{
		{"192.168.1.2", "192.0.2.1"}: true, {"10.0.0.1", "198.51.100.7"}: true,
		{"192.168.1.2", "10.0.0.1"}: false, {"203.0.113.1", "192.0.2.1"}: false,
		{"127.0.0.1", "127.0.0.1"}: false, {"fd99::1", "2001:db8::1"}: false, {"192.168.1.2", "name"}: false,
	} {
		if got := behindNAT(addrOf(pair[0]), addrOf(pair[1])); got != want {
			t.Errorf("%v: %v", pair, got)
		}
	}
}

func TestWhatAServerSaysIsHarmlessToAShell(t *testing.T) {
	for in, want := range map[string]string{
		"h:/e": "h:/e", "server.example:/a-b_c/1.0": "server.example:/a-b_c/1.0", "": "''",
		"[fd00::1]:/e": "'[fd00::1]:/e'", "h:/with blank": "'h:/with blank'", "h:/;rm -rf ~": "'h:/;rm -rf ~'",
		"h:/$(id)": "'h:/$(id)'", "h:/it's": `'h:/it'\''s'`, "h:/a\nb\x1b[2J": "'h:/a?b?[2J'", "h:/é": "'h:/é'", "h:/a;b": "'h:/a;b'",
	} {
		if got := word(in); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}

func TestARpcbindThatListsThousandsIsNotAskedThousandTimes(t *testing.T) {
	var all []portmap.Rpcb
	for range 2000 {
		all = append(all, portmap.Rpcb{Prog: nfs3.Program, Vers: nfs3.Version, Netid: "tcp", Addr: "127.0.0.1.0.1"})
	}
	d := &doctor{opts: new(mountopt.Options)}
	d.w = io.Discard
	d.programs(t.Context(), "h", netip.MustParseAddr("127.0.0.1"), all)
	if n := len(d.Findings); n > 2*maxPings {
		t.Errorf("%d findings", n)
	}
}
