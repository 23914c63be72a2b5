package mount

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfstest"
)

// Real sockets: only these know of ICMP.

// loopback is a mounter of a server that listens on the loopback interface.
func loopback(t *testing.T, srv *nfstest.Server, opts string) *mounter {
	t.Helper()
	o, err := mountopt.Parse(opts)
	if err != nil {
		t.Fatal(err)
	}
	m := newMounter(Config{Spec: mountopt.Spec{Host: "127.0.0.1", Path: "/export"}, Options: o})
	m.rpcbind, _, _ = srv.Ports()
	return m
}

func TestLoopbackOverUDPHasLargeDatagrams(t *testing.T) {
	srv := nfstest.Start(t, nfstest.Options{})
	s, err := loopback(t, srv, "udp").mount(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.Rsize() != 32<<10 || s.Wsize() != 32<<10 {
		t.Errorf("rsize=%d, wsize=%d", s.Rsize(), s.Wsize())
	}
	if _, mount, nfs := srv.Ports(); s.granted.by.port != mount || s.link.way.port != nfs {
		t.Errorf("mounted over %+v and %+v", s.granted.by, s.link.way)
	}
	if err := s.Umount(soon(t)); err != nil {
		t.Error(err)
	}
}

func TestDatagramsThatAreRefusedEndTheMount(t *testing.T) {
	srv := nfstest.Start(t, nfstest.Options{})
	_, mount, nfs := srv.Ports()
	free, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := free.LocalAddr().(*net.UDPAddr).Port
	free.Close()
	for _, opts := range []string{
		fmt.Sprintf("udp,port=%d,mountport=%d", nfs, nobody),
		fmt.Sprintf("udp,port=%d,mountport=%d", nobody, mount),
	} {
		start := time.Now()
		_, err := loopback(t, srv, opts).mount(soon(t))
		var e *Error
		if !errors.As(err, &e) || e.Message() != "Connection refused" || !e.Temporary {
			t.Errorf("%s: got %v", opts, err)
		}
		if took := time.Since(start); took > answerUDP {
			t.Errorf("%s: it took %v", opts, took)
		}
	}
}

func TestDatagramsFindTheNewPort(t *testing.T) {
	srv := nfstest.Start(t, nfstest.Options{})
	m := loopback(t, srv, "udp,timeo=2")
	s, err := m.mount(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	again := nfstest.Start(t, nfstest.Options{}) // the server as it is after a restart
	srv.Down()
	m.rpcbind, _, _ = again.Ports()
	start := time.Now()
	if err := s.NFS().Null(soon(t)); err != nil {
		t.Fatal(err)
	}
	if _, _, nfs := again.Ports(); s.link.port.Load() != uint32(nfs) {
		t.Errorf("port %d, want %d", s.link.port.Load(), nfs)
	}
	t.Logf("after %v", time.Since(start))
}

func TestNobodyAtHomeIsKnownSoon(t *testing.T) {
	srv := nfstest.Start(t, nfstest.Options{})
	m := loopback(t, srv, "")
	srv.Down()
	_, mount, nfs := srv.Ports()
	m.plan.Mountd.Fallback, m.plan.NFS.Fallback = mount, nfs
	start := time.Now()
	_, err := m.mount(soon(t))
	var e *Error
	if !errors.As(err, &e) || !strings.HasPrefix(e.Message(), "Connection refused: rpcbind did not answer") || !e.Temporary {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > answerUDP {
		t.Errorf("it took %v", took)
	}
}
