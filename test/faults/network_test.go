package faults

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// network is the network that a test runs in, on its client.
type network struct {
	dir string // the work directory
	bin string // the commands
	lag *lag
}

// The addresses of test/rigs/network.sh.
const (
	serverAddr  = "198.18.2.2"
	serverAddr6 = "fd99:2::2"
	routerAddr  = "198.18.2.1" // towards the server: what it sees of a client behind SNAT
)

func newNetwork(t *testing.T, dir string) *network {
	t.Helper()
	return &network{dir: dir, bin: os.Getenv(binEnv), lag: watchLag(t)}
}

// in runs a command in a namespace, router or server.
func (n *network) in(t *testing.T, namespace, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command("nsenter", append([]string{"--net=/run/netns/" + namespace, name}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s, in %s: %v\n%s%s", name, namespace, err, stdin, out)
	}
	return string(out)
}

// forward replaces the rules (nft(8)) for what the router forwards. Its device
// c leads to the client, s to the server.
func (n *network) forward(t *testing.T, rules ...string) {
	t.Helper()
	n.in(t, "router", "table inet faults\ndelete table inet faults\n"+
		"table inet faults { chain forward { type filter hook forward priority -300; policy accept;\n"+
		strings.Join(rules, "\n")+"\n}\n}\n", "nft", "-f", "-")
}

// lose makes the router lose a share of the packets, in both directions.
func (n *network) lose(t *testing.T, share float64) {
	t.Helper()
	n.forward(t, fmt.Sprintf("numgen random mod 1000000 < %d drop", int(share*1e6)))
}

// sysctl sets a variable of a namespace: "net.ipv4.x=1".
func (n *network) sysctl(t *testing.T, namespace string, settings ...string) {
	t.Helper()
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		n.in(t, namespace, value, "tee", "/proc/sys/"+strings.ReplaceAll(key, ".", "/"))
	}
}

// inNamespace runs f on a thread in a namespace: sockets made there stay
// there.
func inNamespace[T any](name string, f func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here
		var r result
		ns, err := os.Open("/run/netns/" + name)
		if err == nil {
			defer ns.Close()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		if err != nil {
			r.err = err
		} else {
			r.v, r.err = f()
		}
		done <- r
	}()
	r := <-done
	return r.v, r.err
}

// portOpens returns when a port of the server is first connected to, from the
// server's own namespace, so that no fault is in the way.
func (n *network) portOpens(t *testing.T, port string) time.Time {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		conn, err := inNamespace("server", func() (net.Conn, error) { return net.Dial("tcp", "127.0.0.1:"+port) })
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
			return time.Now()
		}
	}
	t.Fatalf("port %s of the server does not open", port)
	return time.Time{}
}
