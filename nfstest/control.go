package nfstest

import (
	"errors"
	"slices"
	"syscall"
	"time"
)

// Keep is what survives a Restart.
type Keep int

// The values of Keep.
const (
	KeepDRC  Keep = iota + 1 // the duplicate-request cache
	KeepData                 // UNSTABLE data, as if it had been written in time; the verifier changes all the same
)

// Restart does what a crash of the server and its quick return do: all TCP
// connections are reset, calls that were not answered are lost, UNSTABLE data
// that was not committed is gone, the write verifier is another one, locks are
// lost and may be reclaimed for Options.Grace, the hosts that held some get
// SM_NOTIFY, and the duplicate-request cache is empty. File handles stay good.
// It returns when the server is there again.
func (s *Server) Restart(keep ...Keep) {
	// Whoever comes back at once is not served before all this is done.
	s.running.Lock()
	defer s.running.Unlock()
	s.mu.Lock()
	s.gen++ // whatever waits for running will find itself out of date
	s.mu.Unlock()
	s.hangUp(false)
	if !slices.Contains(keep, KeepDRC) {
		s.cache.clear()
	}
	if !slices.Contains(keep, KeepData) {
		s.fsMu.Lock()
		s.fs.restart()
		s.fsMu.Unlock()
	}
	s.changeVerf()
	s.restartLocks()
	s.note("Restart")
}

// ChangeHandles makes all handles that were given out stale and gives every
// file another, as a server does whose export is made anew, or is taken over by
// another machine. The files stay what they are.
func (s *Server) ChangeHandles() {
	s.fsMu.Lock()
	s.fs.rehandle()
	s.fsMu.Unlock()
	s.note("ChangeHandles")
}

// generation tells calls from before a restart from those after it.
func (s *Server) generation() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gen
}

// ResetConnections resets all TCP connections. The server goes on.
func (s *Server) ResetConnections() {
	s.hangUp(false)
	s.note("ResetConnections")
}

// Silence makes all connections that there are half-open, as HalfOpen does: a
// NAT has forgotten them. New ones work.
func (s *Server) Silence() {
	s.mu.Lock()
	for l := range s.links {
		if !l.datagrams() {
			l.silent.Store(true)
		}
	}
	s.mu.Unlock()
	s.note("Silence")
}

// Connections returns how many TCP connections there are.
func (s *Server) Connections() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.links {
		if !l.datagrams() {
			n++
		}
	}
	return n
}

// Down makes the server unreachable: listening sockets are closed, connections
// reset, new ones refused. Up ends it. Files, caches and verifier stay; for a
// crash call Restart while it is down.
func (s *Server) Down() {
	s.mu.Lock()
	s.down = true
	s.mu.Unlock()
	s.hangUp(true)
	s.note("Down")
}

// upTime is how long Up waits for a port that was free while the server was
// down, and that somebody else on this machine has for a moment.
const upTime = 5 * time.Second

// Up ends Down: the server listens at the same ports again. The error is that
// of listening.
func (s *Server) Up() error {
	s.mu.Lock()
	was := s.down
	s.down = false
	nets, ports := s.nets, s.ports
	s.mu.Unlock()
	if !was {
		return nil
	}
	s.note("Up")
	for d := range doors {
		if len(nets) == 0 {
			break
		}
		err := s.listen(d, nets, ports[d])
		for end := time.Now().Add(upTime); errors.Is(err, syscall.EADDRINUSE) && time.Now().Before(end); err = s.listen(d, nets, ports[d]) {
			time.Sleep(20 * time.Millisecond)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Freeze stops the server as SIGSTOP does: connections stay, and nothing is
// answered until Thaw.
func (s *Server) Freeze() {
	s.mu.Lock()
	if s.frozen == nil && !s.closed {
		s.frozen = make(chan struct{})
	}
	s.mu.Unlock()
	s.note("Freeze")
}

// Thaw ends Freeze.
func (s *Server) Thaw() {
	s.mu.Lock()
	was := s.frozen
	s.frozen = nil
	s.mu.Unlock()
	if was != nil {
		close(was)
		s.note("Thaw")
	}
}

// awake waits while the server is frozen. It reports whether the server serves
// at all: false when it is closed or down.
func (s *Server) awake() bool {
	for {
		s.mu.Lock()
		frozen, off := s.frozen, s.closed || s.down
		s.mu.Unlock()
		if frozen == nil || off {
			return !off
		}
		<-frozen
	}
}
