package mount

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gonfs/gonfs/nfstest"
)

func TestAddressesOfAServer(t *testing.T) {
	name := []string{"192.0.2.1", "2001:db8::1", "192.0.2.1", "::ffff:192.0.2.2", "192.0.2.1"}
	for _, tt := range []struct {
		name, host string
		family     family
		tunnel     bool
		want       []string
		is         any
	}{
		{name: "a literal needs no resolver", host: "192.0.2.7", want: []string{"192.0.2.7"}},
		{name: "an IPv6 literal", host: "2001:db8::7", want: []string{"2001:db8::7"}},
		{name: "a link-local address keeps its zone", host: "fe80::1%eth0", want: []string{"fe80::1%eth0"}},
		{name: "an IPv4 address in IPv6's clothes is IPv4", host: "::ffff:192.0.2.7", family: onlyV4, want: []string{"192.0.2.7"}},
		{name: "a literal of the wrong family", host: "2001:db8::7", family: onlyV4, is: new(*familyError)},
		{name: "the other way round", host: "192.0.2.7", family: onlyV6, is: new(*familyError)},
		{name: "a name has several, each once", host: "srv", want: []string{"192.0.2.1", "2001:db8::1", "192.0.2.2"}},
		{name: "those of IPv4 alone", host: "srv", family: onlyV4, want: []string{"192.0.2.1", "192.0.2.2"}},
		{name: "those of IPv6 alone", host: "srv", family: onlyV6, want: []string{"2001:db8::1"}},
		{name: "a name that there is not", host: "nowhere", is: new(*net.DNSError)},
		{name: "a tunnel gets the name as it is", host: "nowhere", tunnel: true, want: []string{"nowhere"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMounter(Config{Lookup: lookup("srv", name...)})
			m.tunnel = tt.tunnel
			l, err := m.resolve(context.Background(), tt.host, tt.family, "tcp")
			if tt.is != nil {
				if err == nil || !errors.As(err, tt.is) {
					t.Errorf("got %v, %v", l, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range l {
				got = append(got, a.host)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAddressesAreTriedInOrder(t *testing.T) {
	const first, second, v6 = "192.0.2.1", "192.0.2.2", "2001:db8::1"
	for _, tt := range []struct {
		name, opts string
		addrs      []string
		rules      map[string]string
		want       string // the server, or the message
		atMost     time.Duration
	}{
		{name: "the first answers", addrs: []string{first, second}, want: first},
		{name: "the first refuses", addrs: []string{first, second}, rules: map[string]string{first: "refuse"}, want: second},
		{name: "the first is unreachable", addrs: []string{v6, second}, rules: map[string]string{v6: "unreachable"}, want: second},
		{name: "the first is silent", addrs: []string{first, second}, rules: map[string]string{first: "silent"}, want: second, atMost: time.Minute},
		{name: "IPv6 is taken if it comes first", addrs: []string{v6, second}, want: v6},
		{name: "proto=tcp is IPv4", opts: "proto=tcp", addrs: []string{v6, second}, want: second},
		{name: "proto=tcp6 is IPv6", opts: "proto=tcp6", addrs: []string{first, v6}, want: v6},
		{name: "mountproto of the other family is asked at another address", opts: "mountproto=tcp6", addrs: []string{first, v6}, want: first},
		{name: "all refuse", addrs: []string{first, second}, rules: map[string]string{first: "refuse", second: "refuse"}, want: "Connection refused"},
		{name: "no address of the family", opts: "proto=udp6", addrs: []string{first}, want: "Failed to resolve server srv: Name or service not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.rules == nil {
					tt.rules = map[string]string{}
				}
				w := newWire(nfstest.NewFor(t, nfstest.Options{}), tt.rules)
				m := w.mounter(t, "srv", tt.opts)
				m.cfg.Lookup = lookup("srv", tt.addrs...)
				start := time.Now()
				s, err := m.mount(soon(t))
				if took := time.Since(start); took > tt.atMost+time.Second {
					t.Errorf("it took %v", took)
				}
				var e *Error
				switch {
				case err == nil:
					defer s.Close()
					if s.Server() != tt.want {
						t.Errorf("mounted from %s, want %s", s.Server(), tt.want)
					}
					if tt.opts == "mountproto=tcp6" && s.Options().MountAddr != v6 {
						t.Errorf("mountaddr=%s", s.Options().MountAddr)
					}
				case errors.As(err, &e) && strings.HasPrefix(e.Message(), tt.want):
				default:
					t.Errorf("got %v, want %s", err, tt.want)
				}
			})
		})
	}
}

func TestARefusalOfThePathEndsTheSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(nfstest.NewFor(t, nfstest.Options{Path: "/other"}), map[string]string{})
		m := w.mounter(t, "srv", "")
		m.cfg.Spec.Path = "/other/missing"
		m.cfg.Lookup = lookup("srv", "192.0.2.1", "192.0.2.2")
		if _, err := m.mount(soon(t)); err == nil {
			t.Error("a path that is not there was mounted")
		}
		for _, d := range w.dialed() {
			if strings.Contains(d, "192.0.2.2") {
				t.Errorf("dialed %s: the server would say the same again", d)
			}
		}
	})
}

func TestResolverErrorsAreThoseOfMountNFS(t *testing.T) {
	for _, tt := range []struct {
		err       error
		msg       string
		temporary bool
	}{
		{&net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}, "Failed to resolve server h: Name or service not known", false},
		{&net.DNSError{Err: "server misbehaving", Name: "h", IsTemporary: true}, "Failed to resolve server h: Temporary failure in name resolution", true},
		{&net.DNSError{Err: "i/o timeout", Name: "h", IsTimeout: true}, "Failed to resolve server h: Temporary failure in name resolution", true},
	} {
		m := newMounter(Config{})
		m.cfg.Spec.Host, m.cfg.Spec.Path = "h", "/e"
		m.cfg.Lookup = func(context.Context, string, string) ([]netip.Addr, error) { return nil, tt.err }
		_, err := m.mount(soon(t))
		var e *Error
		if !errors.As(err, &e) || e.Message() != tt.msg || e.Temporary != tt.temporary {
			t.Errorf("got %v (%+v), want %q", err, e, tt.msg)
		}
	}
	m := newMounter(Config{})
	m.cfg.Spec.Host, m.cfg.Spec.Path = "::1", "/e"
	m.plan.NFS = Service{Netids: []string{"tcp"}}
	_, err := m.mount(soon(t))
	var e *Error
	if !errors.As(err, &e) || e.Message() != "Failed to resolve server ::1: Address family for hostname not supported" {
		t.Errorf("got %v", err)
	}
}
