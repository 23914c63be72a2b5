package nfstest

import "fmt"

// TB is what Start needs of *testing.T and *testing.B.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Failed() bool
	Logf(format string, args ...any)
}

// Start returns a server that listens on loopback ports over TCP and UDP. At
// the end of the test it is closed, and the test fails if a client violated
// the protocol (Options.Lax and Options.Allow). When the test failed, the
// server's log is shown. Clients must be closed before: register their cleanup
// after Start, so that it runs first.
func Start(t TB, o Options) *Server {
	t.Helper()
	s := NewFor(t, o)
	if err := s.Start(); err != nil {
		t.Fatalf("nfstest: %v", err)
	}
	return s
}

// NewFor is Start without ports: clients connect through DialContext.
func NewFor(t TB, o Options) *Server {
	t.Helper()
	s := New(o)
	if s.err != nil {
		t.Fatalf("nfstest: %v", s.err)
	}
	t.Cleanup(func() {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Errorf("nfstest: %v", err)
		}
		for _, v := range s.Violations() {
			t.Errorf("nfstest: %s", v)
		}
		if t.Failed() {
			t.Logf("nfstest: seed %d", s.Seed())
			for _, line := range tail(s.Log(), shownLines) {
				t.Logf("nfstest: %s", line)
			}
		}
	})
	return s
}

// shownLines is how much of the log a failed test shows.
const shownLines = 60

func tail(l []string, n int) []string { return l[max(0, len(l)-n):] }

// Export returns the export as a mount command names it: "127.0.0.1:/export",
// or "[::1]:/export" if the server listens over IPv6 only.
func (s *Server) Export() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.nets {
		if loopback(n) == "127.0.0.1" {
			return "127.0.0.1:" + s.o.Path
		}
	}
	if len(s.nets) > 0 {
		return "[::1]:" + s.o.Path
	}
	return "127.0.0.1:" + s.o.Path
}

// MountOptions returns the mount options that lead to the server's ports, as
// no rpcbind at port 111 knows them. A server without Start is at the ports
// that DialContext knows.
func (s *Server) MountOptions() string {
	s.mu.Lock()
	nfs, mount := s.ports[doorNFS], s.ports[doorMount]
	if len(s.nets) == 0 {
		nfs, mount = memPorts[doorNFS], memPorts[doorMount]
	}
	s.mu.Unlock()
	return fmt.Sprintf("vers=3,port=%d,mountport=%d,nolock", nfs, mount)
}

// LockPort returns the port of NLM and NSM that Start listens at, the same over
// TCP and UDP; 0 before Start.
func (s *Server) LockPort() uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ports[doorNLM]
}

// Ports returns the ports of rpcbind, MOUNT and NFS that Start listens at, the
// same over TCP and UDP; 0 before Start.
func (s *Server) Ports() (rpcbind, mount, nfs uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ports[doorRpcbind], s.ports[doorMount], s.ports[doorNFS]
}
