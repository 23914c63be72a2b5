package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// fault is something that went wrong: all that its cause is guessed from.
type fault struct {
	op    string // as in mount.Step
	host  string // as the user named it
	path  string // of the export
	netid string
	port  uint16
	err   error
	hint  string // what package mount says of it, or ""
}

// isTimeout reports whether nobody answered.
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) ||
		errors.As(err, &t) && t.Timeout()
}

// diagnose guesses the cause of a fault, and says what to type: to find out
// more, to go round it, or, on the server, to mend it.
func (f fault) diagnose() (cause string, try []string) {
	cause, try = f.likely()
	if f.hint != "" {
		cause = f.hint
	}
	return cause, try
}

func (f fault) likely() (cause string, try []string) {
	var dns *net.DNSError
	var ports *transport.PortError
	var denied *rpc.DeniedError
	var status mountd.Status
	var flavor *mount.FlavorError
	var cut *mount.FragmentError
	switch {
	case errors.As(f.err, &dns) && dns.IsNotFound:
		return "neither DNS nor /etc/hosts knows the name, or not with an address of the family that proto= asks for",
			[]string{"getent ahosts " + f.host}
	case errors.As(f.err, &dns):
		return "the name server does not answer", []string{"cat /etc/resolv.conf", "getent ahosts " + f.host}
	case f.op == "resolve":
		return "the address is of another family than proto= or mountproto= asks for", []string{f.mount("proto=tcp6", "proto=tcp")}
	case errors.As(f.err, &ports):
		return "other mounts, or connections of theirs that linger, hold all reserved ports to this server",
			[]string{"ss -tan dst " + f.host, f.mount("noresvport")}
	case errors.As(f.err, &denied):
		return f.denial(denied)
	case errors.As(f.err, &status):
		return f.refusal(status)
	case errors.As(f.err, &flavor):
		return "the server exports it to other flavours of credentials only; gonfs has sys and none",
			[]string{"exportfs -v    # on the server: sec=sys must be among its options"}
	case errors.As(f.err, &cut):
		return "rsize or wsize are larger than a frame", cut.Risk.Mitigations()
	case errors.Is(f.err, mount.ErrNotDirectory):
		return "the export is a single file", []string{"gonfs cat " + f.spec(), "gonfs showmount -e " + f.host}
	case errors.Is(f.err, nfs3.ErrStale):
		return "mountd and NFS disagree of the handle: the export was removed or replaced a moment ago", []string{"exportfs -ra    # on the server"}
	case errors.Is(f.err, nfs3.ErrJukebox):
		return "the server is busy fetching the data, from tape for instance, or starting; try later", nil
	case errors.Is(f.err, portmap.ErrNotRegistered):
		return "the service does not run on the server, or not in this version or over this transport", []string{"gonfs rpcinfo -s " + f.host}
	case errors.Is(f.err, portmap.ErrBadAnswer):
		return "rpcbind answers what is no port: it is none, or broken", []string{"gonfs rpcinfo " + f.host, f.mount("port=2049,mountport=20048")}
	}
	return f.network()
}

