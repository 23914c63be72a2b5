package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// doctor runs gonfs doctor and wants an exit code, and a finding: "result
// check", with something in its answer or cause.
func (n *network) doctor(t *testing.T, args string, code int, check, what string) {
	t.Helper()
	cmd := exec.CommandContext(within(t, time.Minute), filepath.Join(n.bin, "gonfs"), append([]string{"doctor", "--json"}, strings.Fields(args)...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var said struct {
		Findings []struct{ Check, Result, Asked, Answer, Cause string }
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("gonfs doctor %s: %v\n%s", args, err, out)
	}
	found := false
	for _, f := range said.Findings {
		found = found || f.Result+" "+f.Check == check && strings.Contains(f.Answer+f.Cause, what)
	}
	if got := cmd.ProcessState.ExitCode(); got != code || !found {
		t.Errorf("gonfs doctor %s: exit code %d, want %d and %s: %q in\n%s", args, got, code, check, what, out)
	}
}

// frames sets the MTU of the way from the client to the router, and that of the
// way on to the server.
func (n *network) frames(t *testing.T, near, far string) {
	t.Helper()
	set := func(namespace, device, mtu string) {
		args := []string{"ip", "link", "set", device, "mtu", mtu}
		if namespace != "" {
			n.in(t, namespace, "", args[0], args[1:]...)
		} else if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	set("router", "c", near)
	set("", "eth0", near)
	set("router", "s", far)
	set("server", "eth0", far)
}

// TestDoctorSeesTheNetwork: gonfs doctor tells what the router does.
func TestDoctorSeesTheNetwork(t *testing.T) {
	inNetwork(t, func(t *testing.T, n *network) {
		n.serve(t)
		const export, ports = serverAddr + ":/rw -o nolock", ",port=2049,mountport=635"
		n.doctor(t, export, 0, "ok FSINFO", "mode 0777")
		n.doctor(t, export+",udp,rsize=32k", 1, "warning udp", "pieces of two messages may be taken for one")

		n.forward(t, "tcp dport 111 reject with tcp reset", "udp dport 111 reject")
		n.doctor(t, export, 32, "failure mount", "rpcbind did not answer")
		n.doctor(t, export+ports, 0, "note rpcbind", "the server has no rpcbind over tcp")
		n.forward(t, "tcp dport 2049 reject with tcp reset")
		n.doctor(t, export+",tcp", 32, "failure connect", "nobody listens there")
		n.forward(t, "tcp dport 2049 reject with icmpx admin-prohibited")
		n.doctor(t, export+",tcp", 32, "failure connect", "no route")

		n.frames(t, "9000", "9000")
		n.forward(t)
		n.doctor(t, export, 0, "ok udp", "it got through")
		n.forward(t, "meta l4proto udp ip length > 1500 drop")
		n.doctor(t, export, 1, "warning udp", "some station on the way does not pass such frames")
		n.forward(t, "tcp dport 2049 ip length > 1500 drop")
		n.doctor(t, export, 1, "warning tcp", "a station on the way has shorter ones")
		n.forward(t)
		n.frames(t, "9000", "1500")
		n.doctor(t, export, 0, "ok udp", "room for 1472 bytes in a frame")
		n.frames(t, "1500", "1500")

		n.translate(t, snat{ports: "40000-40007"})
		n.doctor(t, export+",keepalive=300 --idle 3", 1, "warning nat", "is dead in silence")
		n.translate(t, snat{ports: "40000-40007", reset: true})
		n.doctor(t, export+",keepalive=300 --idle 3", 1, "warning nat", "was reset")
	})
}

// TestShorterFramesOnTheWay: a router has shorter frames than this host, and
// says so when the first datagram is too long.
func TestShorterFramesOnTheWay(t *testing.T) {
	for _, proto := range []string{"udp", "udp6"} {
		t.Run(proto, func(t *testing.T) {
			inNetwork(t, func(t *testing.T, n *network) {
				n.serve(t)
				n.frames(t, "9000", "1500")
				fsys := n.dial(t, "proto="+proto)
				if size := fsys.Session().Wsize(); size != 8<<10 {
					t.Errorf("wsize is %d, want what fits a frame of this host: 8192", size)
				}
				data := random(1 << 20)
				begin := time.Now()
				if err := fsys.WriteFile(within(t, time.Minute), "long", data, 0o644); err != nil {
					t.Fatal(err)
				}
				n.atMost(t, "1 MiB", time.Since(begin), 5*time.Second)
				if got, err := os.ReadFile(n.backing("long")); err != nil || !bytes.Equal(got, data) {
					t.Errorf("the server has %d bytes, %v; or other ones", len(got), err)
				}
				got, err := fsys.ReadFile(within(t, time.Minute), "long")
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("read back: %d bytes, %v; or other ones", len(got), err)
				}
			})
		})
	}
}
