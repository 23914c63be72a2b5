package nfstest_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/gonfs/gonfs/nfstest"
)

func TestDialContextRefusesWhatIsNotThere(t *testing.T) {
	s := nfstest.New(nfstest.Options{})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx           context.Context
		network, addr string
	}{
		"a port of nobody": {t.Context(), "tcp", "x:22"}, "port 0": {t.Context(), "tcp", "x:0"},
		"no port": {t.Context(), "tcp", "x"}, "a name of a port": {t.Context(), "tcp", "x:nfs"},
		"another network": {t.Context(), "unix", "x:2049"}, "a context that is over": {gone, "tcp", "x:2049"},
	} {
		nc, err := s.DialContext(tt.ctx, tt.network, tt.addr)
		var op *net.OpError
		if err == nil {
			nc.Close()
		}
		if !errors.As(err, &op) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, s.Close())
	if _, err := s.DialContext(t.Context(), "tcp", "x:2049"); err == nil {
		t.Error("a closed server took a connection")
	}
	must(t, s.Close())
}

func TestAClientComesBackFromItsPort(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	dial := func(port string) net.Conn {
		nc, err := s.DialContext(t.Context(), "tcp", "x:"+port)
		must(t, err)
		t.Cleanup(func() { nc.Close() })
		return nc
	}
	mount, nfs := dial("20048"), dial("2049")
	other := dial("2049")
	was := nfs.LocalAddr().String()
	mount.Close()
	nfs.Close()
	if now := dial("2049").LocalAddr().String(); now != was {
		t.Errorf("the port was %s and is %s", was, now)
	}
	if now := dial("2049").LocalAddr().String(); now == was || now == other.LocalAddr().String() || now == mount.LocalAddr().String() {
		t.Errorf("port %s is used twice", now)
	}
}

func TestADirectoryThatIsNotThereIsSaid(t *testing.T) {
	s := nfstest.New(nfstest.Options{Dir: t.TempDir() + "/none"})
	defer s.Close()
	if err := s.Start(); err == nil {
		t.Error("Start succeeded")
	}
	if _, err := s.DialContext(t.Context(), "tcp", "x:2049"); err == nil {
		t.Error("DialContext succeeded")
	}
}
