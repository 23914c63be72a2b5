package mount

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfstest"
)

// wire is a network of one server. Its rules say what becomes of a dial, by
// "tcp host:port", by "tcp port" or by "host": refuse, silent (no SYN is
// answered), mute (all is swallowed), unreachable; what has no rule reaches the server.
type wire struct {
	srv *nfstest.Server

	mu    sync.Mutex // guards what follows
	rules map[string]string
	move  map[string]string // "port" → the port of the server behind it
	dials []string
}

func newWire(srv *nfstest.Server, rules map[string]string) *wire {
	return &wire{srv: srv, rules: rules, move: map[string]string{}}
}

// set changes a rule.
func (w *wire) set(where, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rules[where] = what
}

// dialed returns the dials so far, "tcp host:port".
func (w *wire) dialed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.dials...)
}

func (w *wire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	network = network[:3]
	w.mu.Lock()
	w.dials = append(w.dials, network+" "+addr)
	what := ""
	for _, k := range []string{network + " " + addr, network + " " + port, host} {
		if r, ok := w.rules[k]; ok {
			what = r
			break
		}
	}
	to := port
	if p, ok := w.move[port]; ok {
		to = p
	}
	w.mu.Unlock()
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	switch {
	case what == "refuse":
		return fail(syscall.ECONNREFUSED)
	case what == "unreachable":
		return fail(syscall.EHOSTUNREACH)
	case what == "silent" && network == "tcp": // no answer to the SYN
		<-ctx.Done()
		return fail(ctx.Err())
	case what == "silent", what == "mute": // all is swallowed
		near, far := net.Pipe()
		go io.Copy(io.Discard, far) // ends when near is closed
		return near, nil
	}
	return w.srv.DialContext(ctx, network, net.JoinHostPort(host, to))
}

// mounter is a mounter without a tunnel whose network is the wire; host is an
// address.
func (w *wire) mounter(t testing.TB, host, opts string) *mounter {
	t.Helper()
	o, err := mountopt.Parse(opts)
	if err != nil {
		t.Fatal(err)
	}
	m := newMounter(Config{Spec: mountopt.Spec{Host: host, Path: "/export"}, Options: o})
	m.cfg.DialContext = w.dial
	return m
}

// lookup is a resolver that knows one name.
func lookup(name string, addrs ...string) func(context.Context, string, string) ([]netip.Addr, error) {
	return func(_ context.Context, network, host string) ([]netip.Addr, error) {
		if host != name {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		var l []netip.Addr
		for _, a := range addrs {
			l = append(l, netip.MustParseAddr(a))
		}
		return l, nil
	}
}

// soon is a context for what should take no time.
func soon(t testing.TB) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(stop)
	return ctx
}
