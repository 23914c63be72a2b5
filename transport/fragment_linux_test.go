package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// inNamespace runs the test once more, in a process with a network namespace of
// its own, in which it returns true and there is loopback only. Who may not make
// namespaces skips the test.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const env = "GONFS_TEST_NAMESPACE"
	if os.Getenv(env) != "" {
		ip(t, "link set lo up")
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		if os.Getenv("CI") != "" {
			t.Fatalf("no network namespace: %v", err)
		}
		t.Skipf("no network namespace: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in the namespace: %v\n%s", err, out)
	}
	return false
}

// ip runs ip(8).
func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", args, err, out)
	}
}

// cutSoFar returns the kernel's counters of fragments that it made.
func cutSoFar(t *testing.T) string {
	t.Helper()
	var found []string
	for _, file := range []string{"/proc/net/snmp", "/proc/net/snmp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		if file == "/proc/net/snmp" {
			names, values := strings.Fields(lines[0]), strings.Fields(lines[1])
			for i, n := range names {
				if n == "FragCreates" {
					found = append(found, values[i])
				}
			}
			continue
		}
		for _, l := range lines {
			if v, ok := strings.CutPrefix(l, "Ip6FragCreates"); ok {
				found = append(found, strings.TrimSpace(v))
			}
		}
	}
	if len(found) != 2 {
		t.Fatalf("counters: %q", found)
	}
	return strings.Join(found, " ")
}

func TestDatagramsLeaveWhole(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, tt := range []struct {
		netid, listen string
		noConn        bool
		room          int // for a message in a frame of 1500
	}{{"udp", "127.0.0.1:0", false, 1472}, {"udp6", "[::1]:0", false, 1452}, {"udp", "127.0.0.1:0", true, 1472}, {"udp6", "[::1]:0", true, 1452}} {
		pc, err := net.ListenPacket("udp", tt.listen)
		if err != nil {
			t.Fatal(err)
		}
		defer echo(t, pc)()
		ip(t, "link set lo mtu 65536")
		dial := func(d Dialer) (Conn, *collector) {
			c, err := d.Dial(context.Background(), tt.netid, pc.LocalAddr().String(), netip.AddrPort{})
			if err != nil {
				t.Fatal(err)
			}
			got, done := new(collector), make(chan error)
			go func() { done <- c.Serve(got) }()
			t.Cleanup(func() { c.Close(); <-done })
			return c, got
		}
		c, got := dial(Dialer{NoFragment: true, NoConn: tt.noConn})
		free, gotFree := dial(Dialer{})
		head := []byte("headhead")
		send := func(payload int) error { return c.Send(head, make([]byte, payload), nil) }
		if err := send(32 << 10); err != nil {
			t.Fatalf("%s: 32 KiB over loopback: %v", tt.netid, err)
		}
		waitFor(t, "32 KiB", func() bool { return len(got.messages()) == 1 })

		ip(t, "link set lo mtu 1500") // as if a router had a smaller one
		before := cutSoFar(t)
		var size *SizeError
		if err := send(32 << 10); !errors.As(err, &size) || size.Max != tt.room || size.Size != 32<<10+8 {
			t.Fatalf("%s: 32 KiB in a frame of 1500: %v, want at most %d", tt.netid, err, tt.room)
		}
		if err := send(size.Max - 8); err != nil {
			t.Fatalf("%s: what the error says would fit: %v", tt.netid, err)
		}
		waitFor(t, "a full frame", func() bool { return len(got.messages()) == 2 })
		if err := send(size.Max - 4); !errors.As(err, &size) {
			t.Errorf("%s: one word more: %v", tt.netid, err)
		}
		// The echo is cut, for the server's socket is not one of ours.
		if after := cutSoFar(t); after != before {
			t.Errorf("%s: fragments %s, then %s", tt.netid, before, after)
		}

		// A head alone can not be made shorter, and so is cut; and so is a
		// small payload where even that does not fit.
		if err := c.Send(make([]byte, 4000), nil, nil); err != nil {
			t.Errorf("%s: a head of 4000 bytes: %v", tt.netid, err)
		}
		waitFor(t, "a long head", func() bool { return len(got.messages()) == 3 })
		if err := c.Send(make([]byte, 1400), make([]byte, minWhole), nil); err != nil {
			t.Errorf("%s: a small payload behind a long head: %v", tt.netid, err)
		}
		waitFor(t, "a small payload", func() bool { return len(got.messages()) == 4 })
		if err := send(32 << 10); !errors.As(err, &size) {
			t.Errorf("%s: after one that was cut: %v", tt.netid, err)
		}
		if err := free.Send(head, make([]byte, 32<<10), nil); err != nil {
			t.Errorf("%s: a connection that may cut: %v", tt.netid, err)
		}
		waitFor(t, "a datagram that was cut", func() bool { return len(gotFree.messages()) == 1 })
	}
}
