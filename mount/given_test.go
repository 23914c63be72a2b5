package mount

import (
	"context"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// book notes which addresses are dialed; those of the hosts in away are
// refused, those in denied for good.
type book struct {
	s            *nfstest.Server
	away, denied string
	mu           sync.Mutex // guards l
	l            []string
}

func (b *book) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	b.mu.Lock()
	b.l = append(b.l, addr)
	b.mu.Unlock()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if strings.Contains(b.away, host) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	if strings.Contains(b.denied, host) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.EACCES}
	}
	return b.s.DialContext(ctx, network, net.JoinHostPort("server", port))
}

// count returns how often addr was dialed.
func (b *book) count(addr string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.l {
		if a == addr {
			n++
		}
	}
	return n
}

// dialGiven mounts spec through a book.
func dialGiven(t *testing.T, b *book, host, opts string) (*Session, error) {
	t.Helper()
	b.s = nfstest.NewFor(t, nfstest.Options{})
	c := config(t, b.s, opts)
	c.Spec.Host, c.DialContext = host, b.dial
	s, err := Dial(soon(t), c)
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

func TestTheServersOfASpecAreTriedInOrder(t *testing.T) {
	b := &book{away: "a"}
	s, err := dialGiven(t, b, "a,b,c", "tcp")
	if err != nil {
		t.Fatal(err)
	}
	if s.Server() != "b" || s.Spec().String() != "a,b,c:/export" {
		t.Errorf("mounted from %s, spec %s", s.Server(), s.Spec())
	}
	if b.count("a:111") == 0 || b.count("c:111") != 0 {
		t.Errorf("dialed %v", b.l)
	}
	if _, err := dialGiven(t, &book{away: "abc"}, "a,b,c", "tcp"); err == nil || !err.(*Error).Temporary {
		t.Errorf("when all are away: %v", err)
	}
	if _, err := dialGiven(t, &book{away: "b", denied: "a"}, "a,b", "tcp"); err == nil || !err.(*Error).Temporary {
		t.Errorf("when one may come back: %v", err)
	}
	if _, err := dialGiven(t, &book{denied: "ab"}, "a,b", "tcp"); err == nil || err.(*Error).Temporary {
		t.Errorf("when none will: %v", err)
	}
}

func TestMountdMayBeAskedElsewhere(t *testing.T) {
	for opts, host := range map[string]string{
		"tcp,mounthost=other":                     "other",
		"tcp,mountaddr=192.0.2.9":                 "192.0.2.9",
		"tcp,mountaddr=192.0.2.9,mounthost=other": "192.0.2.9",
	} {
		b := new(book)
		s, err := dialGiven(t, b, "srv", opts)
		if err != nil {
			t.Errorf("%s: %v", opts, err)
			continue
		}
		if s.Options().MountAddr != host || s.Options().Addr != "srv" {
			t.Errorf("%s: options %s", opts, s.Options())
		}
		if err := s.Umount(t.Context()); err != nil {
			t.Errorf("%s: UMNT: %v", opts, err)
		}
		if b.count("srv:20048") != 0 || b.count(host+":20048") != 2 || b.count(host+":2049") != 0 {
			t.Errorf("%s: dialed %v", opts, b.l)
		}
	}
}

func TestMountaddrMustBeOfTheFamilyOfMountproto(t *testing.T) {
	_, err := dialGiven(t, new(book), "srv", "tcp,mountproto=tcp6,mountaddr=192.0.2.9")
	if e, ok := err.(*Error); !ok || e.Op != "resolve" {
		t.Errorf("got %v", err)
	}
}

func TestSeveralConnections(t *testing.T) {
	b := new(book)
	s, err := dialGiven(t, b, "srv", "tcp,nconnect=4,port=2049,mountport=20048")
	if err != nil {
		t.Fatal(err)
	}
	var calls sync.WaitGroup
	for range 32 {
		calls.Go(func() {
			var r nfs3.GetattrReply
			if err := s.NFS().Getattr(t.Context(), nil, &nfs3.GetattrArgs{Object: s.Root()}, &r); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if n := b.count("srv:2049"); n != 4 {
		t.Errorf("%d connections were made, want 4", n)
	}
	if st := s.NFS().RPC().Stats(); st.ConnectedCount != 4 || !strings.Contains(s.Options().String(), "nconnect=4") {
		t.Errorf("%d connections are open, options %s", st.ConnectedCount, s.Options())
	}
}

func TestNamlenGoesBeforePathconf(t *testing.T) {
	for opts, want := range map[string]uint32{"tcp": 255, "tcp,namlen=14": 14, "tcp,namlen=4096": 255, "tcp,namlen=0": 255} {
		s, err := dialGiven(t, new(book), "srv", opts)
		if err != nil {
			t.Fatal(err)
		}
		if s.PathConf().NameMax != want || s.Options().Namlen != want {
			t.Errorf("%s: NameMax %d, options %s", opts, s.PathConf().NameMax, s.Options())
		}
	}
}

func TestOptionsReachTheDialer(t *testing.T) {
	o, err := mountopt.Parse("keepalive=7,noconn")
	if err != nil {
		t.Fatal(err)
	}
	if d := newMounter(Config{Options: o}).dialer(false); d.KeepAlive != 7*time.Second || !d.NoConn {
		t.Errorf("got %+v", d)
	}
	if d := newMounter(Config{}).dialer(false); d.KeepAlive != 0 || d.NoConn {
		t.Errorf("without options: %+v", d)
	}
}

// A connection that no call needs is given back, and the next call makes
// another.
func TestIdleConnectionEnds(t *testing.T) {
	t.Parallel()
	b := new(book)
	s, err := dialGiven(t, b, "srv", "tcp,idle=1,port=2049,mountport=20048")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for s.NFS().RPC().Stats().ConnectedCount != 0 && time.Since(begin) < 20*time.Second {
		time.Sleep(20 * time.Millisecond)
	}
	if st := s.NFS().RPC().Stats(); st.ConnectedCount != 0 || st.Disconnects != 0 {
		t.Errorf("after %v without a call: %+v", time.Since(begin), st)
	}
	var r nfs3.GetattrReply
	if err := s.NFS().Getattr(t.Context(), nil, &nfs3.GetattrArgs{Object: s.Root()}, &r); err != nil {
		t.Error(err)
	}
	if n := b.count("srv:2049"); n != 2 {
		t.Errorf("%d connections were made, want 2", n)
	}
}
