package mountopt

import (
	"errors"
	"strings"
	"testing"
)

func TestParseSpec(t *testing.T) {
	host255, path1024 := strings.Repeat("h", 255), "/"+strings.Repeat("p", 1023)
	for _, tt := range []struct {
		in   string
		want Spec
		err  string
	}{
		{in: "srv:/exp", want: Spec{Host: "srv", Path: "/exp"}},
		{in: "192.0.2.1:/", want: Spec{Host: "192.0.2.1", Path: "/"}},
		{in: "srv:/with:colon", want: Spec{Host: "srv", Path: "/with:colon"}},
		{in: "srv:relative", want: Spec{Host: "srv", Path: "relative"}},
		{in: "srv:/a b\xff", want: Spec{Host: "srv", Path: "/a b\xff"}},
		{in: "srv://twice", want: Spec{Host: "srv", Path: "//twice"}},
		{in: "[2001:db8::1]:/exp", want: Spec{Host: "2001:db8::1", Path: "/exp"}},
		{in: "[fe80::1%eth0]:/exp a", want: Spec{Host: "fe80::1%eth0", Path: "/exp a"}},
		{in: "[srv]:/exp", want: Spec{Host: "srv", Path: "/exp"}},
		{in: host255 + ":" + path1024, want: Spec{Host: host255, Path: path1024}},
		{in: "a,b:/exp", want: Spec{Host: "a,b", Path: "/exp"}},
		{in: "[::1,192.0.2.1]:/exp", want: Spec{Host: "::1,192.0.2.1", Path: "/exp"}},
		{in: "nfs://srv/exp", want: Spec{Host: "srv", Path: "/exp"}},
		{in: "NFS://srv:20049/exp", want: Spec{Host: "srv", Path: "/exp", Port: 20049}},
		{in: "nfs://srv//exp", want: Spec{Host: "srv", Path: "/exp"}},
		{in: "nfs://srv", want: Spec{Host: "srv", Path: "/"}},
		{in: "nfs://srv/a%20b%2Fc", want: Spec{Host: "srv", Path: "/a b/c"}},
		{in: "nfs://[fe80::1%25eth0]:2049/exp", want: Spec{Host: "fe80::1%eth0", Path: "/exp", Port: 2049}},
		{in: "nfs:/exp", want: Spec{Host: "nfs", Path: "/exp"}},
		{in: "[nfs]://exp", want: Spec{Host: "nfs", Path: "//exp"}},

		{in: "", err: ": remote share not in 'host:dir' format"},
		{in: "srv", err: "srv: remote share not in 'host:dir' format"},
		{in: "/dev/sda1", err: "/dev/sda1: remote share not in 'host:dir' format"},
		{in: ":/exp", err: ":/exp: remote share not in 'host:dir' format: the host is missing"},
		{in: "srv:", err: "srv:: remote share not in 'host:dir' format: the path is missing"},
		{in: "[]:/exp", err: "[]:/exp: remote share not in 'host:dir' format: the host is missing"},
		{in: "[::1:/exp", err: "[::1:/exp: closing bracket missing from server address"},
		{in: "[::1]/exp", err: "[::1]/exp: remote share not in 'host:dir' format"},
		{in: "a,,b:/exp", err: "a,,b:/exp: remote share not in 'host:dir' format: a host is missing between commas"},
		{in: "a,:/exp", err: "a,:/exp: remote share not in 'host:dir' format: a host is missing between commas"},
		{in: strings.Repeat("h,", 16) + "h:/exp", err: strings.Repeat("h,", 16) + "h:/exp: more than 16 servers"},
		{in: "a," + host255 + "h:/exp", err: "a," + strings.Repeat("h", 78) + "…: server hostname is too long (at most 255 bytes)"},
		{in: "./dir:/exp", err: "./dir:/exp: the hostname has a blank, a slash, a bracket or a control character in it"},
		{in: "s rv:/exp", err: "s rv:/exp: the hostname has a blank, a slash, a bracket or a control character in it"},
		{in: "srv:/e\x00", err: `"srv:/e\x00": NUL byte in it`},
		{in: host255 + "h:/exp", err: strings.Repeat("h", 80) + "…: server hostname is too long (at most 255 bytes)"},
		{in: "h:" + path1024 + "p", err: "h:/" + strings.Repeat("p", 77) + "…: export pathname is too long (at most 1024 bytes)"},
		{in: "nfs:///exp", err: "nfs:///exp: remote share not in 'host:dir' format: the host is missing"},
		{in: "nfs://user@srv/exp", err: "nfs://user@srv/exp: not an NFS URL: it is nfs://host[:port]/path, without user, query or fragment"},
		{in: "nfs://srv/exp?version=3", err: "nfs://srv/exp?version=3: not an NFS URL: it is nfs://host[:port]/path, without user, query or fragment"},
		{in: "nfs://srv/exp#a", err: "nfs://srv/exp#a: not an NFS URL: it is nfs://host[:port]/path, without user, query or fragment"},
		{in: "nfs://srv:0/exp", err: "nfs://srv:0/exp: not an NFS URL: port '0' is not 1 to 65535"},
		{in: "nfs://srv:65536/exp", err: "nfs://srv:65536/exp: not an NFS URL: port '65536' is not 1 to 65535"},
		{in: "nfs://srv/%zz", err: `nfs://srv/%zz: not an NFS URL: invalid URL escape "%zz"`},
		{in: "nfs://srv/%00", err: "nfs://srv/%00: NUL byte in the path"},
	} {
		got, err := ParseSpec(tt.in)
		switch {
		case tt.err == "" && err != nil:
			t.Errorf("%q: %v", tt.in, err)
		case tt.err != "":
			var e *Error
			if err == nil || err.Error() != tt.err {
				t.Errorf("%q\n got %v\nwant %s", tt.in, err, tt.err)
			} else if !errors.As(err, &e) || e.Value != tt.in {
				t.Errorf("%q: the error does not carry it: %+v", tt.in, e)
			}
		case got != tt.want:
			t.Errorf("%q is %+v, want %+v", tt.in, got, tt.want)
		}
	}
}

// A spec that is accepted is shown in a form that means the same, the port of a
// URL aside.
func FuzzParseSpec(f *testing.F) {
	for _, s := range []string{"srv:/exp", "[fe80::1%eth0]:/a:b", "nfs://h:1/%20", "[nfs]://x", "a,b:/x", "nfs://[::1]/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseSpec(in)
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("error is a %T", err)
			}
			return
		}
		if s.Path == "" || len(s.Path) > maxPath || strings.Contains(s.Path+s.Host, "\x00") || len(s.Hosts()) > maxHosts {
			t.Fatalf("%q is accepted as %+v", in, s)
		}
		for _, h := range s.Hosts() {
			if h == "" || len(h) > maxHost {
				t.Fatalf("%q is accepted as %+v", in, s)
			}
		}
		again, err := ParseSpec(s.String())
		if s.Port = 0; err != nil || again != s {
			t.Fatalf("%q is %+v, and its text %q is %+v, %v", in, s, s.String(), again, err)
		}
	})
}
