package faults

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gonfs/gonfs"
)

// snat is what the router does to flows to the NFS port: as a cloud's load
// balancer it replaces their source by its own address, and a port of few.
type snat struct {
	ports string // "40000-40003"
	reset bool   // answers packets of flows that it does not know with RST; else they vanish
}

// translate has the router do it, and forget flows in any state after a
// second.
func (n *network) translate(t *testing.T, s snat) {
	t.Helper()
	unknown := "drop"
	if s.reset {
		unknown = "reject with tcp reset"
	}
	n.in(t, "router", fmt.Sprintf(`
table ip few
delete table ip few
table ip few {
	chain forward {
		type filter hook forward priority 0; policy accept;
		meta l4proto tcp ct state invalid %[1]s
		iifname "s" meta l4proto tcp ct state new %[1]s
	}
	chain input {
		type filter hook input priority 0; policy accept;
		iifname "s" meta l4proto tcp %[1]s
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "s" tcp dport 2049 masquerade to :%[2]s
	}
}
`, unknown, s.ports), "nft", "-f", "-")
	var settings []string
	for _, state := range []string{"established", "time_wait", "fin_wait", "close_wait", "last_ack", "close", "unacknowledged"} {
		settings = append(settings, "net.netfilter.nf_conntrack_tcp_timeout_"+state+"=1")
	}
	// A packet in the middle of nowhere makes no flow.
	n.sysctl(t, "router", append(settings, "net.netfilter.nf_conntrack_tcp_loose=0")...)
}

// forget waits until the router has forgotten every flow to the NFS port, as
// nothing was sent on them.
func (n *network) forget(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		list := n.in(t, "router", "", "conntrack", "-L", "-p", "tcp", "--dport", "2049")
		if !strings.Contains(list, "dport=2049") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the router remembers:\n%s", list)
		}
	}
}

// TestTheOnlyPort: the router has a single port for us, and it is taken.
func TestTheOnlyPort(t *testing.T) {
	inNetwork(t, func(t *testing.T, n *network) {
		n.serve(t)
		n.translate(t, snat{ports: "40000-40000"})
		first := n.dial(t, "proto=tcp")
		ping(t, first)
		stop := keepAlive(t, first)

		begin := time.Now()
		_, err := gonfs.Dial(within(t, time.Minute), serverAddr+":/rw", gonfs.Options{Mount: "proto=tcp"})
		if err == nil || !strings.Contains(err.Error(), "SNAT") {
			t.Errorf("a second mount: error %v, want one that names SNAT", err)
		}
		n.atMost(t, "the error", time.Since(begin), 35*time.Second)
		stop()

		// Its port is free as soon as the first mount ends, not after a
		// TIME_WAIT: the connection ended with RST.
		if err := first.Close(within(t, 10*time.Second)); err != nil {
			t.Errorf("close: %v", err)
		}
		time.Sleep(1500 * time.Millisecond) // for which the router keeps it after a RST
		begin = time.Now()
		second := n.dial(t, "proto=tcp")
		n.atMost(t, "a mount when the port is free", time.Since(begin), time.Second)
		ping(t, second)
	})
}

// keepAlive keeps a connection from being idle.
func keepAlive(t *testing.T, fsys *gonfs.FS) (stop func()) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(200 * time.Millisecond):
			}
			if _, err := fsys.StatFS(t.Context(), "/"); err != nil {
				t.Errorf("FSSTAT of the first mount: %v", err)
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// TestOldConnectionAtTheServer: the router has forgotten a connection that the
// server still has, and gives its port to a new one. The server answers the
// SYN by the number that it expects next on the old connection; our side
// resets that; the second SYN is taken. It all happens within connect, as long
// as connect is given more than a second.
func TestOldConnectionAtTheServer(t *testing.T) {
	inNetwork(t, func(t *testing.T, n *network) {
		n.serve(t)
		n.translate(t, snat{ports: "40000-40000"})
		first := n.dial(t, "proto=tcp")
		ping(t, first)
		n.forget(t)

		trace := n.sniff(t)
		begin := time.Now()
		second := n.dial(t, "proto=tcp")
		n.atMost(t, "a mount over the port of a connection that the server has", time.Since(begin), 5*time.Second)
		if seen := trace.seen(); !strings.HasPrefix(seen, ">S <A >R >S <SA") {
			t.Errorf("packets: %.60s, want SYN, stale ACK, RST, SYN", seen)
		}
		ping(t, second)
	})
}

// TestTimeWaitAtTheServer: the server closed a connection and keeps its
// addresses and ports in TIME_WAIT, as SNAT gives them to another one.
func TestTimeWaitAtTheServer(t *testing.T) {
	inNetwork(t, func(t *testing.T, n *network) {
		n.translate(t, snat{ports: "40000-40000"})
		listener, err := inNamespace("server", func() (net.Listener, error) { return net.Listen("tcp", ":2049") })
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ours, err := net.Dial("tcp", serverAddr+":2049")
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		theirs.Close() // first
		if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatalf("read: %v, want the end", err)
		}
		ours.Close()
		listener.Close()
		timeWait := func() bool {
			return strings.Contains(n.in(t, "server", "", "ss", "-Htn", "state", "time-wait", "dst", routerAddr+":40000"), "2049")
		}
		for end := time.Now().Add(20 * time.Second); !timeWait(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the server has no TIME_WAIT of the router's port")
			}
		}
		n.forget(t)
		n.serve(t)
		if !timeWait() {
			t.Fatal("the TIME_WAIT is gone before it could harm")
		}
		begin := time.Now()
		fsys := n.dial(t, "proto=tcp")
		n.atMost(t, "a mount over a port in TIME_WAIT at the server", time.Since(begin), 5*time.Second)
		ping(t, fsys)
	})
}
