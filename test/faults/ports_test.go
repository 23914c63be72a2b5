package faults

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs"
)

// TestReservedPortsTaken: others have every port below 1024. An ephemeral one
// does, where the server does not mind.
func TestReservedPortsTaken(t *testing.T) {
	inNetwork(t, func(t *testing.T, n *network) {
		n.serve(t, "exports=rw,priv")
		for port := 512; port < 1024; port++ {
			if l, err := net.ListenTCP("tcp", &net.TCPAddr{Port: port}); err == nil {
				defer l.Close()
			} else if !errors.Is(err, syscall.EADDRINUSE) {
				t.Fatal(err)
			}
			if l, err := net.ListenUDP("udp", &net.UDPAddr{Port: port}); err == nil {
				defer l.Close()
			} else if !errors.Is(err, syscall.EADDRINUSE) {
				t.Fatal(err)
			}
		}
		for _, options := range []string{"proto=tcp", "proto=udp"} {
			begin := time.Now()
			fsys := n.dial(t, options)
			ping(t, fsys)
			n.atMost(t, "a mount with "+options, time.Since(begin), time.Second)

			begin = time.Now()
			_, err := gonfs.Dial(within(t, time.Minute), serverAddr+":/priv", gonfs.Options{Mount: options})
			if err == nil || !strings.Contains(err.Error(), "reserved port") || !strings.Contains(err.Error(), "noresvport") {
				t.Errorf("an export that wants a reserved port, with %s: error %v, want one that names noresvport", options, err)
			}
			n.atMost(t, "the error", time.Since(begin), time.Second)
		}
	})
}

// TestBlockedPort: a firewall remembers our connection, drops what would be a
// new one from the same port, and does not relent. Another port gets through.
func TestBlockedPort(t *testing.T) {
	inNetwork(t, func(t *testing.T, n *network) {
		n.serve(t)
		fsys := n.dial(t, "proto=tcp")
		ping(t, fsys)
		out, err := exec.Command("ss", "-Htn", "dport", "=", "2049").CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		port := regexp.MustCompile(`198\.18\.1\.2:(\d+)`).FindStringSubmatch(string(out))
		if port == nil {
			t.Fatalf("no connection: %s", out)
		}
		n.forward(t, `iifname "c" tcp sport `+port[1]+` tcp flags & syn != 0 drop`,
			`iifname "c" tcp sport `+port[1]+` reject with tcp reset`, `iifname "s" tcp dport `+port[1]+` drop`)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := fsys.Mkdir(ctx, "made", 0o755); err != nil {
			t.Errorf("Mkdir: %v", err)
		}
		n.atMost(t, "MKDIR when the port is blocked", time.Since(begin), 35*time.Second)
		if _, err := os.Stat(n.backing("made")); err != nil {
			t.Errorf("MKDIR succeeded, but: %v", err)
		}
		ping(t, fsys)
	})
}
