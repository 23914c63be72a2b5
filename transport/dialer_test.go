package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestReservedPortsComeInTheOrderOfTheLinuxClient(t *testing.T) {
	services := []int{623, 631, 636, 853, 873, 989, 990, 991, 992, 993, 994, 995}
	for _, start := range []int{665, 666, 800, 1022, 1023} {
		got := slices.Collect(reservedPorts(start))
		var want []int
		for p := start; p >= 665; p-- {
			want = append(want, p)
		}
		for p := 1023; p > start; p-- {
			want = append(want, p)
		}
		for p := 664; p >= 512; p-- {
			want = append(want, p)
		}
		want = slices.DeleteFunc(want, func(p int) bool { return slices.Contains(services, p) })
		if !slices.Equal(got, want) {
			t.Errorf("from %d: %v", start, got)
		}
		if slices.Sort(got); len(slices.Compact(got)) != 512-len(services) {
			t.Errorf("from %d: not each port once", start)
		}
	}
}

// sinkServer accepts connections and reads until their end.
func sinkServer(t *testing.T, network, address string) string {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { ln.Close(); <-done })
	go func() {
		defer close(done)
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(io.Discard, nc)
				nc.Close()
			}()
		}
	}()
	return ln.Addr().String()
}

func source(t *testing.T, c Conn) netip.AddrPort {
	t.Helper()
	ap, err := netip.ParseAddrPort(c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	return ap
}

func TestDialErrors(t *testing.T) {
	v4, v6 := sinkServer(t, "tcp4", "127.0.0.1:0"), sinkServer(t, "tcp6", "[::1]:0")
	_, port, _ := net.SplitHostPort(v4)
	for _, tt := range []struct {
		name, netid, address string
		want                 string // in the error; empty: none
	}{
		{"tcp is IPv4", "tcp", v4, ""},
		{"tcp6 is IPv6", "tcp6", v6, ""},
		{"tcp takes no IPv6 address", "tcp", v6, "other family"},
		{"tcp6 takes no IPv4 address", "tcp6", v4, "other family"},
		{"tcp6 takes no mapped IPv4 address", "tcp6", "[::ffff:127.0.0.1]:" + port, "other family"},
		{"tcp takes a mapped IPv4 address", "tcp", "[::ffff:127.0.0.1]:" + port, ""},
		{"names are not looked up", "tcp", "localhost:2049", "not an IP address and port"},
		{"a port is needed", "udp", "127.0.0.1", "not an IP address and port"},
		{"a zone is kept", "tcp6", "[fe80::1%nosuchzone0]:2049", "nosuchzone0"},
		{"an unknown netid", "rdma", v4, "unknown network rdma"},
		{"local is not a netid of ours", "local", "/run/rpcbind.sock", "unknown network local"},
		{"udp6 takes no IPv4 address", "udp6", "127.0.0.1:111", "other family"},
		{"refused", "tcp", "127.0.0.1:1", "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Dialer
			c, err := d.Dial(context.Background(), tt.netid, tt.address, netip.AddrPort{})
			if err == nil {
				c.Abort()
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Dial: %v", err)
			}
		})
	}
}

func TestSameSourcePortIsHadAgain(t *testing.T) {
	for _, tt := range []struct {
		name  string
		netid string
		end   func(c Conn)
		same  bool
	}{
		{"after an orderly end, in TIME_WAIT", "tcp", func(c Conn) { c.Close() }, true},
		{"after an abort", "tcp", func(c Conn) { c.Abort() }, true},
		{"not while the connection is open", "tcp", func(Conn) {}, false},
		{"on IPv6", "tcp6", func(c Conn) { c.Close() }, true},
		{"on UDP", "udp", func(c Conn) { c.Close() }, true},
		{"not on UDP while the socket is open", "udp", func(Conn) {}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr := "127.0.0.1:1"
			if tt.netid == "tcp" {
				addr = sinkServer(t, "tcp4", "127.0.0.1:0")
			} else if tt.netid == "tcp6" {
				addr = sinkServer(t, "tcp6", "[::1]:0")
			}
			var d Dialer
			first, err := d.Dial(context.Background(), tt.netid, addr, netip.AddrPort{})
			if err != nil {
				t.Fatal(err)
			}
			defer first.Abort()
			port := source(t, first).Port()
			tt.end(first)
			for range 3 { // and again, and again
				c, err := d.Dial(context.Background(), tt.netid, addr, source(t, first))
				if err != nil {
					t.Fatal(err)
				}
				if got := source(t, c).Port(); (got == port) != tt.same {
					t.Errorf("port %d after %d", got, port)
				}
				c.Close()
			}
		})
	}
}

// TestNobodyIsConnectedToHimself dials from the port that it dials to, where
// nobody listens: TCP would allow it.
func TestNobodyIsConnectedToHimself(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	var d Dialer
	c, err := d.Dial(context.Background(), "tcp", addr, netip.MustParseAddrPort(addr))
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Dial: %v, %v", c, err)
	}
	if err == nil {
		c.Abort()
	}
}

func TestDialContextOpensTheConnection(t *testing.T) {
	noLeak(t)
	x, y := net.Pipe()
	d := Dialer{Reserved: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if _, ok := ctx.Deadline(); !ok || network != "tcp" || address != "nfs.example:2049" {
			t.Errorf("DialContext of %s, %s", network, address)
		}
		return x, nil
	}}
	c, err := d.Dial(context.Background(), "tcp6", "nfs.example:2049", netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send([]byte("abcd"), nil, nil); err != nil {
		t.Error(err)
	}
	b := make([]byte, 8)
	if _, err := io.ReadFull(y, b); err != nil || string(b) != fragment(true, "abcd") {
		t.Errorf("%q, %v", b, err)
	}
	c.Abort()
	d.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrNoProgress }
	if _, err := d.Dial(context.Background(), "tcp", "nfs.example:2049", netip.AddrPort{}); err != io.ErrNoProgress {
		t.Errorf("Dial: %v", err)
	}
}
