package lock

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// A server drops all locks of a host when it is told that the host was
// restarted, whoever on it took them. So who watches a server shows a flag for
// all users of the network namespace, which is what servers take for a host:
// an abstract unix socket, which ends with its process, and is listed in
// /proc/net/unix.

// flagName is the name of the flag of process pid for a peer.
func flagName(peer netip.Addr, pid int) string {
	return "@gonfs-nsm/" + peer.String() + "/" + strconv.Itoa(pid)
}

// showFlag shows that process pid may hold locks at peer, until the returned
// function is called. A flag that cannot be shown, because this process shows
// it already, is none the less shown.
func showFlag(peer netip.Addr, pid int) closeFunc {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: flagName(peer, pid), Net: "unix"})
	if err != nil {
		return func() {}
	}
	return func() { l.Close() }
}

// rivals tells who but process pid may hold locks of this host at peer: another
// gonfs, or the kernel's NFS client; "" is nobody.
func rivals(peer netip.Addr, pid int) string {
	for _, t := range []struct {
		file string
		find func(r io.Reader) string
	}{
		{"/proc/net/unix", func(r io.Reader) string { return flagged(r, peer, pid) }},
		{"/proc/self/mounts", func(r io.Reader) string { return kernelMount(r, peer) }},
	} {
		f, err := os.Open(t.file)
		if err != nil {
			continue
		}
		who := t.find(f)
		f.Close()
		if who != "" {
			return who
		}
	}
	return ""
}

// flagged looks for a flag of another process in /proc/net/unix.
func flagged(r io.Reader, peer netip.Addr, pid int) string {
	prefix := flagName(peer, 0)
	prefix = prefix[:len(prefix)-1]
	for lines := bufio.NewScanner(r); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 8 {
			continue
		}
		if who, ok := strings.CutPrefix(words[7], prefix); ok && who != strconv.Itoa(pid) {
			return "gonfs, process " + fmt.Sprintf("%.20q", who)
		}
	}
	return ""
}

// kernelMount looks for a mount of the kernel's NFS client in /proc/self/mounts.
func kernelMount(r io.Reader, peer netip.Addr) string {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 4 || words[2] != "nfs" {
			continue
		}
		for o := range strings.SplitSeq(words[3], ",") {
			if a, ok := strings.CutPrefix(o, "addr="); ok && a == peer.String() {
				return "the kernel, mounted at " + words[1]
			}
		}
	}
	return ""
}
