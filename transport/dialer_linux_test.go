package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fullListener returns an address on which connection attempts stay without an
// answer: its backlog is full.
func fullListener(t *testing.T) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: sa.(*unix.SockaddrInet4).Port}).String()
	for {
		nc, err := net.DialTimeout("tcp4", addr, 200*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { nc.Close() })
	}
}

func TestDialGivesUp(t *testing.T) {
	full := fullListener(t)
	t.Run("when its context is canceled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(20*time.Millisecond, cancel)
		var d Dialer
		if _, err := d.Dial(ctx, "tcp", full, netip.AddrPort{}); !errors.Is(err, context.Canceled) || errors.As(err, new(*SilentError)) {
			t.Errorf("Dial: %v", err)
		}
	})
	t.Run("after its timeout", func(t *testing.T) {
		for _, reserved := range []bool{false, true} {
			d := Dialer{Timeout: 20 * time.Millisecond, Reserved: reserved}
			var ne net.Error
			var silent *SilentError
			_, err := d.Dial(context.Background(), "tcp", full, netip.AddrPort{})
			if !errors.As(err, &ne) || !ne.Timeout() || !errors.As(err, &silent) || !strings.Contains(err.Error(), "SYN unanswered: firewall, or SNAT ports used up") {
				t.Errorf("Dial: %v", err)
			}
		}
	})
}

// mayBind reports whether reserved ports can be bound here.
func mayBind() bool {
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return false
	}
	pc.Close()
	for port := range reservedPorts(900) {
		pc, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 99), Port: port})
		if err == nil {
			pc.Close()
			return true
		}
		if bindDenied(err) {
			return false
		}
	}
	return false
}

