package faults

import (
	"bufio"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// link is a running test/link between client and router, and the client's way
// to the server.
type link struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// link puts test/link in the client's way to the server, with parameters.
func (n *network) link(t *testing.T, parameters string) *link {
	t.Helper()
	cmd := exec.Command(filepath.Join(n.bin, "link"), append([]string{"/proc/self/ns/net", "link0", "/run/netns/router", "link0"},
		strings.Fields(parameters)...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("link: %v\n%s", err, stderr.String())
		}
	})
	l := &link{in: in, out: bufio.NewReader(out)}
	if line, err := l.out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("link says %q, %v\n%s", line, err, stderr.String())
	}
	for _, namespace := range []string{"client", "router"} {
		ip := []string{}
		address := "198.18.3.2"
		if namespace == "router" {
			ip, address = []string{"-n", "router"}, "198.18.3.1"
		}
		for _, args := range [][]string{
			{"addr", "add", address + "/24", "dev", "link0"},
			{"link", "set", "link0", "up", "mtu", "1500", "txqueuelen", "4000"},
		} {
			if out, err := exec.Command("ip", append(ip, args...)...).CombinedOutput(); err != nil {
				t.Fatalf("ip %v: %v\n%s", args, err, out)
			}
		}
	}
	if out, err := exec.Command("ip", "route", "add", "198.18.2.0/24", "via", "198.18.3.1", "dev", "link0").CombinedOutput(); err != nil {
		t.Fatalf("ip route: %v\n%s", err, out)
	}
	return l
}

// set replaces the parameters, and returns what was counted under the old ones.
func (l *link) set(t *testing.T, parameters string) string {
	t.Helper()
	if _, err := io.WriteString(l.in, parameters+"\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := l.out.ReadString('\n')
	if err != nil || !strings.HasPrefix(answer, "ok ") {
		t.Fatalf("link %s: %q, %v", parameters, answer, err)
	}
	return strings.TrimSpace(answer)
}
