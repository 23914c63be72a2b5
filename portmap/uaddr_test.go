package portmap

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestUniversalAddresses(t *testing.T) {
	for _, tt := range []struct {
		name, uaddr, want string
		canon             string // what Format makes of it, if not uaddr
	}{
		{name: "IPv4 has the port's bytes behind four octets", uaddr: "192.0.2.7.8.1", want: "192.0.2.7:2049"},
		{name: "the port mapper's own", uaddr: "0.0.0.0.0.111", want: "0.0.0.0:111"},
		{name: "the highest port", uaddr: "127.0.0.1.255.255", want: "127.0.0.1:65535"},
		{name: "port 0 is an address where nobody listens", uaddr: "0.0.0.0.0.0", want: "0.0.0.0:0"},
		{name: "IPv6 loopback", uaddr: "::1.8.1", want: "[::1]:2049"},
		{name: "IPv6 wildcard", uaddr: "::.0.111", want: "[::]:111"},
		{name: "IPv6 in full is shortened", uaddr: "2001:db8:0:0:0:0:0:5.78.80", want: "[2001:db8::5]:20048", canon: "2001:db8::5.78.80"},
		{name: "a link-local zone is kept, dots and all", uaddr: "fe80::1%eth0.100.8.1", want: "[fe80::1%eth0.100]:2049"},
		{name: "IPv4 mapped into IPv6", uaddr: "::ffff:192.0.2.7.8.1", want: "[::ffff:192.0.2.7]:2049"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := ParseUaddr(tt.uaddr)
			if err != nil {
				t.Fatal(err)
			}
			if a != netip.MustParseAddrPort(tt.want) {
				t.Errorf("got %v, want %v", a, tt.want)
			}
			canon := tt.canon
			if canon == "" {
				canon = tt.uaddr
			}
			if s := FormatUaddr(a); s != canon {
				t.Errorf("written back as %q, want %q", s, canon)
			}
		})
	}
	if s := FormatUaddr(netip.AddrPort{}); s != "" {
		t.Errorf("no address is written as %q, want nothing", s)
	}
}

func TestHostileUniversalAddressesAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, uaddr string }{
		{"nothing", ""},
		{"no dot", "localhost"},
		{"one dot", "a.b"},
		{"a port only", ".8.1"},
		{"an octet over 255", "127.0.0.1.256.1"},
		{"a low octet over 255", "127.0.0.1.8.256"},
		{"a port that overflows", "127.0.0.1.4294967304.1"},
		{"a negative octet", "127.0.0.1.-8.1"},
		{"a signed octet", "127.0.0.1.+8.1"},
		{"an octet with leading zeros", "127.0.0.1.008.1"},
		{"an empty octet", "127.0.0.1..1"},
		{"a trailing dot", "127.0.0.1.8."},
		{"IPv4 of three octets", "127.0.1.8.1"},
		{"IPv4 of five octets", "127.0.0.0.1.8.1"},
		{"the path of a local socket", "/run/rpcbind.sock"},
		{"a path with numbers at its end", "/run/x.8.1"},
		{"a host name", "nfs.example.com.8.1"},
		{"a NUL", "127.0.0.1\x00.8.1"},
		{"spaces", " 127.0.0.1.8.1"},
		{"brackets", "[::1].8.1"},
		{"over 255 bytes", "127.0.0.1." + strings.Repeat("0", 250) + "8.1"},
		{"a zone that never ends", "fe80::1%" + strings.Repeat("x", 300) + ".8.1"},
		{"other digits", "127.0.0.1.٨.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := ParseUaddr(tt.uaddr)
			var e *UaddrError
			if !errors.As(err, &e) || !errors.Is(err, ErrBadAnswer) {
				t.Fatalf("got %v, %v, want a UaddrError", a, err)
			}
			if len(e.Uaddr) > 64 {
				t.Errorf("the error repeats %d bytes of the text", len(e.Uaddr))
			}
		})
	}
}

func FuzzParseUaddr(f *testing.F) {
	for _, s := range []string{"", "192.0.2.7.8.1", "::1.8.1", "fe80::1%eth0.8.1", "/run/rpcbind.sock", "1.2.3.4.5.6.7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseUaddr(s)
		if err != nil {
			return
		}
		b, err := ParseUaddr(FormatUaddr(a))
		if err != nil || a != b {
			t.Fatalf("%q is %v, written as %q, which is %v, %v", s, a, FormatUaddr(a), b, err)
		}
	})
}