// network guesses from how the network answered, or did not.
func (f fault) network() (cause string, try []string) {
	who := map[string]string{"rpcbind": "rpcbind", "MNT": "mountd"}[f.op]
	if who == "" {
		who = "NFS"
	}
	other := f.otherTransport()
	switch {
	case errors.Is(f.err, syscall.ENETUNREACH), errors.Is(f.err, syscall.EHOSTUNREACH):
		return "no route, or nobody has the address", []string{"ip route get " + f.host, "ping -c 3 " + f.host}
	case errors.Is(f.err, syscall.EACCES), errors.Is(f.err, syscall.EPERM):
		return "a firewall of this host does not let it out", []string{"nft list ruleset"}
	case errors.Is(f.err, syscall.ECONNREFUSED) && f.op == "rpcbind":
		return "the server has no rpcbind over " + f.netid + ", or a firewall rejects port 111; without it, ports must be given",
			[]string{f.mount("port=2049,mountport=20048"), "systemctl status rpcbind    # on the server"}
	case errors.Is(f.err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nobody listens there: %s does not run, or listens elsewhere than rpcbind or the options say", who),
			append(f.ask(who), other...)
	case isTimeout(f.err) && f.op == "rpcbind":
		return "a firewall swallows port 111 over " + f.netid + ", or the host is away; without rpcbind, ports must be given",
			[]string{"ping -c 3 " + f.host, f.mount("port=2049,mountport=20048")}
	case isTimeout(f.err) && f.op == "connect":
		return "SYN unanswered: a firewall swallows the port, or the SNAT ports on the way are used up",
			append([]string{"ping -c 3 " + f.host, "ss -tan dst " + f.host}, other...)
	case isTimeout(f.err) && f.op == "MNT":
		return "a firewall swallows mountd's port, which changes unless it is pinned; or mountd hangs, looking up the name of this host",
			append([]string{"grep -A3 mountd /etc/nfs.conf    # on the server: port=20048, and the firewall opened for it"}, other...)
	case isTimeout(f.err):
		return who + " took the call and is silent: it hangs, or large packets are lost on the way (MTU)",
			append([]string{"ping -c 3 -M do -s 1472 " + f.host}, other...)
	case errors.Is(f.err, mount.ErrConnectionLost), errors.Is(f.err, syscall.ECONNRESET):
		return who + " hung up: it is starting, it does not want this address, or something else listens at the port", f.ask(who)
	}
	return "", nil
}

// denial explains MSG_DENIED.
func (f fault) denial(d *rpc.DeniedError) (cause string, try []string) {
	switch d.Auth {
	case rpc.AuthTooWeak:
		return "the server wants another port or flavour than it got", []string{
			"sudo gonfs doctor " + f.spec(), "exportfs -v    # on the server: insecure allows ports above 1023"}
	case rpc.AuthFailed:
		return "the export does not serve this transport", f.otherTransport()
	}
	return "the server does not take the credential", []string{f.mount("sec=none"), "exportfs -v    # on the server: sec="}
}

// refusal explains a status of MNT.
func (f fault) refusal(s mountd.Status) (cause string, try []string) {
	exports := []string{"gonfs showmount -e " + f.host, "exportfs -v    # on the server"}
	switch s {
	case mountd.ErrNoent:
		return "the server has no such path", exports
	case mountd.ErrNotdir:
		return "the path is no directory on the server", exports
	case mountd.ErrAcces, mountd.ErrPerm:
		return "it is not exported, or not to this host: the server goes by the address that it sees, behind a NAT that of the NAT", exports
	}
	if s.Errno() == syscall.EACCES {
		return "the server gave a status that MOUNT version 3 does not have", exports
	}
	return "a fault of the server's; its log should tell", []string{"journalctl -u nfs-mountd -u nfs-server    # on the server"}
}

// spec is the export, as a word of a line to type.
func (f fault) spec() string { return word(mountopt.Spec{Host: f.host, Path: f.path}.String()) }

// word quotes what a shell would take apart. Paths of exports come from the
// server, and lines to type are typed.
func word(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_@%+=:,./-", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(printable(s), "'", `'\''`) + "'"
}

// mount is the line that mounts with other options, one line for all.
func (f fault) mount(options ...string) string {
	return "gonfs mount " + f.spec() + " DIR -o " + strings.Join(options, "    # or -o ")
}

// ask is how to ask whether a program is there.
func (f fault) ask(who string) []string {
	line := "gonfs rpcinfo " + f.host
	if name, ok := map[string]string{"mountd": "mountd", "NFS": "nfs"}[who]; ok && f.netid != "" {
		line = "gonfs rpcinfo -T " + f.netid + " -n " + strconv.Itoa(int(f.port)) + " " + f.host + " " + name
	}
	return []string{line, "gonfs rpcinfo " + f.host}
}

// otherTransport is the line that mounts over the other transport.
func (f fault) otherTransport() []string {
	other, known := map[string]string{"tcp": "udp", "udp": "tcp", "tcp6": "udp6", "udp6": "tcp6"}[f.netid]
	switch {
	case !known:
		return nil
	case f.op == "MNT":
		return []string{f.mount("mountproto=" + other)}
	}
	return []string{f.mount("proto=" + other)}
}