func TestReservedPortIsUsed(t *testing.T) {
	if !mayBind() {
		t.Skip("skipped: this user may not bind ports below 1024")
	}
	addr := sinkServer(t, "tcp4", "127.0.0.1:0")
	d := Dialer{Reserved: true}
	for _, netid := range []string{"tcp", "udp"} {
		c, err := d.Dial(context.Background(), netid, addr, netip.AddrPort{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Abort()
		p := source(t, c).Port()
		if p < 512 || p > 1023 {
			t.Errorf("%s: source port %d", netid, p)
		}
		c.Close()
		again, err := d.Dial(context.Background(), netid, addr, netip.AddrPortFrom(netip.Addr{}, p))
		if err != nil {
			t.Fatal(err)
		}
		defer again.Abort()
		if q := source(t, again).Port(); netid == "tcp" && q != p { // on UDP somebody else may be faster
			t.Errorf("%s: port %d after %d", netid, q, p)
		}
	}
}

func TestReservedPortsRunOutPerServer(t *testing.T) {
	if !mayBind() {
		t.Skip("skipped: this user may not bind ports below 1024")
	}
	a, b := sinkServer(t, "tcp4", "127.77.0.1:0"), sinkServer(t, "tcp4", "127.77.0.2:0")
	d := Dialer{Reserved: true, Timeout: time.Minute}
	had := map[uint16]bool{}
	dial := func(addr string, port uint16) error {
		c, err := d.Dial(context.Background(), "tcp", addr, netip.AddrPortFrom(netip.Addr{}, port))
		if err != nil {
			return err
		}
		t.Cleanup(func() { c.Abort() })
		p := source(t, c).Port()
		if pe := PortsTaken(c); pe != nil {
			if p < 1024 {
				t.Errorf("port %d, with %v", p, pe)
			}
			return pe
		}
		if addr == a && had[p] || p < 512 || p > 1023 {
			t.Errorf("port %d", p)
		}
		had[p] = true
		return nil
	}
	// Asking for one by one is quicker than searching; the first must search.
	if err := dial(a, 0); err != nil {
		t.Fatal(err)
	}
	var pe *PortError
	for p := uint16(1023); p >= 512; p-- {
		if had[p] {
			continue
		}
		if err := dial(a, p); errors.As(err, &pe) {
			break // other programs have the rest
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if len(had) < 256 {
		t.Errorf("%d ports only", len(had))
	}
	start := time.Now()
	err := dial(a, 0)
	if took := time.Since(start); took > 10*time.Second { // 20 ms here
		t.Errorf("all ports were tried in %v", took)
	}
	if !errors.As(err, &pe) || pe.Tried != 500 || pe.Remote != a || !portTaken(err) {
		t.Errorf("Dial: %v", err)
	}
	if err := dial(b, 0); err != nil {
		t.Errorf("to another server: %v", err)
	}
}

// A port that other connections have, too, cannot be had again. Those here have
// a fourteenth of what connect chooses from.
func TestThePortOfAConnectionIsNoOthers(t *testing.T) {
	_, port, err := net.SplitHostPort(sinkServer(t, "tcp4", "0.0.0.0:0"))
	if err != nil {
		t.Fatal(err)
	}
	others := map[uint16]bool{}
	for range 1000 {
		nc, err := net.Dial("tcp4", "127.78.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			nc.(*net.TCPConn).SetLinger(0)
			nc.Close()
		})
		others[uint16(nc.LocalAddr().(*net.TCPAddr).Port)] = true
	}
	var d Dialer
	for i := range 200 { // connect begins elsewhere for each destination
		c, err := d.Dial(context.Background(), "tcp", "127.78."+strconv.Itoa(1+i)+".1:"+port, netip.AddrPort{})
		if err != nil {
			t.Fatal(err)
		}
		if p := source(t, c).Port(); others[p] {
			t.Errorf("port %d is another's, too", p)
		}
		c.Abort()
	}
}

// TestDeniedReservedPort dials on a thread without CAP_NET_BIND_SERVICE.
func TestDeniedReservedPort(t *testing.T) {
	addr := sinkServer(t, "tcp4", "127.0.0.1:0")
	done := make(chan string)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		defer close(done)
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var caps [2]unix.CapUserData
		if err := unix.Capget(&hdr, &caps[0]); err != nil {
			done <- err.Error()
			return
		}
		caps[0].Effective &^= 1 << unix.CAP_NET_BIND_SERVICE
		if err := unix.Capset(&hdr, &caps[0]); err != nil {
			done <- err.Error()
			return
		}
		if _, err := net.ListenUDP("udp4", &net.UDPAddr{Port: 1023}); !errors.Is(err, syscall.EACCES) {
			done <- "skipped: ports below 1024 are free for all here"
			return
		}
		d := Dialer{Reserved: true}
		for _, netid := range []string{"tcp", "udp"} {
			for _, last := range []uint16{0, 1000} {
				c, err := d.Dial(context.Background(), netid, addr, netip.AddrPortFrom(netip.Addr{}, last))
				if err != nil {
					done <- "Dial: " + err.Error()
					return
				}
				if p := source(t, c).Port(); p < 1024 {
					t.Errorf("%s: source port %d", netid, p)
				}
				c.Abort()
			}
		}
	}()
	if msg := <-done; msg != "" {
		if msg[0] == 's' {
			t.Skip(msg)
		}
		t.Fatal(msg)
	}
}

func TestSocketOptions(t *testing.T) {
	addr := sinkServer(t, "tcp4", "127.0.0.1:0")
	get := func(c Conn) map[string]int {
		got := map[string]int{}
		rc, err := c.(*stream).nc.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		rc.Control(func(fd uintptr) {
			for name, o := range map[string][2]int{
				"nodelay":   {unix.IPPROTO_TCP, unix.TCP_NODELAY},
				"keepalive": {unix.SOL_SOCKET, unix.SO_KEEPALIVE},
				"idle":      {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
				"interval":  {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
				"count":     {unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
				"user":      {unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT},
				"reuse":     {unix.SOL_SOCKET, unix.SO_REUSEADDR},
				"linger":    {unix.SOL_SOCKET, unix.SO_LINGER}, // its first word: on or off
			} {
				if got[name], err = unix.GetsockoptInt(int(fd), o[0], o[1]); err != nil {
					t.Error(name, err)
				}
			}
		})
		return got
	}
	for _, tt := range []struct {
		name                   string
		d                      Dialer
		idle, interval, userMS int
	}{
		{"by default", Dialer{}, 30, 10, 0},
		{"as given", Dialer{KeepAlive: 60 * time.Second, UserTimeout: 1500 * time.Millisecond}, 60, 10, 1500},
		{"probes no further apart than the idle time", Dialer{KeepAlive: 7 * time.Second}, 7, 7, 0},
		{"tiny", Dialer{UserTimeout: 1}, 30, 10, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := tt.d.Dial(context.Background(), "tcp", addr, netip.AddrPort{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Abort()
			want := map[string]int{"nodelay": 1, "keepalive": 1, "idle": tt.idle, "interval": tt.interval, "count": 3, "user": tt.userMS, "reuse": 1, "linger": 0}
			for k, v := range get(c) {
				if v != want[k] {
					t.Errorf("%s: %d, want %d", k, v, want[k])
				}
			}
		})
	}
}

// A UDP socket has room for all replies that may be under way: the kernel does
// not tune it.
func TestDatagramBuffers(t *testing.T) {
	var d Dialer
	c, err := d.Dial(context.Background(), "udp", "127.0.0.1:1", netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	rc, err := c.(*packet).nc.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	rc.Control(func(fd uintptr) {
		for name, option := range map[string]int{"rmem_max": unix.SO_RCVBUF, "wmem_max": unix.SO_SNDBUF} {
			b, err := os.ReadFile("/proc/sys/net/core/" + name)
			if err != nil {
				t.Fatal(err)
			}
			limit, err := strconv.Atoi(strings.TrimSpace(string(b)))
			if err != nil {
				t.Fatal(err)
			}
			got, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, option)
			if want := 2 * min(datagramRoom, limit); err != nil || got < want { // the kernel doubles
				t.Errorf("%s: %d bytes, %v, want %d", name, got, err, want)
			}
		}
	})
}

// What TCP_INFO tells of a connection whose peer has vanished: the server's
// socket drops all that comes.
func TestVitals(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var d Dialer
	c, err := d.Dial(context.Background(), "tcp", ln.Addr().String(), netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	look := func() Vitals {
		t.Helper()
		v, ok := VitalsOf(c)
		if !ok {
			t.Fatal("no vitals")
		}
		return v
	}
	until := func(what string, good func(v Vitals) bool) Vitals {
		t.Helper()
		for range 400 {
			if v := look(); good(v) {
				return v
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("%s: %+v", what, look())
		return Vitals{}
	}
	if err := c.Send([]byte("abcd"), nil, nil); err != nil {
		t.Fatal(err)
	}
	before := until("what was sent is acknowledged", func(v Vitals) bool { return !v.Unacked && v.Acked >= 8 })
	if before.RTO < 200*time.Millisecond || before.RTO > time.Second {
		t.Errorf("got %+v", before)
	}
	if before.Received != 0 {
		t.Errorf("%d bytes came from nobody", before.Received)
	}
	if _, err := peer.Write([]byte("12345")); err != nil {
		t.Fatal(err)
	}
	until("what comes is counted", func(v Vitals) bool { return v.Received == 5 })
	dropAll(t, peer)
	time.Sleep(50 * time.Millisecond)
	if err := c.Send([]byte("efgh"), nil, nil); err != nil {
		t.Fatal(err)
	}
	after := until("nothing is acknowledged any more", func(v Vitals) bool { return v.Unacked && v.SinceAck > 650*time.Millisecond })
	// TCP doubles it after some retransmissions, which may be over if this test had
	// no processor for that long.
	if after.Acked != before.Acked || after.RTO > 2*before.RTO && after.SinceAck < time.Second {
		t.Errorf("got %+v after %+v: the RTO shall not double", after, before)
	}
	x, _ := Pipe()
	if _, ok := VitalsOf(x); ok {
		t.Error("a Pipe has vitals")
	}
	x.Abort()

	near, far := net.Pipe()
	tunnel, served := NewStream(near, 0), make(chan error)
	go func() { served <- tunnel.Serve(&collector{}) }()
	io.WriteString(far, "\x80\x00") // half a mark
	far.Close()
	<-served
	if v, ok := VitalsOf(tunnel); ok || v.Received != 2 {
		t.Errorf("a tunnel that brought 2 bytes has vitals: %v, %+v", ok, v)
	}
}

// dropAll makes the kernel drop whatever comes for nc, before TCP sees it.
func dropAll(t *testing.T, nc net.Conn) {
	t.Helper()
	rc, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	nothing := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	var set error
	if err := rc.Control(func(fd uintptr) {
		set = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(nothing)), Filter: &nothing[0]})
	}); err != nil || set != nil {
		t.Fatal(err, set)
	}
}
